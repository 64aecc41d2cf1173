"""Fuzz the conversion of markup in both directions: `python -m tests.fuzz_markup --seconds 60`.

Prints the seed, which gives the same texts again, and each failing text; leaves with 1 if any
failed. With `--patterns` it converts no random texts, but each piece over and over, up to Jira's
limit.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from markup_texts import HOST, PIECES, faults_for_gitlab, faults_for_jira

from requests_sync.foreign_text import drop_controls, quote_for_gitlab
from requests_sync.markup import to_markdown, to_wiki, words_of_markdown, words_of_wiki

SLOWEST = 2.0
JIRA_LIMIT = 32_767


def make_text(chance: random.Random) -> str:
    """Return pieces at random; at times a few of them over and over, up to Jira's limit."""
    count = chance.choice([3, 8, 30, 120])
    pieces = [random_piece(chance) for _ in range(count)]
    if chance.random() < 0.02:
        return repeat("".join(pieces[: chance.randint(1, 8)]))
    return "".join(pieces)


def patterns() -> Iterator[str]:
    """Yield each piece repeated up to Jira's limit."""
    yield from map(repeat, PIECES)


def repeat(piece: str) -> str:
    return (piece * (JIRA_LIMIT // len(piece) + 1))[:JIRA_LIMIT]


def random_texts(chance: random.Random, seconds: float) -> Iterator[str]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield make_text(chance)


def random_piece(chance: random.Random) -> str:
    if chance.random() < 0.05:
        return chr(chance.choice([chance.randrange(0x250), chance.randrange(0x2000, 0x2100)]))
    return chance.choice(PIECES)


def faults(text: str, counts: Counter[str]) -> Iterator[str]:
    markdown = to_markdown(text, gitlab_host=HOST)
    if markdown == quote_for_gitlab(drop_controls(text)):
        counts["tickets quoted as typed"] += 1
    elif words_of_markdown(markdown) != words_of_wiki(text):
        yield "a word of a ticket is lost"
    wiki = to_wiki(text)
    if wiki.startswith("{noformat}\n") and "```" not in text and "    " not in text:
        counts["notes shown as typed"] += 1
    yield from faults_for_gitlab(markdown)
    yield from faults_for_jira(wiki)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--patterns", action="store_true")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    chance = random.Random(seed)
    counts: Counter[str] = Counter()
    slowest, slowest_text = 0.0, ""
    for text in patterns() if options.patterns else random_texts(chance, options.seconds):
        counts["texts"] += 1
        for convert in (to_markdown, to_wiki):
            begun = time.process_time()
            convert(text)
            took = time.process_time() - begun
            if took > slowest:
                slowest, slowest_text = took, text
        for fault in faults(text, counts):
            counts["failures"] += 1
            print(f"{fault}: {text!r}"[:2000])
    print(f"seed {seed}; slowest conversion {slowest:.2f} s: {slowest_text[:40]!r}")
    for name in ("texts", "failures", "tickets quoted as typed", "notes shown as typed"):
        print(f"{counts[name]:8} {name}")
    return 1 if counts["failures"] or slowest > SLOWEST else 0


if __name__ == "__main__":
    sys.exit(main())

"""No text makes the search slow, and no two parts of it read across what parts them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardbook.identifiers import (
    births,
    contacts,
    credentials,
    documents,
    fragments,
    names,
    numbers,
    searching,
)
from wardbook.identifiers.context import Context
from wardbook.identifiers.name_index import NameIndex
from wardbook.identifiers.scanning import scan
from wardbook.identifiers.searching import scan_content

PEOPLE = Context(
    cohort=NameIndex.of([("Heurtebise", "Cécile"), ("Petit", "Jean"), ("Martin", "Noël")])
)
sre: Any = re._parser  # type: ignore[attr-defined]
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
PIECES = [
    "1", "12", "123 ", "0", "06 ", "2 84 07 ", "-", ".", " ", "\n", ";", "@", "a@", "a.", "é",
    "né ", "née le ", "rue ", "12 rue ", "35000 ", "FR76", "AB", "://", ":", "password=", "eyJ",
    "eyJ-",
    "machine x login ", "Petit ", "Jean ", "M. ", "\u00a0", "\x1e", "l", "O", "<", "P<", "token: ",
    "date de naissance ", "mille ", "mars ", "glpat-",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_is_searched_and_findings_lie_in_it_in_order(text: str) -> None:
    found = scan(text, context=PEOPLE)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.json", "a.ipynb", "a.txt"]))
@settings(max_examples=40, deadline=None)
def test_any_file_is_taken_apart(content: bytes, name: str) -> None:
    scan_content(name, content, context=PEOPLE)


def all_patterns() -> dict[str, re.Pattern[str]]:
    rooms = (births, contacts, credentials, documents, fragments, names, numbers, searching)
    return {
        f"{room.__name__.rpartition('.')[2]}.{name}": value
        for room in rooms
        for name, value in vars(room).items()
        if isinstance(value, re.Pattern)
    } | {f"credentials.{mark}": form for mark, form in credentials.FORMS.items()}


def find_repeat_in_repeat(pattern: str) -> bool:
    """Whether something without a bound is repeated: the way to exponential time."""

    def walk(tree: object, *, repeated: bool) -> bool:
        if isinstance(tree, tuple) and len(tree) == 2 and tree[0] in REPEATS:
            _, most, inner = tree[1]
            if repeated and most == sre.MAXREPEAT:
                return True
            return walk(inner, repeated=repeated or most > 1)
        if isinstance(tree, list | tuple | sre.SubPattern):
            return any(walk(part, repeated=repeated) for part in tree)
        return False

    return walk(sre.parse(pattern), repeated=False)


@pytest.mark.parametrize("name", sorted(all_patterns()))
def test_no_pattern_repeats_what_has_no_bound(name: str) -> None:
    assert not find_repeat_in_repeat(all_patterns()[name].pattern)


@pytest.mark.parametrize("slow", ["(?:a+)+b", "(?:[ab]*c)*", "(a|b+){2,9}"])
def test_the_look_at_patterns_finds_a_slow_one(slow: str) -> None:
    assert find_repeat_in_repeat(slow)
    assert not find_repeat_in_repeat(slow.replace("+", "{1,9}").replace("*", "{0,9}"))


def measure_growth(search: Callable[[str], object], piece: str) -> float:
    """Return how many times the processor time grows when a text of one piece grows tenfold.

    A ratio within one process, the least of three each: 10 is linear, 100 is quadratic.
    """

    def take(length: int) -> float:
        text, took = piece * (length // len(piece)), []
        for _ in range(3):
            start = time.process_time()
            search(text)
            took.append(time.process_time() - start)
        return min(took)

    return take(60_000) / max(take(6_000), 1e-4)


@pytest.mark.parametrize("piece", PIECES)
def test_time_grows_with_the_length_and_not_with_its_square(piece: str) -> None:
    assert measure_growth(lambda text: scan(text, context=PEOPLE), piece) < 40


@pytest.mark.parametrize("slow", ["[ab]+c", "(?:ab)*c", "a.*c"])
def test_the_measure_finds_a_pattern_that_grows_with_the_square(slow: str) -> None:
    pattern = re.compile(slow)
    assert measure_growth(lambda text: pattern.findall(text[: len(text) // 4]), "ab") > 40

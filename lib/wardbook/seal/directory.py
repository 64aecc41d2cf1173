"""What a directory lists for one person, each key judged; whom to trust is decided elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wardbook.seal.facts import KeyFacts, choose_subkey
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.keys import Keyring
from wardbook.seal.problems import SealProblem
from wardbook.seal.public_home import PublicHome, export_public

MOST_BLOCKS = 20
"""Blocks of one person that are read; nobody has more keys than that."""


@dataclass(frozen=True)
class ListedKey:
    """A key that the directory lists: what it says, and what speaks against it, if anything."""

    facts: KeyFacts
    public_key: str
    problem: SealProblem | None

    @property
    def fingerprint(self) -> Fingerprint:
        """The key's name."""
        return self.facts.fingerprint


@dataclass(frozen=True)
class Listing:
    """All that the directory lists for one person: keys, and the problems of unreadable blocks."""

    keys: tuple[ListedKey, ...]
    unreadable: tuple[SealProblem, ...]

    def find(self, fingerprint: str) -> ListedKey | None:
        """Return the key of this fingerprint."""
        return next((key for key in self.keys if key.fingerprint == fingerprint), None)

    @property
    def sound(self) -> tuple[ListedKey, ...]:
        """The keys to which one could encrypt."""
        return tuple(key for key in self.keys if key.problem is None)

    @property
    def first_problem(self) -> SealProblem | None:
        """What speaks against the first key or block that cannot be used."""
        problems = [key.problem for key in self.keys if key.problem is not None]
        return next(iter([*problems, *self.unreadable]), None)


def read_directory(blocks: Sequence[str], keyring: Keyring, now: datetime) -> Listing:
    """Judge every key that a directory lists.

    A revocation that `keyring` knows of holds, whatever older copy of the key is listed now.

    Args:
        blocks: the armoured keys of one person; those beyond `MOST_BLOCKS` are not read.
        keyring: the unit's keys; only read.
        now: the moment at which the keys must be valid.
    """
    unreadable = []
    known = {key.fingerprint for key in keyring.facts()} if blocks else set()
    with PublicHome(now) as home:
        for block in blocks[:MOST_BLOCKS]:
            try:
                added = home.add(block)
            except SealProblem as problem:
                unreadable.append(problem)
                continue
            for fingerprint in known.intersection(added):
                home.add(keyring.export_public(fingerprint))
        keys = tuple(
            ListedKey(facts, export_public(home.gpg, facts.fingerprint), _judge(facts, now))
            for facts in home.facts()
        )
    return Listing(keys, tuple(unreadable))


def _judge(facts: KeyFacts, now: datetime) -> SealProblem | None:
    try:
        choose_subkey(facts, now)
    except SealProblem as problem:
        return problem
    return None

"""What the codes of a dimension stand for, so that codes of different tables can be compared.

Read are spans of time (a day, an ISO week, a month, a quarter, a year, two days with a slash) and
bands of whole numbers ("20-39", "[20,40)", "80+", "<5", "85"). Any other code stands for itself,
or for the codes that make it up where a hierarchy says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import inf

Hierarchy = Mapping[str, tuple[str, ...]]
"""For a code the codes that make it up, all of them: for a pole its wards."""
Atom = str | tuple[str, float, float]
Atoms = frozenset[Atom]
"""The pieces that a code is made of: names, and stretches that no other code divides."""

REST = "\0rest"
"""The piece of a dimension that no code of it names."""


@dataclass(frozen=True)
class Stretch:
    """All numbers from `first` up to, not including, `end`: days ("day") or years of age ("n")."""

    kind: str
    first: float
    end: float


def read_span(code: str) -> tuple[date, date] | None:
    """Return the first and the last day of a code that names a span of time, else None."""
    for pattern, read in _SPANS:
        if found := pattern.fullmatch(code.strip()):
            try:
                return read(*found.groups())
            except ValueError:
                return None
    return None


def read_stretch(code: str) -> Stretch | None:
    """Return the stretch of days or of whole numbers that a code names, else None."""
    if span := read_span(code):
        return Stretch("day", span[0].toordinal(), span[1].toordinal() + 1)
    for pattern, read in _BANDS:
        if found := pattern.fullmatch(code.strip()):
            first, end = read(*map(int, found.groups()))
            return Stretch("n", first, end) if first < end else None
    return None


def split_codes(codes: Iterable[str], hierarchy: Hierarchy) -> dict[str, Atoms]:
    """Return for each code its atoms: two codes overlap exactly where they share some."""
    codes = sorted({*codes, *hierarchy, *(part for parts in hierarchy.values() for part in parts)})
    leaves = {code: _find_leaves(code, hierarchy) for code in codes}
    stretches = {code: read_stretch(code) for code in codes if leaves[code] == {code}}
    cuts: dict[str, set[float]] = {}
    for one in stretches.values():
        if one is not None:
            cuts.setdefault(one.kind, set()).update((one.first, one.end))
    ordered = {kind: sorted(at) for kind, at in cuts.items()}

    def atoms_of(leaf: str) -> Atoms:
        one = stretches[leaf]
        if one is None:
            return frozenset({leaf.strip()})
        at = [cut for cut in ordered[one.kind] if one.first <= cut <= one.end]
        return frozenset((one.kind, *pair) for pair in pairwise(at))

    return {code: frozenset().union(*(atoms_of(leaf) for leaf in leaves[code])) for code in codes}


def _find_leaves(code: str, hierarchy: Hierarchy, above: frozenset[str] = frozenset()) -> set[str]:
    parts = [part for part in hierarchy.get(code, ()) if part not in above | {code}]
    if not parts:
        return {code}
    return set().union(*(_find_leaves(part, hierarchy, above | {code}) for part in parts))


def _month(year: str, month: str) -> tuple[date, date]:
    return _months(int(year), int(month), 1)


def _quarter(year: str, quarter: str) -> tuple[date, date]:
    return _months(int(year), 3 * int(quarter) - 2, 3)


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    after = month - 1 + count
    end = date(year + after // 12, after % 12 + 1, 1)
    return date(year, month, 1), end - timedelta(days=1)


def _week(year: str, week: str) -> tuple[date, date]:
    return date.fromisocalendar(int(year), int(week), 1), date.fromisocalendar(
        int(year), int(week), 7
    )


def _day(text: str) -> tuple[date, date]:
    return date.fromisoformat(text), date.fromisoformat(text)


def _days(first: str, last: str) -> tuple[date, date]:
    return date.fromisoformat(first), date.fromisoformat(last)


_DAY = r"(\d{4}-\d{2}-\d{2})"
_SPANS: tuple[tuple[re.Pattern[str], Callable[..., tuple[date, date]]], ...] = (
    (re.compile(_DAY), _day),
    (re.compile(rf"{_DAY}/{_DAY}"), _days),
    (re.compile(r"(\d{4})-?[WS](\d{2})"), _week),
    (re.compile(r"(\d{4})-?[QT]([1-4])"), _quarter),
    (re.compile(r"(\d{4})-(\d{2})"), _month),
    (re.compile(r"((?:19|20)\d{2})"), lambda year: _months(int(year), 1, 12)),
)
_BANDS: tuple[tuple[re.Pattern[str], Callable[..., tuple[float, float]]], ...] = (
    (re.compile(r"(\d+)\s*[-–]\s*(\d+)(?: ans| years)?"), lambda first, last: (first, last + 1)),
    (re.compile(r"\[(\d+)\s*[,;]\s*(\d+)[)\[]"), lambda first, end: (first, end)),
    (re.compile(r"(?:≥|>=)?\s*(\d+)\s*(?:\+|(?: ans)? et plus)"), lambda first: (first, inf)),
    (re.compile(r"(?:≥|>=)\s*(\d+)"), lambda first: (first, inf)),
    (re.compile(r"<\s*(\d+)"), lambda end: (0, end)),
    (re.compile(r"(\d+)"), lambda one: (one, one + 1)),
)

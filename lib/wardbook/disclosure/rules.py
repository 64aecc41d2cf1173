"""The rules: which cells of a table say too much of a person, and why. Pure functions.

What each rule is for, where it comes from, and an example on both sides of its threshold stand in
docs/disclosure.md. Nothing here reads a file or knows a template.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from math import floor

from wardbook.disclosure.policy import Policy
from wardbook.disclosure.table import Cell, Table

_SLACK = 1e-9
"""Relative: sums of the same numbers in another order differ by less."""


class Reason(StrEnum):
    """Why a cell is unsafe."""

    SMALL_COUNT = "small_counts"
    ZERO = "zero"
    EVERYBODY = "everybody"
    NOBODY = "nobody"
    DOMINANCE = "dominance"
    P_RATIO = "p_ratio"
    CONTRIBUTORS_UNKNOWN = "contributors_unknown"


def find_unsafe(table: Table, policy: Policy) -> Mapping[int, tuple[Reason, ...]]:
    """Return the position of each unsafe cell, with the rules that fired.

    In a frequency table counts and classes are looked at, in a magnitude table contributions too.
    """
    found: dict[int, list[Reason]] = defaultdict(list)
    for position, cell in enumerate(table.cells):
        for reason in _judge_cell(cell, policy):
            found[position].append(reason)
    if policy.zeros == "class":
        for position, reason in _find_classes(table):
            if reason not in found[position]:
                found[position].append(reason)
    return {position: tuple(reasons) for position, reasons in sorted(found.items())}


def judge_count(count: float, policy: Policy) -> tuple[Reason, ...]:
    """Judge a number of persons by itself: too few, or a zero where zeros are held."""
    if count == 0:
        return (Reason.ZERO,) if policy.zeros == "held" else ()
    return (Reason.SMALL_COUNT,) if count < policy.minimum_count else ()


def judge_share(part: float, whole: float, policy: Policy) -> tuple[Reason, ...]:
    """Judge a share of persons: who has it, who has it not, and all of them must be enough."""
    reasons = {
        *judge_count(part, policy),
        *judge_count(whole, policy),
        *judge_count(whole - part, policy),
    }
    if policy.zeros == "class" and whole > 0 and (part in {0, whole}):
        reasons.add(Reason.EVERYBODY)
    return tuple(sorted(reasons))


def judge_percentile(count: float, percent: float, policy: Policy) -> bool:
    """Tell whether too few of `count` persons stand beyond a percentile, on either side."""
    beyond = floor(count * min(percent, 100 - percent) / 100 + _SLACK)
    return beyond < policy.beyond_percentile


def find_unsafe_steps(
    at_risk: Sequence[float], events: Sequence[float], policy: Policy
) -> tuple[int, ...]:
    """Return the positions of the steps of one survival curve that tell of too few persons.

    At each step enough are at risk; those who have the event there, and those who leave before the
    next step without it, are none or enough.

    Args:
        at_risk: persons at risk just before each step, in the order of time.
        events: persons with the event at each step.
        policy: says how many are enough.
    """
    least = policy.survival_count
    unsafe = []
    for step, (number, having) in enumerate(zip(at_risk, events, strict=True)):
        following = at_risk[step + 1] if step + 1 < len(at_risk) else None
        lost = 0 if following is None else number - having - following
        if number < least or any(0 < few < least or few < 0 for few in (having, lost)):
            unsafe.append(step)
    return tuple(unsafe)


def _judge_cell(cell: Cell, policy: Policy) -> Iterator[Reason]:
    yield from judge_count(cell.count, policy)
    if cell.largest and cell.count > 0:
        yield from _judge_contributions(cell, policy)


def _judge_contributions(cell: Cell, policy: Policy) -> Iterator[Reason]:
    largest, total = cell.largest, cell.value
    needed = min(policy.contributors, cell.count)
    descending = all(one >= other for one, other in pairwise(largest))
    # The rules are made for contributions that are not negative: then a sum bounds its parts.
    if len(largest) < needed or not descending or min(largest) < 0:
        yield Reason.CONTRIBUTORS_UNKNOWN
        return
    if total == 0:
        return
    if any(
        sum(largest[: rule.largest]) > rule.share * total * (1 + _SLACK)
        for rule in policy.dominance
    ):
        yield Reason.DOMINANCE
    remainder = total - sum(largest[:2])
    if policy.p_ratio and remainder < policy.p_ratio * largest[0] * (1 - _SLACK):
        yield Reason.P_RATIO


def _find_classes(table: Table) -> Iterator[tuple[int, Reason]]:
    """Yield the cells which say that all of a group have something, or that nobody has it."""
    margins = _find_margins(table)
    for dimension, name in enumerate(table.dimensions):
        if name == table.timeline:
            continue  # a day is nobody's trait
        inner = [p for p in range(len(table.cells)) if dimension not in margins[p]]
        codes: dict[str, list[int]] = defaultdict(list)
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for position in inner:
            place = table.cells[position].place
            codes[place[dimension]].append(position)
            groups[place[:dimension] + place[dimension + 1 :]].append(position)
        if len(codes) < 2:
            continue
        for group in groups.values():
            filled = [position for position in group if table.cells[position].count > 0]
            if len(filled) == 1:
                yield filled[0], Reason.EVERYBODY
        if any(table.cells[position].count > 0 for position in inner):
            for positions in codes.values():
                if all(table.cells[position].count == 0 for position in positions):
                    yield from ((position, Reason.NOBODY) for position in positions)


def _find_margins(table: Table) -> Mapping[int, set[int]]:
    """Return for each cell the dimensions along which it is a sum of other cells."""
    margins: dict[int, set[int]] = defaultdict(set)
    for relation in table.relations:
        total = table.cells[relation.total].place
        for part in relation.parts[:1]:
            place = table.cells[part].place
            margins[relation.total] |= {d for d, code in enumerate(total) if code != place[d]}
    return margins

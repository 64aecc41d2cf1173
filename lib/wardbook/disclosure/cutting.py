"""Tables that only small groups hold back are cut: the rows that could betray one show no figures.

What is cut is chosen for each of a file's tables beside all that was released before; a row that
one of them hides is hidden in all, for to hide more never tells more.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from wardbook.disclosure.case import Case
from wardbook.disclosure.differencing import suppress_beside
from wardbook.disclosure.policy import Policy
from wardbook.disclosure.reader import Reader
from wardbook.disclosure.register import Release, Scope, describe_release
from wardbook.disclosure.rules import Reason, find_unsafe
from wardbook.disclosure.sheet import Sheet, Unreadable
from wardbook.disclosure.suppress import Suppression
from wardbook.disclosure.table import Table
from wardbook.domain.output import Check, OutputKind, Sensitivity, Verdict
from wardbook.domain.run import RunSpec

if TYPE_CHECKING:
    from wardbook.disclosure.codes import Hierarchy
    from wardbook.template.outputs import OutputSpec
    from wardbook.template.spec import TemplateSpec

Neighbours = Callable[[Scope], Sequence[Release]]
_CURABLE = frozenset(Reason)


@dataclass(frozen=True)
class Cut:
    """What a table's file does not show.

    Args:
        rows: positions of the rows without figures, from 0.
        parts: each table of the file with what is suppressed of it, and what it is about.
        because_of: titles of earlier releases that make more of it necessary.
        is_safe: whether nothing can be worked out any more; otherwise the table is held.
    """

    rows: frozenset[int]
    parts: tuple[tuple[Table, Suppression, Scope], ...]
    because_of: tuple[str, ...]
    is_safe: bool


def may_be_cut(case: Case, checks: Sequence[Check]) -> bool:
    """Tell whether a table's file passed, or is held for nothing but cells that can be hidden."""
    declared = case.declared
    if declared.kind is not OutputKind.TABLE or case.output is None or case.is_public:
        return False
    if declared.sensitivity is Sensitivity.SENSITIVE or declared.rounded or declared.survival:
        return False
    if not (declared.count or declared.measures) or declared.regression:
        return False
    if not all(check.verdict is Verdict.PASS or _is_curable(check) for check in checks):
        return False
    return not _has_shares(declared) or not any(map(_is_curable, checks))


def _is_curable(check: Check) -> bool:
    return check.rule == "cells" and check.reason in _CURABLE


def cut_table(case: Case, neighbours: Neighbours) -> Cut | None:
    """Choose what a table's file does not show; None where that cannot be chosen.

    Args:
        case: the table, of which `may_be_cut` is true.
        neighbours: returns what was released before and may tell on a table of this scope.
    """
    try:
        tables = case.table.tables
    except Unreadable:
        return None
    reader = read_policy(case.policy)
    hierarchies = _turn_over(case.declared.hierarchies)
    rows: set[int] = set()
    parts, because, safe = [], dict[str, None](), True
    for table in tables:
        unsafe = find_unsafe(table, case.policy)
        scope = scope_of(case.template, case.declared, case.run, table.measure)
        try:
            beside = suppress_beside(table, unsafe, reader, scope, neighbours(scope), hierarchies)
        except ValueError:  # values below 0 are not added up by this program
            if unsafe:
                return None
            continue
        rows |= beside.suppression.suppressed
        because |= dict.fromkeys(beside.because_of)
        safe = safe and beside.suppression.is_safe
        parts.append((table, beside.suppression, scope))
    if not parts or (rows and _has_shares(case.declared)):
        return None
    whole = frozenset(rows)
    hidden = tuple((t, replace(s, suppressed=whole), scope) for t, s, scope in parts)
    return Cut(whole, hidden, tuple(because), safe)


def _has_shares(declared: OutputSpec) -> bool:
    """Tell whether parts of wholes are shown: what they leave of them is no table of the file."""
    return any(measure.denominator for measure in declared.measures.values())


def read_policy(policy: Policy) -> Reader:
    """Return what a reader knows of a policy."""
    return Reader(minimum=policy.minimum_count, zeros=policy.zeros == "held")


def scope_of(template: TemplateSpec, declared: OutputSpec, run: RunSpec, measure: str) -> Scope:
    """Return what a table of this run is about.

    Without a declared population, the tables of a template are taken to be of the same persons.
    """
    periodic = {p.from_period: name for name, p in template.parameters.items() if p.from_period}
    first, last = declared.days or (periodic.get("first_day", ""), periodic.get("last_day", ""))
    told = {first, last, *periodic.values()}
    limits = {
        declared.limits.get(name, name): _code(value)
        for name, value in run.parameters.items()
        if name not in told and value not in (None, "", [])
    }
    days = (_day(run.parameters.get(first)), _day(run.parameters.get(last)))
    return Scope(declared.population or f"template {template.name}", measure, *days, limits)


def _code(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(sorted(map(_code, value)))
    return str(value["date"] if isinstance(value, dict) else value)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(_code(value)) if value else None
    except ValueError:
        return None


def _turn_over(parents: Mapping[str, Mapping[str, str]]) -> dict[str, Hierarchy]:
    """Return for each dimension the codes that make up each parent."""
    turned: dict[str, Hierarchy] = {}
    for dimension, of in parents.items():
        children: dict[str, list[str]] = {}
        for child, parent in of.items():
            children.setdefault(parent, []).append(child)
        turned[dimension] = {parent: tuple(found) for parent, found in children.items()}
    return turned


def write_cut(sheet: Sheet, declared: OutputSpec, rows: frozenset[int]) -> bytes:
    """Return the file with empty figures in these rows; what places a row stays."""
    kept = {*declared.dimensions, *declared.labels}
    shown = [column in kept for column in sheet.header]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(sheet.header)
    for number, row in enumerate(sheet.rows):
        if number in rows:
            row = tuple(one if stays else "" for one, stays in zip(row, shown, strict=True))
        writer.writerow(row)
    return text.getvalue().encode()


def tell_cut(case: Case, cut: Cut, checks: Sequence[Check]) -> Iterator[Check]:
    """Yield the checks of a table as it leaves: what is hidden is no reason to wait any more."""
    details = {"cells": len(cut.rows), "of": len(case.table.sheet.rows)}
    if not cut.is_safe:
        yield from checks
        yield case.holds("differencing" if cut.because_of else "suppression", "not_cut", **details)
        return
    yield from (check for check in checks if not _is_curable(check))
    if cut.rows:
        yield case.passes("suppression", "cut", **details)


def describe_releases(case: Case, cut: Cut, request: str, now: datetime) -> Iterator[Release]:
    """Yield what the register keeps of a table that is released so."""
    for table, suppression, scope in cut.parts:
        named = replace(table, name=f"{case.name}.{table.measure}")
        yield describe_release(
            named, suppression, read_policy(case.policy), scope,
            request=request, run=case.run.key, now=now,
        )  # fmt: skip

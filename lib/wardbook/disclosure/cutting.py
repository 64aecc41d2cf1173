"""Tables that only small groups hold back are cut: the rows that could betray one show no figures.

What is cut is chosen for each of a file's tables beside all that was released before, and beside
the run's other tables; a row that one of a file's tables hides is hidden in all of them, for to
hide more never tells more.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
from wardbook.domain.output import Check, OutputKind, Sensitivity, Verdict, verdicts_of
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
        because_of: titles of earlier releases that make more of it necessary.
        is_safe: whether nothing can be worked out any more; otherwise the table is held.
    """

    rows: frozenset[int]
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
    because, safe, judged = dict[str, None](), True, False
    for table in tables:
        unsafe = find_unsafe(table, case.policy)
        scope = scope_of(case.template, case.declared, case.run, table.measure)
        try:
            beside = suppress_beside(table, unsafe, reader, scope, neighbours(scope), hierarchies)
        except ValueError:  # values below 0 are not added up by this program
            if unsafe:
                return None
            continue
        judged = True
        rows |= beside.suppression.suppressed
        because |= dict.fromkeys(beside.because_of)
        safe = safe and beside.suppression.is_safe
    if not judged:
        return None
    # What a part leaves of its whole is no cell of the file: nobody looked whether hiding helps.
    safe = safe and not (rows and _has_shares(case.declared))
    return Cut(frozenset(rows), tuple(because), safe)


@dataclass(frozen=True)
class Leaving:
    """One table of a run as it leaves.

    Args:
        case: the table.
        cut: what it does not show; None where nothing was chosen: it leaves as it is if somebody
            lets it.
        releases: what the register keeps of it.
    """

    case: Case
    cut: Cut | None
    releases: tuple[Release, ...]


def leave_together(
    judged: Sequence[tuple[Case, Sequence[Check]]],
    neighbours: Neighbours,
    now: datetime,
    hidden: Mapping[str, frozenset[int]] | None = None,
) -> Iterator[Leaving]:
    """Yield the tables of one run, each cut beside what left before and beside those before it.

    Those that are not cut come first: if a person lets them out they leave whole, and the others
    must be safe beside that.

    Args:
        judged: the tables with their checks.
        neighbours: returns what was released of other runs.
        now: the moment of the release.
        hidden: the rows that the files hide already; without it, those that are chosen here.
    """
    earlier: list[Release] = []

    def near(scope: Scope) -> Sequence[Release]:
        alike = (scope.population, scope.measure)
        mine = [one for one in earlier if (one.scope.population, one.scope.measure) == alike]
        return [*neighbours(scope), *mine]

    for case, checks in sorted(judged, key=lambda one: may_be_cut(*one)):
        cut = cut_table(case, near) if may_be_cut(case, checks) else None
        if hidden is None:
            rows = cut.rows if cut is not None and cut.is_safe else frozenset[int]()
        else:
            rows = hidden.get(case.name, frozenset())
        releases = tuple(describe_releases(case, rows, now))
        earlier += releases
        yield Leaving(case, cut, releases)


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


def tell_figures(
    cases: Iterable[Case], checks: Sequence[Check], cut: AbstractSet[str]
) -> Iterator[Check]:
    """Yield a run's checks; a picture of a table that does not leave whole waits for a person.

    Args:
        cases: all outputs of the run.
        checks: of all of them, the tables' as they leave.
        cut: names of the tables of which something is hidden.
    """
    drawn = {case.name: case for case in cases if case.declared.drawn_from}
    verdicts = verdicts_of(checks)
    for check in checks:
        case = drawn.get(check.output)
        if case is not None and check.reason in {"figure_from_tables", "figure_from_held"}:
            tables = case.declared.drawn_from
            listed = ", ".join(tables)
            if any(verdicts.get(table) is not Verdict.PASS for table in tables):
                yield case.holds("figure", "figure_from_held", tables=listed)
                continue
            if cut & set(tables):
                yield case.holds("figure", "figure_from_cut", tables=listed)
                continue
        yield check


def describe_releases(case: Case, rows: frozenset[int], now: datetime) -> Iterator[Release]:
    """Yield what the register keeps of a table that is released without the figures of `rows`.

    Sums with parts below 0 are left out: no later table is compared with them.
    """
    try:
        tables = case.table.tables if case.table.is_exact else ()
    except Unreadable:
        return
    for table in tables:
        if any(cell.value < 0 for cell in table.cells):
            continue
        primary = frozenset(find_unsafe(table, case.policy)) & rows
        yield describe_release(
            replace(table, name=f"{case.name}.{table.measure}"),
            Suppression(rows, primary, 0.0),
            read_policy(case.policy),
            scope_of(case.template, case.declared, case.run, table.measure),
            request=case.run.request, run=case.run.key, now=now,
        )  # fmt: skip

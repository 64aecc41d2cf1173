"""Judges a table of patients' data: what is in its file, by the rules, as declared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from wardbook.disclosure.case import Case
from wardbook.disclosure.declared import DeclaredTable
from wardbook.disclosure.policy import publish_count
from wardbook.disclosure.rules import (
    Reason,
    find_unsafe,
    find_unsafe_steps,
    judge_count,
    judge_percentile,
    judge_share,
)
from wardbook.disclosure.sheet import Unreadable
from wardbook.domain.output import Check

_EXTREMES = {"minimum", "maximum"}
_CONTRIBUTED = {"sum", "mean"}


def check_table(case: Case) -> Iterator[Check]:
    """Judge a table from sources that are not public: each rule that fired, or that all passed."""
    try:
        table = case.table
    except Unreadable:
        yield case.refuses("file", "not_a_table")
        return
    most = case.policy.most_rows
    if len(table.sheet.rows) > most:
        yield case.holds("rows", "too_many_rows", rows=len(table.sheet.rows), most=most)
    if case.declared.survival:
        yield from _check_survival(case, table)
    elif case.declared.regression:
        yield from _check_regression(case, table)
    elif table.count_columns or case.declared.measures:
        yield from _check_statistics(case, table)
    else:
        yield case.holds("counts", "cannot_be_counted")
        return
    untold = case.declared.untold_columns
    if untold:
        yield case.holds("columns", "columns_untold", columns=", ".join(untold))


def _check_statistics(case: Case, table: DeclaredTable) -> Iterator[Check]:
    held = [
        *(case.holds("declaration", flaw.reason, **dict(flaw.details)) for flaw in table.flaws),
        *_tell_unsafe(case, table),
        *_check_rounding(case, table),
        *_check_percentiles(case, table),
        *_check_undeclared_contributions(case),
    ]
    yield from held
    yield from _check_extremes(case)
    if not held:
        yield case.passes("counts", "counts_suffice", least=case.policy.minimum_count)
        if any(measure.largest for measure in case.declared.measures.values()):
            yield case.passes("contributions", "nobody_dominates", **_thresholds(case))


def _tell_unsafe(case: Case, table: DeclaredTable) -> Iterator[Check]:
    """Tell for each rule that fired in how many rows; a row counts once for a rule."""
    rows: dict[Reason, set[int]] = defaultdict(set)
    for one in table.tables:
        for position, reasons in find_unsafe(one, case.policy).items():
            for reason in reasons:
                rows[reason].add(position)
    for position, reason in _find_unsafe_shares(case, table):
        rows[reason].add(position)
    values = {"least": case.policy.minimum_count} | _thresholds(case)
    needed = {
        Reason.SMALL_COUNT: ("least",),
        Reason.DOMINANCE: ("rules",),
        Reason.P_RATIO: ("percent",),
    }
    for reason in Reason:
        if rows[reason]:
            details = {key: values[key] for key in needed.get(reason, ())}
            yield case.holds("cells", reason.value, cells=len(rows[reason]), **details)


def _thresholds(case: Case) -> dict[str, object]:
    rules = ", ".join(f"NK({rule.largest}, {rule.share:.2f})" for rule in case.policy.dominance)
    return {"rules": rules or "—", "percent": f"{case.policy.p_ratio * 100:g}"}


def _find_unsafe_shares(case: Case, table: DeclaredTable) -> Iterator[tuple[int, Reason]]:
    if not table.is_exact:
        return
    for column, measure in case.declared.measures.items():
        if not measure.denominator:
            continue
        parts = table.numbers(measure.numerator or column)
        wholes = table.numbers(measure.denominator)
        for position, (part, whole) in enumerate(zip(parts, wholes, strict=True)):
            if part is None or whole is None:
                yield position, Reason.SMALL_COUNT
            else:
                for reason in judge_share(part, whole, case.policy):
                    yield position, reason


def _check_rounding(case: Case, table: DeclaredTable) -> Iterator[Check]:
    """Judge a rounded table: only published numbers, and no margin that narrows them down."""
    if table.is_exact:
        return
    policy = case.policy
    wrong = {
        position
        for column in table.count_columns
        for position, number in enumerate(table.numbers(column))
        if number is not None
        and (number != int(number) or publish_count(int(number), policy) != number)
    }
    if wrong:
        base, redacted = policy.rounding_base, policy.redact_up_to
        yield case.holds("rounding", "not_rounded", cells=len(wrong), base=base, redacted=redacted)
    if table.relations:
        yield case.holds("rounding", "rounded_margins", sums=len(table.relations))


def _check_percentiles(case: Case, table: DeclaredTable) -> Iterator[Check]:
    unsafe = set()
    for column, measure in case.declared.measures.items():
        if measure.percent is not None:
            told = table.sheet.texts(column)
            for position, count in enumerate(table.counts_behind(measure)):
                # An empty cell tells nothing.
                if (
                    told[position]
                    and count
                    and judge_percentile(count, measure.percent, case.policy)
                ):
                    unsafe.add(position)
    if unsafe:
        least = case.policy.beyond_percentile
        yield case.holds("percentiles", "percentiles", cells=len(unsafe), least=least)


def _check_undeclared_contributions(case: Case) -> Iterator[Check]:
    needed = case.policy.contributors
    columns = [
        column
        for column, measure in case.declared.measures.items()
        if measure.statistic in _CONTRIBUTED and len(measure.largest) < needed
    ]
    if columns:
        yield case.holds(
            "contributions", "contributions_untold", columns=", ".join(columns), needed=needed
        )


def _check_extremes(case: Case) -> Iterator[Check]:
    measures = case.declared.measures.items()
    columns = ", ".join(name for name, measure in measures if measure.statistic in _EXTREMES)
    if columns:
        judge = case.refuses if case.policy.extremes == "refuse" else case.holds
        yield judge("extremes", "extremes", columns=columns)


def _check_survival(case: Case, table: DeclaredTable) -> Iterator[Check]:
    survival, policy = case.declared.survival, case.policy
    assert survival is not None  # noqa: S101  the caller looked
    columns = (survival.time, survival.at_risk, survival.events)
    curves: dict[tuple[str, ...], list[tuple[float, float, float]]] = defaultdict(list)
    unreadable = 0
    for place, *step in zip(table.places, *map(table.numbers, columns), strict=True):
        known = [number for number in step if number is not None]
        if len(known) == len(columns):
            curves[place].append((known[0], known[1], known[2]))
        else:
            unreadable += 1
    if unreadable:
        yield case.holds(
            "declaration", "counts_unreadable", column=survival.at_risk, rows=unreadable
        )
    unsafe = 0
    for curve in curves.values():
        _, at_risk, events = zip(*sorted(curve), strict=True)
        unsafe += len(find_unsafe_steps(at_risk, events, policy))
    if unsafe:
        yield case.holds("survival", "survival_steps", steps=unsafe, least=policy.survival_count)
    elif not unreadable:
        yield case.passes("survival", "survival_suffices", least=policy.survival_count)


def _check_regression(case: Case, table: DeclaredTable) -> Iterator[Check]:
    regression, least = case.declared.regression, case.policy.degrees_of_freedom
    assert regression is not None  # noqa: S101  the caller looked
    degrees = table.numbers(regression.degrees_of_freedom)
    few = sum(1 for number in degrees if number is None or number < least)
    if few:
        yield case.holds("regression", "few_degrees", rows=few, least=least)
    counts = table.numbers(case.declared.count) if case.declared.count else ()
    small = sum(1 for count in counts if not count or judge_count(count, case.policy))
    if small:
        least_count = case.policy.minimum_count
        yield case.holds("cells", "small_counts", cells=small, least=least_count)
    if not (few or small):
        yield case.passes("regression", "degrees_suffice", least=least)

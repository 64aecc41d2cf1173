"""The check of a metric before anybody decides: what could not be written, and what is missing.

What cannot be written (a time that is none, two rows for one place, a figure that is no number) is
refused: no approval would help. A series that breaks off waits for a person, who may know why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wardbook.disclosure.case import Case
from wardbook.disclosure.sheet import Sheet, Unreadable, read_sheet
from wardbook.domain.output import Channel, Check
from wardbook.metrics.periods import find_gaps, find_overlaps, read_period

if TYPE_CHECKING:
    from wardbook.template.outputs import OutputSpec

RULE = "series"
LONGEST_CODE = 200
"""Characters of a dimension's code."""
Flaw = tuple[str, dict[str, object]]
"""A reason of topic `check`, with its details."""


def check_series(case: Case) -> Iterator[Check]:
    """Judge a metric as a series; nothing is said of other outputs."""
    if case.declared.channel is not Channel.GRAFANA or case.file is None:
        return
    try:
        sheet = read_sheet(case.file)
    except Unreadable:
        yield case.refuses("file", "not_a_table")
        return
    flaws = list(find_flaws(sheet, case.declared))
    for reason, details in flaws:
        yield case.refuses(RULE, reason, **details)
    if not flaws:
        yield from _check_gaps(case, sheet)


def _check_gaps(case: Case, sheet: Sheet) -> Iterator[Check]:
    periods = {read_period(code) for code in set(sheet.texts(case.declared.time))}
    gaps = find_gaps(period for period in periods if period)
    if not periods:
        yield case.holds(RULE, "period_none")
    elif gaps:
        yield case.holds(RULE, "period_missing", count=gaps.count, day=gaps.first)


def find_flaws(sheet: Sheet, declared: OutputSpec) -> Iterator[Flaw]:
    """Yield why a table cannot become the rows of a series."""
    codes = sheet.texts(declared.time)
    read = {code: read_period(code) for code in set(codes)}
    kinds = Counter(period.kind for code in codes if (period := read[code]))
    kind = max(kinds, key=lambda one: kinds[one]) if kinds else None
    wrong = sum(1 for code in codes if (period := read[code]) is None or period.kind != kind)
    if wrong:
        yield "period_unreadable", {"column": declared.time, "rows": wrong}
        return
    overlaps = find_overlaps(period for period in read.values() if period)
    others = [name for name in declared.dimensions if name != declared.time]
    places = Counter(zip((read[code] for code in codes), sheet.places(others), strict=True))
    repeated = sum(1 if period in overlaps else times - 1 for (period, _), times in places.items())
    if repeated:
        yield "rows_repeat", {"rows": repeated}
    for column in others:
        if long := sum(len(code) > LONGEST_CODE for code in sheet.texts(column)):
            yield "code_too_long", {"column": column, "rows": long, "most": LONGEST_CODE}
    for column in declared.measured_columns:
        texts, numbers = sheet.texts(column), sheet.numbers(column)
        unread = zip(texts, numbers, strict=True)
        if rows := sum(bool(text) and number is None for text, number in unread):
            yield "values_unreadable", {"column": column, "rows": rows}

"""The periods of a metric, the gaps between them, and what cannot become a series."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.unit.test_metric_schema import declare
from wardbook.disclosure.sheet import Sheet
from wardbook.errors import Fault
from wardbook.metrics.checking import find_flaws
from wardbook.metrics.periods import Gaps, find_gaps, read_period
from wardbook.metrics.series import read_series

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ("2026-03-28", "2026-03-27T23:00"),
        ("2026-03-30", "2026-03-29T22:00"),
        ("2026-W12", "2026-03-15T23:00"),
        ("2020-W53", "2020-12-27T23:00"),
        ("2026-07", "2026-06-30T22:00"),
        ("2026-T3", "2026-06-30T22:00"),
        ("2026", "2025-12-31T23:00"),
        ("2026-03-02/2026-03-08", "2026-03-01T23:00"),
        ("2026-07-14T06:00", "2026-07-14T04:00"),
        ("2026-07-14 06:00:30", "2026-07-14T04:00:30"),
        ("2026-07-14T06:00+00:00", "2026-07-14T06:00"),
        ("2026-07-14T06:00Z", "2026-07-14T06:00"),
        ("2026-03-29T02:30", "2026-03-29T01:00"),  # no such hour in Paris: the clocks jumped
        ("2026-10-25T02:30", "2026-10-25T00:30"),  # twice: the first
    ],
)
def test_a_period_begins_in_the_units_zone(code: str, begins: str) -> None:
    period = read_period(code)
    assert period is not None
    assert period.begins(PARIS) == datetime.fromisoformat(begins).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "code",
    [
        *("", " ", "mars", "2026-13", "2026-W54", "2026-02-30", "all", "31/12/2026", "NaT"),
        *("2026-03-08/2026-03-02", "0001-01-01", "9999-12-31", "0001-01-01T00:00", "12:00"),
    ],
)
def test_what_is_no_period_is_none(code: str) -> None:
    assert read_period(code) is None


@pytest.mark.parametrize(
    ("codes", "gaps"),
    [
        ("2026-03-28 2026-03-29 2026-03-30", None),
        ("2026-03-30 2026-03-28 2026-03-29", None),
        ("2026-03-28 2026-03-30", Gaps(1, "2026-03-29")),
        ("2026-03-01 2026-03-03 2026-03-04 2026-03-09", Gaps(2, "2026-03-02")),
        ("2024-02-28 2024-03-01", Gaps(1, "2024-02-29")),
        ("2023-02-28 2023-03-01", None),
        ("2020-W52 2020-W53 2021-W01", None),
        ("2020-W52 2021-W01", Gaps(1, "2020-12-28")),
        ("2026-01 2026-02 2026-03", None),
        ("2026-01 2026-03", Gaps(1, "2026-02-01")),
        ("2026-T4 2027-T1", None),
        ("2024 2026", Gaps(1, "2025-01-01")),
        ("2026-03-28", None),
        ("", None),
        ("2026-03-28T00:00Z 2026-03-28T01:00Z 2026-03-28T02:00Z", None),
        ("2026-03-28T00:00Z 2026-03-28T01:00Z 2026-03-28T03:00Z",
         Gaps(1, "2026-03-28T02:00+00:00")),
        ("2026-10-25T02:00+02:00 2026-10-25T02:00+01:00 2026-10-25T03:00+01:00", None),
    ],
)  # fmt: skip
def test_a_series_that_breaks_off_is_told_with_the_first_day(codes: str, gaps: Gaps | None) -> None:
    periods = [period for code in codes.split() if (period := read_period(code))]
    assert len(periods) == len(codes.split())
    assert find_gaps(periods) == gaps


def sheet(*rows: str) -> Sheet:
    header = ("day", "ward", "beds", "patients", "ward_name")
    return Sheet(header, tuple(tuple(row.split(",")) for row in rows))


@pytest.mark.parametrize(
    ("rows", "flaws"),
    [
        (["2026-03-01,A,10,8,Un", "2026-03-01,B,10,,Deux", "2026-03-02,A,10,7.5,Un"], {}),
        ([",A,10,8,Un", "2026-03-01,A,10,8,Un"], {"period_unreadable": 1}),
        (["all,A,10,8,Un", "2026-03-01,A,10,8,Un"], {"period_unreadable": 1}),
        (["2026-03-01,A,1,2,Un", "2026-03-02,A,1,2,Un", "2026-03-03T00:00,A,1,2,Un"],
         {"period_unreadable": 1}),
        (["2026-03-01,A,10,8,Un", "2026-03-01,A,10,9,Un"], {"rows_repeat": 1}),
        (["2026-03,A,10,8,Un", "2026-03-01,A,10,9,Un"], {"rows_repeat": 1}),
        (["2026-03-01,A,beaucoup,8,Un"], {"values_unreadable": 1}),
        (["2026-03-01,A,inf,8,Un"], {"values_unreadable": 1}),
        ([f"2026-03-01,{'A' * 201},10,8,Un"], {"code_too_long": 1}),
    ],
)  # fmt: skip
def test_what_the_database_could_not_take_is_named_and_never_written(
    rows: list[str], flaws: dict[str, int]
) -> None:
    found = sheet(*rows)
    assert {reason: told["rows"] for reason, told in find_flaws(found, declare())} == flaws
    if flaws:
        with pytest.raises(Fault, match=next(iter(flaws))):
            read_series(found, "tiny", "beds", declare(), PARIS)
    else:
        series = read_series(found, "tiny", "beds", declare(), PARIS)
        assert [row["patients"] for row in series.rows] == [8.0, None, 7.5]
        assert "ward_name" not in series.rows[0]


def test_the_digest_is_of_the_rows_in_whatever_order_they_come() -> None:
    rows = ["2026-03-01,A,10,8,Un", "2026-03-01,B,10,9,Deux", "2026-03-02,A,10,,Un"]
    one, other = (
        read_series(sheet(*each), "tiny", "beds", declare(), PARIS) for each in (rows, rows[::-1])
    )
    assert one.sha256 == other.sha256
    changed = read_series(
        sheet(*rows[:2], "2026-03-02,A,10,7,Un"), "tiny", "beds", declare(), PARIS
    )
    assert changed.sha256 != one.sha256
    assert one.to_csv().decode().splitlines()[3] == "2026-03-01T23:00:00+00:00,A,10.0,"

"""Which stays belong to a ward and a period."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from wardbook.errors import DataProblem
from wardbook.hospital.stays import select_stays

START, END = date(2020, 12, 1), date(2020, 12, 31)


def stay(
    entry: str, exit_: str | None, *, ward: str = "Urologie", organism: str | None = None
) -> dict[str, object]:
    return {
        "ipp": "8000000001",
        "ward": ward,
        "entry": pd.Timestamp(entry),
        "exit": pd.Timestamp(exit_) if exit_ else pd.NaT,
        "organism": organism,
    }


def select(*rows: dict[str, object], ward: str = "Urologie", organism: str | None = None) -> int:
    stays = pd.DataFrame(rows)
    chosen = select_stays(
        stays, ward=ward, start=START, end=END, organism=organism, file="stays.csv"
    )
    return len(chosen)


@pytest.mark.parametrize(
    ("entry", "exit_", "listed"),
    [
        ("2020-12-10T08:00", "2020-12-11T08:00", True),
        ("2020-11-01T08:00", "2021-01-31T08:00", True),
        ("2020-11-01T08:00", "2020-12-01T00:00", True),
        ("2020-11-01T08:00", "2020-11-30T23:59", False),
        ("2020-12-31T23:59", "2021-01-05T08:00", True),
        ("2021-01-01T00:00", "2021-01-05T08:00", False),
        ("2020-11-01T08:00", None, True),
        ("2020-12-31T23:59", None, True),
        ("2021-01-01T00:00", None, False),
        ("2020-12-15T08:00", "2020-12-15T08:00", True),
    ],
)
def test_a_stay_is_listed_if_it_overlaps_the_period(
    entry: str, exit_: str | None, listed: bool
) -> None:
    assert select(stay(entry, exit_)) == listed


def test_only_the_ward_asked_for() -> None:
    rows = stay("2020-12-10", None), stay("2020-12-10", None, ward="Neurologie")
    assert select(*rows) == 1


def test_only_stays_with_the_organism_asked_for() -> None:
    rows = [stay("2020-12-10", None, organism=name) for name in ("SARM", "EPC", None)]
    assert select(*rows, organism="SARM") == 1
    assert select(*rows) == 3


def test_an_unknown_ward_is_a_problem_and_an_empty_period_is_not() -> None:
    with pytest.raises(DataProblem) as caught:
        select(stay("2020-12-10", None), ward="Pneumologie")
    assert caught.value.code == "ward_unknown"
    assert caught.value.details == {"file": "stays.csv", "ward": "Pneumologie"}
    assert select(stay("2019-12-10", "2019-12-11")) == 0


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (date(2020, 12, 2), date(2020, 12, 1), "period_reversed"),
        (date(2020, 10, 1), date(2021, 1, 1), "period_too_long"),
        (date(2020, 10, 1), date(2020, 12, 31), None),
        (date(2020, 12, 1), date(2020, 12, 1), None),
    ],
)
def test_a_period_of_1_to_92_days_is_allowed(start: date, end: date, code: str | None) -> None:
    stays = pd.DataFrame([stay("2020-12-10", None)])
    if code is None:
        select_stays(stays, ward="Urologie", start=start, end=end, file="f")
    else:
        with pytest.raises(DataProblem) as caught:
            select_stays(stays, ward="Urologie", start=start, end=end, file="f")
        assert caught.value.code == code

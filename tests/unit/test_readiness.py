"""Data that are late, incomplete or cannot be true are found before a run; sound data are not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wardbook.datasets.dataset import Column, Dataset, Kind
from wardbook.datasets.finding import HOLDING, Expected, Finding
from wardbook.datasets.readiness import look_at
from wardbook.domain.output import Verdict
from wardbook.messages import LANGUAGES, say

TUBES = Dataset(
    name="tubes",
    row="a tube",
    columns=(
        Column("tube", Kind.INTEGER, "number", low=1),
        Column("ward", Kind.TEXT, "ward"),
        Column("drawn", Kind.MOMENT, "when", low=date(2024, 1, 1)),
        Column("kind", Kind.TEXT, "kind", choices=("EDTA", "dry")),
        Column("index", Kind.NUMBER, "haemolysis index", low=0, high=2000, optional=True),
        Column("rank", Kind.INTEGER, "rank", optional=True),
    ),
    key=("tube",),
    moment="drawn",
    place="ward",
)
NOW = datetime(2024, 7, 1, 6)  # noqa: DTZ001  local, as the data are
EXPECTED = Expected(NOW, oldest=timedelta(days=2))
SECRET = "Dupont-1957"


def tubes(days: int = 182, a_day: int = 4, wards: str = "ABC") -> pd.DataFrame:
    """Four tubes a day and ward, at one hour each, January to June 2024."""
    rng = np.random.default_rng(1)
    count = days * a_day * len(wards)
    day = np.repeat(np.arange(days), a_day * len(wards))
    frame = pd.DataFrame(
        {
            "tube": np.arange(1, count + 1),
            "ward": np.tile(np.repeat(list(wards), a_day), days),
            "drawn": pd.Timestamp("2024-01-01 08:00") + pd.to_timedelta(day, "D"),
            "kind": rng.choice(["EDTA", "dry"], count),
            "index": rng.gamma(2.0, 20.0, count),
            "rank": pd.array(np.ones(count), dtype="Int64"),
        }
    )
    frame["drawn"] = frame["drawn"].astype("datetime64[us]")
    return frame.astype({"ward": "str", "kind": "str"})


def look(frame: pd.DataFrame, expected: Expected = EXPECTED) -> list[Finding]:
    found = list(look_at(TUBES, frame.reset_index(drop=True), "tubes.csv", expected))
    for one in found:
        assert one.verdict is Verdict.REFUSE or one.code in HOLDING
        for language in LANGUAGES:
            told = say(language, f"data.{one.code}", **one.details)
            assert "tubes.csv" in told
            assert SECRET not in told
    return found


def told(frame: pd.DataFrame, expected: Expected = EXPECTED) -> list[tuple[str, str]]:
    return [(str(one.verdict), one.code) for one in look(frame, expected)]


def test_sound_data_pass_without_a_word() -> None:
    assert told(tubes()) == []


def spoil(column: str, value: Any, rows: int) -> pd.DataFrame:
    frame = tubes()
    if value is None:
        frame[column] = frame[column].where(frame.index >= rows)
    else:
        frame.loc[: rows - 1, column] = value
    return frame


@pytest.mark.parametrize(
    ("column", "value", "rows", "found"),
    [
        ("kind", SECRET, 1, ("hold", "values_unknown")),
        ("kind", SECRET, 200, ("refuse", "values_unknown")),
        ("index", 48_000.0, 3, ("hold", "values_impossible")),
        ("index", 48_000.0, 2000, ("refuse", "values_impossible")),
        ("drawn", pd.Timestamp("1957-01-01"), 1, ("hold", "values_impossible")),
        ("tube", 0, 1, ("hold", "values_impossible")),
        ("kind", None, 1, ("refuse", "values_missing")),
    ],
)
def test_values_that_cannot_be_true_are_counted_by_column(
    column: str, value: Any, rows: int, found: tuple[str, str]
) -> None:
    findings = look(spoil(column, value, rows))
    first = next(one for one in findings if one.code == found[1])
    assert (str(first.verdict), first.code) == found
    assert (first.details["column"], first.details["count"]) == (column, rows)


def test_a_key_that_repeats_and_a_type_that_differs_refuse() -> None:
    frame = tubes()
    frame.loc[5, "tube"] = frame.loc[6, "tube"]
    (finding,) = look(frame)
    assert (finding.verdict, finding.code) == (Verdict.REFUSE, "rows_repeated")
    assert finding.details["count"] == 1
    texts = tubes().astype({"index": "str"})
    assert ("refuse", "type_differs") in told(texts)


def test_data_that_are_late_hold() -> None:
    until = tubes()
    until = until[until["drawn"] < "2024-06-20"]
    (finding,) = look(until)
    assert (finding.verdict, finding.code) == (Verdict.HOLD, "data_late")
    assert finding.details["days"] == 10  # wanted to the 29th, there are some to the 19th
    asked = Expected(NOW, oldest=timedelta(days=2), last_day=date(2024, 6, 19))
    assert told(until, asked) == [], "an extract ends with the period that was asked for"
    asked = Expected(NOW, oldest=timedelta(days=2), last_day=date(2024, 6, 21))
    assert told(until, asked) == [("hold", "data_late")]


def test_without_a_refresh_only_an_unheard_of_silence_is_late() -> None:
    until = tubes()
    until = until[until["drawn"] < "2024-06-20"]
    assert told(until, Expected(NOW)) == []
    assert told(until, Expected(NOW, last_day=date(2024, 6, 30))) == [("hold", "data_late")]
    weekly = until[until["drawn"].dt.dayofweek == 0]  # the last is of the 17th
    assert told(weekly, Expected(NOW, last_day=date(2024, 6, 23))) == []


def test_rows_of_the_future_hold() -> None:
    frame = tubes()
    frame.loc[0, "drawn"] = pd.Timestamp("2024-07-20")
    assert ("hold", "values_ahead") in told(frame)


def test_a_place_that_falls_silent_appears_or_pauses_is_told() -> None:
    frame = tubes()
    b, drawn = frame["ward"] == "B", frame["drawn"]
    silent = look(frame[~(b & (drawn >= "2024-05-20"))])
    assert [(str(one.verdict), one.code) for one in silent] == [("hold", "place_silent")]
    assert (silent[0].details["place"], silent[0].details["month"]) == ("B", "2024-05")
    assert told(frame[~(b & (drawn < "2024-03-10"))]) == [("pass", "place_new")]
    paused = look(frame[~(b & (drawn.dt.month == 3))])
    assert [(str(one.verdict), one.code) for one in paused] == [("hold", "place_paused")]
    assert paused[0].details["month"] == "2024-03"
    assert told(frame[~(b & (drawn >= "2024-06-29"))]) == [], "two days of silence are chance"


def test_a_ward_renamed_in_mid_series_is_told_with_both_names() -> None:
    frame = tubes()
    later = (frame["ward"] == "B") & (frame["drawn"] >= "2024-04-02")
    frame["ward"] = frame["ward"].where(~later, "B2")
    (finding,) = look(frame)
    assert (finding.verdict, finding.code) == (Verdict.HOLD, "place_renamed")
    assert (finding.details["place"], finding.details["other"]) == ("B", "B2")
    busier = tubes(wards="ABC", a_day=4)
    moved = (busier["ward"] == "B") & (busier["drawn"] >= "2024-04-02")
    apart = busier[~(moved & (busier["drawn"] < "2024-05-02"))]
    apart = apart.assign(ward=apart["ward"].where(~moved[apart.index], "B2"))
    assert {one.code for one in look(apart)} == {"place_silent", "place_new"}


def test_small_places_are_never_named() -> None:
    frame = tubes()
    frame.loc[:20, "ward"] = SECRET
    assert all(SECRET not in str(one) for one in look(frame))


def test_values_that_lack_in_one_place_are_told() -> None:
    frame = tubes()
    frame["index"] = frame["index"].where(frame["ward"] != "C")
    (finding,) = look(frame)
    assert (finding.verdict, finding.code) == (Verdict.HOLD, "place_incomplete")
    assert (finding.details["place"], finding.details["percent"]) == ("C", 100)
    everywhere = tubes()
    everywhere["index"] = everywhere["index"].where(everywhere.index % 3 > 0)
    assert told(everywhere) == []


def test_a_finding_travels_as_json() -> None:
    finding = Finding(Verdict.HOLD, "data_late", {"column": "drawn", "days": 3})
    assert Finding.from_json(finding.to_json()) == finding

"""Exports of wards, emergency department and laboratory: what is refused, what is counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from wardbook.activity import emergency, laboratory, stays
from wardbook.datasets import find_dataset
from wardbook.errors import DataProblem

NOW = pd.Timestamp("2026-03-10T12:00", tz="UTC")
STAYS = "stay;patient;ward;entered;left"
VISITS = "visit;patient;arrival;departure;triage;outcome"
TESTS = ";".join(laboratory.TESTS)


def write(tmp_path: Path, header: str, *lines: str) -> Path:
    file = tmp_path / "export.csv"
    file.write_text("".join(f"{line}\n" for line in (header, *lines)), encoding="utf-8")
    return file


def sort_stays(tmp_path: Path, *lines: str, known: set[str] | None = None) -> stays.Sorted:
    return stays.sort_out(stays.read_stays(write(tmp_path, STAYS, *lines)), known, NOW)


GOOD = "1;A;W;2026-03-01T10:00;2026-03-02T10:00"


def test_a_sound_export_has_nothing_odd(tmp_path: Path) -> None:
    found = sort_stays(tmp_path, GOOD, "2;A;V;2026-03-02T10:00;", known={"V", "W"})
    assert (len(found.rows), found.odd) == (2, {})


@pytest.mark.parametrize(
    ("line", "reason", "kept"),
    [
        ("2;B;W;2026-03-05T10:00;2026-03-04T10:00", "reversed", 1),
        ("2;B;W;2026-03-10T13:01;", "future", 1),
        ("2;B;X;2026-03-01T10:00;", "ward", 1),
        ("2;B;W;2026-03-01T10:00;2026-04-01T10:00", "future", 2),
        ("2;A;V;2026-03-01T12:00;", "overlap", 2),
        ("2;A;W;2026-03-01T12:00;2026-03-01T13:00", "overlap", 2),
    ],
)
def test_what_is_odd_is_counted(tmp_path: Path, line: str, reason: str, kept: int) -> None:
    found = sort_stays(tmp_path, GOOD, line, known={"V", "W"})
    assert found.odd == {reason: 1}
    assert len(found.rows) == kept


def test_a_planned_end_leaves_the_stay_open(tmp_path: Path) -> None:
    found = sort_stays(tmp_path, "1;A;W;2026-03-01T10:00;2026-04-01T10:00")
    assert found.rows["left"].isna().all()


def test_a_stay_within_a_longer_one_and_one_after_it_overlap_both(tmp_path: Path) -> None:
    found = sort_stays(
        tmp_path,
        "1;A;W;2026-03-01T10:00;2026-03-06T10:00",
        "2;A;V;2026-03-02T10:00;2026-03-03T10:00",
        "3;A;V;2026-03-05T10:00;2026-03-07T10:00",
        "4;A;V;2026-03-07T10:00;",
    )
    assert found.odd == {"overlap": 2}


def test_the_reach_of_an_export(tmp_path: Path) -> None:
    rows = sort_stays(tmp_path, GOOD).rows
    reach = stays.find_reach(rows, date(2026, 3, 2), date(2026, 3, 8), file="f")
    assert reach == stays.Reach(date(2026, 3, 2), late=True, begins_empty=False)
    reach = stays.find_reach(rows, date(2026, 3, 1), date(2026, 3, 2), file="f")
    assert reach == stays.Reach(date(2026, 3, 2), late=False, begins_empty=True)


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        (date(2026, 3, 3), date(2026, 3, 8), "period_without_data"),
        (date(2026, 3, 8), date(2026, 3, 1), "period_reversed"),
        (date(2026, 3, 1), date(2027, 3, 2), "period_too_long"),
    ],
)
def test_a_period_that_cannot_be_shown(
    tmp_path: Path, start: date, end: date, problem: str
) -> None:
    rows = sort_stays(tmp_path, GOOD).rows
    with pytest.raises(DataProblem) as caught:
        stays.find_reach(rows, start, end, file="f")
    assert caught.value.code == problem


def test_a_ward_without_a_row_is_refused(tmp_path: Path) -> None:
    rows = sort_stays(tmp_path, GOOD).rows
    assert len(stays.choose_wards(rows, ["W"], file="f")) == 1
    with pytest.raises(DataProblem, match="V"):
        stays.choose_wards(rows, ["V"], file="f")


@pytest.mark.parametrize(
    ("header", "lines", "problem"),
    [
        (STAYS, (GOOD, GOOD), "key_duplicated"),
        (STAYS.replace(";", ","), ("1,A,W,2026-03-01T10:00,",), "delimiter_wrong"),
        (STAYS, ("1;=A;W;2026-03-01T10:00;",), "text_form"),
        (STAYS, (), "no_rows"),
    ],
)
def test_a_damaged_export_is_refused_whole(
    tmp_path: Path, header: str, lines: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(DataProblem) as caught:
        stays.read_stays(write(tmp_path, header, *lines))
    assert caught.value.code == problem


def test_visits_that_cannot_be_and_visits_that_last(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        VISITS,
        "1;A;2026-03-01T10:00;2026-03-01T12:00;3;8",
        "2;B;2026-03-01T10:00;2026-03-01T09:00;3;8",
        "3;C;2026-03-01T10:00;2026-05-01T09:00;3;8",
        "4;D;2026-03-02T10:00;;;",
    )
    found = emergency.read_emergency(file, NOW)
    assert found.visits is not None
    assert found.visits.odd == {"reversed": 1, "future": 1, "open": 1}
    assert list(found.daily["arrivals"]) == [1, 1]


def test_an_export_without_one_visit_that_can_be_counted_has_no_days(tmp_path: Path) -> None:
    file = write(tmp_path, VISITS, "1;A;2026-03-01T10:00;2026-03-01T09:00;3;8")
    assert emergency.read_emergency(file, NOW).daily.empty


@pytest.mark.parametrize("outcome", ["5", "home"])
def test_an_unknown_outcome_is_refused(tmp_path: Path, outcome: str) -> None:
    file = write(tmp_path, VISITS, f"1;A;2026-03-01T10:00;2026-03-01T12:00;3;{outcome}")
    with pytest.raises(DataProblem) as caught:
        emergency.read_emergency(file, NOW)
    assert caught.value.code == "choice_unknown"


def test_a_daily_sheet_is_read_by_its_header_and_ages_are_not_added_up(tmp_path: Path) -> None:
    rest = ";" * 13
    file = write(
        tmp_path,
        ";".join(emergency.SHEETS[0]),
        f"01;2026-03-01;0;1;100;{rest[1:]}",
        f"01;2026-03-01;A;1;60;{rest[1:]}",
        f"02;2026-03-01;0;1;20;{rest[1:]}",
        f"02;2026-03-02;0;;;{rest[1:]}",
        f"01;2026-03-02;0;1;90;{rest[1:]}",
    )
    found = emergency.read_emergency(file, NOW)
    assert found.visits is None
    assert list(found.daily["arrivals"]) == [120, 90]
    assert found.unreported == 1


def lab_line(number: int, sampled: str, received: str, validated: str, ward: str = "W") -> str:
    times = ";".join(f"2026-03-01T{one}" if one else "" for one in (sampled, received, validated))
    return f"{number};T{number};P{number};{ward};{times};Potassium;;10;0"


def test_tests_that_cannot_be_are_counted(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        TESTS,
        lab_line(1, "10:00", "10:20", "11:00"),
        lab_line(2, "10:30", "10:20", "11:00"),
        lab_line(3, "10:00", "10:20", "10:10"),
        lab_line(4, "10:00", "", "09:50"),
        lab_line(5, "10:00", "10:20", "11:00", ward="X"),
        lab_line(6, "10:00", "10:20", ""),
        lab_line(7, "10:00", "10:20", "11:00").replace("2026-03", "2026-04"),
    )
    found = laboratory.sort_out(laboratory.read_tests(file), {"W"}, NOW)
    assert found.odd == {"reversed": 3, "future": 1, "ward": 1, "open": 1}
    assert list(found.rows["test"].astype(str)) == ["1", "6"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (";10;0", ";1,5;0", "number_invalid"),
        (";10;0", ";10;yes", "choice_unknown"),
        (";;10;0", ";doubtful;10;0", "choice_unknown"),
    ],
)
def test_a_wrong_value_of_a_test_is_refused(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    line = lab_line(1, "10:00", "10:20", "11:00")
    assert len(laboratory.read_tests(write(tmp_path, TESTS, line))) == 1
    with pytest.raises(DataProblem) as caught:
        laboratory.read_tests(write(tmp_path, TESTS, line.replace(old, new)))
    assert caught.value.code == problem


def test_an_extract_of_a_database_reads_as_the_export_does(tmp_path: Path) -> None:
    lines = ("S1;P1;CARD;2026-03-02T10:00;2026-03-04T09:30", "S2;P2;MEDI;2026-03-29T02:30;")
    text = "\n".join((";".join(stays.STAYS), *lines, ""))
    (tmp_path / "stays.csv").write_text(text)
    typed = find_dataset("ward-stays")
    assert typed is not None
    typed.read(tmp_path / "stays.csv").to_parquet(tmp_path / "stays.parquet")
    read = {form: stays.read_stays(tmp_path / f"stays.{form}") for form in ("csv", "parquet")}
    pd.testing.assert_frame_equal(read["csv"], read["parquet"])

    # The control: what is wrong in an extract is found, at the line that it would have in a file.
    wrong = typed.read(tmp_path / "stays.csv").assign(ward=["CARD", "=CARD"])
    wrong.to_parquet(tmp_path / "wrong.parquet")
    with pytest.raises(DataProblem) as problem:
        stays.read_stays(tmp_path / "wrong.parquet")
    assert (problem.value.code, problem.value.details["row"]) == ("text_form", 3)

"""Datasets: a CSV and an extract of one read the same, and what has another form is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import pandas as pd
import pytest

from wardbook.datasets import Column, Dataset, Kind, find_dataset
from wardbook.errors import DataProblem
from wardbook.messages import LANGUAGES, say

DATASET = Dataset(
    "things",
    row="a thing",
    columns=(
        Column("code", Kind.TEXT, "its code"),
        Column("note", Kind.TEXT, "a word on it", optional=True),
        Column("count", Kind.INTEGER, "how many"),
        Column("rank", Kind.INTEGER, "which", optional=True),
        Column("size", Kind.NUMBER, "how large", optional=True, unit="m"),
        Column("day", Kind.DAY, "when"),
        Column("seen", Kind.MOMENT, "when seen", optional=True),
        Column("good", Kind.FLAG, "whether it is good"),
    ),
    key=("code",),
)
HEADER = ";".join(DATASET.names)
GOOD = ("a;;-3;;;2026-01-05;;0", "b;rond;7;2;1.5e-3;2026-01-06;2026-01-06T10:30;1")


def write(folder: Path, *lines: str) -> Path:
    file = folder / "things.csv"
    file.write_text("\n".join((HEADER, *lines, "")), encoding="utf-8")
    return file


def test_each_kind_has_its_type(tmp_path: Path) -> None:
    read = DATASET.read(write(tmp_path, *GOOD))
    assert read.dtypes.astype(str).to_dict() == {
        "code": "str",
        "note": "str",
        "count": "int64",
        "rank": "Int64",
        "size": "float64",
        "day": "datetime64[us]",
        "seen": "datetime64[us]",
        "good": "bool",
    }
    assert read.iloc[1].to_dict() == {
        "code": "b",
        "note": "rond",
        "count": 7,
        "rank": 2,
        "size": 0.0015,
        "day": pd.Timestamp("2026-01-06"),
        "seen": pd.Timestamp("2026-01-06T10:30"),
        "good": True,
    }
    assert read.iloc[0][["note", "rank", "size", "seen"]].isna().all()


def test_an_extract_reads_as_the_file_does(tmp_path: Path) -> None:
    read = DATASET.read(write(tmp_path, *GOOD))
    read.to_parquet(tmp_path / "things.parquet")
    pd.testing.assert_frame_equal(DATASET.read(tmp_path / "things.parquet"), read)
    read.drop(columns="size").to_parquet(tmp_path / "less.parquet")
    with pytest.raises(DataProblem) as problem:
        DATASET.read(tmp_path / "less.parquet")
    assert problem.value.code == "columns_missing"
    assert problem.value.details["column"] == "size"


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        (";;1;;;2026-01-05;;0", "text_form", "code"),
        ("=a;;1;;;2026-01-05;;0", "text_form", "code"),
        ("a;;;;;2026-01-05;;0", "value_missing", "count"),
        ("a;;1.5;;;2026-01-05;;0", "integer_form", "count"),
        ("a;;1;un;;2026-01-05;;0", "integer_form", "rank"),
        ("a;;1;;1,5;2026-01-05;;0", "number_form", "size"),
        ("a;;1;;nan;2026-01-05;;0", "number_form", "size"),
        ("a;;1;;;05/01/2026;;0", "date_form", "day"),
        ("a;;1;;;2026-02-30;;0", "date_impossible", "day"),
        ("a;;1;;;2226-01-05;;0", "date_outside", "day"),
        ("a;;1;;;;;0", "date_form", "day"),
        ("a;;1;;;2026-01-05;2026-01-05;0", "time_form", "seen"),
        ("a;;1;;;2026-01-05;;oui", "choice_unknown", "good"),
    ],
)
def test_another_form_is_refused_by_line_and_column(
    tmp_path: Path, line: str, code: str, column: str
) -> None:
    with pytest.raises(DataProblem) as problem:
        DATASET.read(write(tmp_path, GOOD[1], line))
    found = problem.value
    assert (found.code, found.details["row"], found.details["column"]) == (code, 3, column)
    for language in LANGUAGES:
        assert "things.csv" in say(language, f"data.{code}", **found.details)  # type: ignore[arg-type]


def test_every_declared_dataset_is_found_and_sound() -> None:
    folder = Path(__file__).parents[2] / "lib/wardbook/datasets"
    modules = {file.stem for file in folder.glob("*.py")}
    found = {name: find_dataset(name.replace("_", "-")) for name in modules}
    declared = {name: one for name, one in found.items() if one is not None}
    assert {"ward_stays", "emergency_visits"} <= set(declared)
    for name, one in declared.items():
        assert one.name.replace("-", "_") == name
        assert set(one.key) <= set(one.names)
        assert {one.moment, one.place} <= {"", *one.names}
        assert len(set(one.names)) == len(one.names)
        assert all(column.meaning for column in one.columns)
        if one.moment:
            assert one.column(one.moment).kind in (Kind.DAY, Kind.MOMENT)
    assert find_dataset("hospital-stays") is None


def test_a_problem_tells_the_same_in_another_process() -> None:
    problem = DataProblem("value_missing", file="things.csv", row=3, column="code", count=1)
    other = pickle.loads(pickle.dumps(problem))
    assert (type(other), str(other), other.details) == (DataProblem, str(problem), problem.details)


def test_a_moment_with_its_offset_is_told_in_local_time(tmp_path: Path) -> None:
    line = "a;;1;;;2026-01-05;2026-10-25T00:30Z;0"
    seen = DATASET.read(write(tmp_path, line))["seen"]
    assert seen[0] == pd.Timestamp("2026-10-25T02:30")


def test_files_of_another_form_are_told_apart(tmp_path: Path) -> None:
    assert DATASET.is_form_of(write(tmp_path, *GOOD))
    public = tmp_path / "public.csv"
    public.write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n")
    assert DATASET.is_form_of(public)
    public.write_text("dep;jour;P\n01;2026-01-05;1\n", encoding="utf-8")
    assert not DATASET.is_form_of(public)

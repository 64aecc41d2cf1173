"""Excel workbooks: a sound one reads as CSV does; what Excel has changed is refused in place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

from wardbook.datasets import Column, Dataset, Kind
from wardbook.errors import DataProblem
from wardbook.messages import LANGUAGES, say

TUBES = Dataset(
    "tubes",
    row="a tube",
    columns=(
        Column("code", Kind.TEXT, "its code"),
        Column("index", Kind.NUMBER, "haemolysis", optional=True),
        Column("count", Kind.INTEGER, "how many"),
        Column("day", Kind.DAY, "day"),
        Column("drawn", Kind.MOMENT, "when"),
        Column("pneumatic", Kind.FLAG, "by pneumatic transport"),
    ),
    key=("code",),
)


def at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 1, day, hour, minute)  # noqa: DTZ001  as Excel has it


ROWS: list[list[Any]] = [
    ["007", 12.5, 3, date(2026, 1, 5), at(5, 8, 30), 1],
    ["B", None, 4, date(2026, 1, 6), at(6, 14, 29), 0],
]  # fmt: skip
CSV = "007;12.5;3;2026-01-05;2026-01-05T08:30;1\nB;;4;2026-01-06;2026-01-06T14:29;0\n"


def write(folder: Path, change: Callable[[Any], object] = lambda _: None) -> Path:
    book = Workbook()
    sheet = book.active
    for row in (list(TUBES.names), *ROWS):
        sheet.append(row)
    change(sheet)
    book.create_sheet("others").append(["not", "looked", "at"])
    file = folder / "tubes.xlsx"
    book.save(file)
    return file


def test_a_workbook_reads_as_the_same_csv_does(tmp_path: Path) -> None:
    csv = tmp_path / "tubes.csv"
    csv.write_text(";".join(TUBES.names) + "\n" + CSV)
    pd.testing.assert_frame_equal(TUBES.read(write(tmp_path)), TUBES.read(csv))


def put(place: str, value: Any) -> Callable[[Any], object]:
    def change(sheet: Any) -> None:
        sheet[place] = value
        if isinstance(value, int):
            sheet[place].number_format = "General"  # else the date's format stays

    return change


BAD: list[tuple[Callable[[Any], object], str, dict[str, Any]]] = [
    (put("B3", "12,5"), "cell_not_number", {"row": 3, "column": "index"}),
    (put("C2", "3"), "cell_not_number", {"row": 2, "column": "count"}),
    (put("C2", 2.5), "integer_form", {"row": 2, "column": "count"}),
    (put("D2", "05/01/2026"), "cell_not_date", {"row": 2, "column": "day"}),
    (put("D3", 46_000), "cell_not_date", {"row": 3, "column": "day"}),
    (put("D3", at(6, 1, 0)), "cell_not_date", {"row": 3, "column": "day"}),
    (put("E2", "2026-01-05 08:30"), "cell_not_date", {"row": 2, "column": "drawn"}),
    (put("A2", 7), "cell_not_text", {"row": 2, "column": "code"}),
    (put("C2", "=1+2"), "cell_formula", {"row": 2, "column": "count"}),
    (put("C2", None), "value_missing", {"row": 2, "column": "count"}),
    (put("F2", 2), "choice_unknown", {"row": 2, "column": "pneumatic"}),
    (put("G3", "x"), "fields_count", {"row": 3}),
    (put("A1", "Code"), "columns_renamed", {"position": 1}),
    (lambda sheet: sheet.merge_cells("A2:A3"), "cells_merged", {"row": 2}),
    (lambda sheet: sheet.delete_rows(2, 2), "no_rows", {}),
    (lambda sheet: sheet.delete_rows(1, 3), "file_empty", {}),
]


@pytest.mark.parametrize(("change", "code", "place"), BAD, ids=[code for _, code, _ in BAD])
def test_what_excel_changed_is_refused_with_its_place(
    change: Callable[[Any], object], code: str, place: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(DataProblem) as caught:
        TUBES.read(write(tmp_path, change))
    assert caught.value.code == code
    assert place.items() <= caught.value.details.items()
    for language in LANGUAGES:
        assert "tubes.xlsx" in say(language, f"data.{code}", **caught.value.details)


def test_rows_are_those_of_the_sheet(tmp_path: Path) -> None:
    def move(sheet: Any) -> None:
        sheet.insert_rows(1, 2)
        sheet["C5"] = "four"

    with pytest.raises(DataProblem) as caught:
        TUBES.read(write(tmp_path, move))
    assert caught.value.details["row"] == 5


def test_latin_1_and_what_is_no_workbook_are_refused_with_words(tmp_path: Path) -> None:
    csv = tmp_path / "tubes.csv"
    csv.write_bytes((";".join(TUBES.names) + "\n" + CSV.replace("B", "é")).encode("latin-1"))
    for file, code in ((csv, "not_utf8"), (tmp_path / "broken.xlsx", "file_unreadable")):
        if not file.exists():
            file.write_bytes(b"PK\x03\x04 broken")
        with pytest.raises(DataProblem) as caught:
            TUBES.read(file)
        assert caught.value.code == code

"""Released CSV files as readable tables."""

import pytest

from wardbook.report.problem import ReportProblem
from wardbook.report.tables import (
    MOST_ROWS,
    Column,
    declared_kinds,
    find_row_head,
    mark_cut,
    read_table,
)
from wardbook.report.voice import Voice
from wardbook.template.outputs import OutputSpec

THIN = "\u202f"


def read_column(*cells: str, language="fr") -> tuple[Column, list[str]]:
    lines = "\n".join(f'"{cell}",x' for cell in cells)
    table = read_table(
        f"a,b\n{lines}\n".encode(), {"a": "A", "b": "B"}, name="t", voice=Voice(language)
    )
    return table.columns[0], [row[0] for row in table.rows]


@pytest.mark.parametrize(
    ("language", "cells", "kind", "shown"),
    [
        ("fr", ["1234567", "-8"], "number", [f"1{THIN}234{THIN}567", "-8"]),
        ("en", ["1234567", "-8"], "number", ["1,234,567", "-8"]),
        ("fr", ["2.5", "10"], "number", ["2,5", "10,0"]),
        ("en", ["2.5", "10"], "number", ["2.5", "10.0"]),
        ("fr", ["3.0", "4.0"], "number", ["3", "4"]),
        ("fr", ["1e-05", "0.5"], "number", ["0,00001", "0,50000"]),
        ("fr", ["0.30000000000000004"], "number", ["0,300000"]),
        ("fr", ["2020", "2021"], "number", ["2020", "2021"]),
        ("fr", ["9999", "10000"], "number", [f"9{THIN}999", f"10{THIN}000"]),
        ("fr", ["12", ""], "number", ["12", "–"]),
        ("fr", ["01", "02"], "text", ["01", "02"]),
        ("fr", ["75", "2A"], "text", ["75", "2A"]),
        ("fr", ["1", "inf"], "text", ["1", "inf"]),
        ("fr", ["", ""], "text", ["–", "–"]),
        ("fr", ["2021-01-08", ""], "date", ["8 janv. 2021", "–"]),
        ("en", ["2021-01-08"], "date", ["8 Jan 2021"]),
        ("fr", ["2021-01-08 07:05:00"], "date", ["8 janv. 2021 07:05"]),
        ("fr", ["2021-02-30"], "text", ["2021-02-30"]),
        ("fr", ["True", "False"], "text", ["oui", "non"]),
        ("fr", ["True", "vrai"], "text", ["True", "vrai"]),
    ],
)
def test_a_column_is_written_in_the_language(language, cells, kind, shown):
    assert read_column(*cells, language=language) == (Column("A", kind), shown)


def test_the_kind_is_decided_on_rows_that_are_not_shown_too():
    table = read_table(b"a\n1\n2\n2A\n", {"a": "A"}, name="t", voice=Voice("fr"), rows=2)
    assert (table.columns[0].kind, table.rows, table.total) == ("text", (("1",), ("2",)), 3)


def test_a_page_bears_only_so_many_rows():
    content = b"a\n" + b"x\n" * (MOST_ROWS + 1)
    for rows in (None, 10 * MOST_ROWS):
        table = read_table(content, {"a": "A"}, name="t", voice=Voice("fr"), rows=rows)
        assert (len(table.rows), table.total) == (MOST_ROWS, MOST_ROWS + 1)


def test_a_table_without_rows_keeps_its_columns():
    table = read_table(b"a,b\n", {"a": "A", "b": "B"}, name="t", voice=Voice("fr"))
    assert ([c.label for c in table.columns], table.rows, table.total) == (["A", "B"], (), 0)


@pytest.mark.parametrize("content", [b"", b"b,a\n1,2\n", b"a\n1\n", b"a,b,c\n1,2,3\n"])
def test_another_header_than_declared_is_refused(content):
    with pytest.raises(ReportProblem, match=r"table 't'.*declared columns"):
        read_table(content, {"a": "A", "b": "B"}, name="t", voice=Voice("fr"))


def test_a_short_row_is_refused_with_its_number_and_without_its_value():
    with pytest.raises(ReportProblem, match="row 3") as refusal:
        read_table(b"a,b\n1,2\nDUPONT\n", {"a": "A", "b": "B"}, name="t", voice=Voice("fr"))
    assert "DUPONT" not in str(refusal.value)


def test_a_file_in_another_encoding_is_refused_without_its_content():
    with pytest.raises(ReportProblem, match="not CSV in UTF-8") as refusal:
        read_table("a\nRÉA\n".encode("latin-1"), {"a": "A"}, name="t", voice=Voice("fr"))
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(("language", "mark"), [("fr", "masqué"), ("en", "withheld")])
def test_what_was_cut_is_told_from_what_is_missing(language, mark):
    voice = Voice(language)
    labels = {"ward": "W", "n": "N", "sum": "S"}
    read = read_table(b"ward,n,sum\nA,12,\nB,,\nC,,\n", labels, name="t", voice=voice, rows=2)
    shown = mark_cut(read, {1, 2}, [1, 2], voice)
    assert shown.rows == (("A", "12", "–"), ("B", mark, mark))
    assert shown.columns == read.columns, "numbers stay numbers"
    assert shown.withheld == 4, "those of rows that only the file has count too"
    assert mark_cut(read, set(), [1, 2], voice) == read


DECLARED = {
    "kind": "table",
    "title": {"fr": "T", "en": "T"},
    "sensitivity": "internal",
    "channel": "site",
    "columns": {
        name: {"fr": name, "en": name} for name in ("week", "ward", "label", "n", "sum", "free")
    },
    "dimensions": ["week", "ward"],
    "time": "week",
    "labels": {"label": "ward"},
    "count": "n",
    "measures": {"sum": {"statistic": "sum"}},
}


def read_declared(row: str):
    spec = OutputSpec.model_validate(DECLARED)
    labels = dict.fromkeys(spec.columns, "x")
    content = f"{','.join(spec.columns)}\n{row}\n".encode()
    kinds = declared_kinds(spec)
    return read_table(content, labels, name="t", voice=Voice("fr"), kinds=kinds)


@pytest.mark.parametrize(
    ("row", "kinds", "shown"),
    [
        # Codes that are numbers are no quantities; what counts is one, even with nothing left.
        ("2021-01-08,12,34,5,,7", "date text text number number number", "8 janv. 2021|12|34"),
        ("2021-W03,12,A,5,6,a", "text text text number number text", "2021-W03|12|A"),
        ("2021,True,x,5,1.50,", "text text text number number text", "2021|oui|x"),
        # A cell that is not what was declared is written as it stands.
        ("2021-01-08,1,2,n/a,6,1", "date text text text number number", "8 janv. 2021|1|2|n/a"),
    ],
)
def test_the_declaration_decides_on_the_kind_of_a_column(row, kinds, shown):
    table = read_declared(row)
    assert [column.kind for column in table.columns] == kinds.split()
    assert "|".join(table.rows[0]).startswith(shown)


def test_without_a_declaration_the_cells_decide():
    assert read_column("12", "13")[0].kind == "number"
    assert read_column("2021")[0].kind == "number"


def test_a_date_keeps_what_it_is_sorted_by():
    table = read_declared("2021-01-08,1,2,3,4,5")
    assert [table.moment(0, column) for column in (0, 1)] == ["2021-01-08", ""]


def test_what_names_a_row_is_a_label_or_a_dimension_that_is_no_time():
    def head(**changes) -> int:
        return find_row_head(OutputSpec.model_validate(DECLARED | changes))

    assert head() == 2
    assert head(labels={}) == 1
    assert head(labels={}, dimensions=["week"]) == 0

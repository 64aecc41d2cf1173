"""A released table as a workbook: the same figures, nothing that runs, nothing beside them."""

import io
import re
import zipfile
from datetime import datetime

import pytest
from openpyxl import load_workbook

from tests.sample_report import make_run
from wardbook.artefacts import Ground
from wardbook.artefacts.deliverable import check_report_folder
from wardbook.artefacts.read import read_artefact
from wardbook.domain.output import OutputKind, Verdict
from wardbook.report.problem import ReportProblem
from wardbook.report.workbook import add_workbooks, is_workbook_of, write_workbook
from wardbook.template.outputs import OutputSpec

SPEC = OutputSpec.model_validate(
    {
        "kind": "table",
        "title": {"fr": "Séjours", "en": "Stays"},
        "sensitivity": "internal",
        "channel": "site",
        "columns": {
            "day": {"fr": "Jour", "en": "Day"},
            "ward": {"fr": "Unité", "en": "Ward"},
            "name": {"fr": "Nom", "en": "Name"},
            "n": {"fr": "Séjours", "en": "Stays"},
            "rate": {"fr": "Pour 100 000 & plus", "en": "Per 100,000"},
        },
        "dimensions": ["day", "ward"],
        "time": "day",
        "labels": {"name": "ward"},
        "count": "n",
        "measures": {"rate": {"statistic": "ratio", "numerator": "n", "denominator": "n"}},
    }
)
ROWS = "2021-01-08,01,=1+1,12345,3.5\n2021-01-09,02,<b> & é,,1e-05\n"
TABLE = f"day,ward,name,n,rate\n{ROWS}".encode()


def make(content: bytes = TABLE, language="fr") -> bytes:
    return write_workbook(content, SPEC, name="stays", language=language)


def cells(content: bytes, sheet: int = 0) -> list[list]:
    book = load_workbook(io.BytesIO(content))
    rows = book.worksheets[sheet].iter_rows(values_only=True)
    return [[str(cell) if isinstance(cell, datetime) else cell for cell in row] for row in rows]


def test_figures_are_figures_days_are_days_and_text_is_text():
    assert cells(make()) == [
        ["Jour", "Unité", "Nom", "Séjours", "Pour 100 000 & plus"],
        ["2021-01-08 00:00:00", "01", "=1+1", 12345, 3.5],
        ["2021-01-09 00:00:00", "02", "<b> & é", None, 1e-05],
    ]


def test_the_second_sheet_tells_what_the_columns_are():
    told = cells(make(language="en"), 1)
    assert told[0] == ["Column", "Name in the CSV file", "What it holds"]
    assert told[1:6] == [
        ["Day", "day", "Date or period"],
        ["Ward", "ward", "Category"],
        ["Name", "name", "Label of “Ward”"],
        ["Stays", "n", "Count"],
        ["Per 100,000", "rate", "Ratio: Stays / Stays"],
    ]
    assert told[6][0] == "Stays"
    assert "not shown, to protect persons" in told[6][2]


def test_what_a_spreadsheet_would_change_stays_text():
    table = b"day,ward,name,n,rate\n1899-05-01,1,x,1234567890123456,2\n"
    assert cells(make(table))[1][:4] == ["1899-05-01", "1", "x", "1234567890123456"]
    moments = b"day,ward,name,n,rate\n2021-01-08 07:05:00,1,x,3,2\n"
    assert cells(make(moments))[1][0] == "2021-01-08 07:05:00"


def test_what_no_workbook_bears_is_no_broken_workbook():
    table = f"day,ward,name,n,rate\n2021-01-08,1,\x0b{'x' * 40_000},3,2\n".encode()
    text = cells(make(table))[1][2]
    assert (len(text), text[0], text[-1]) == (32_767, "\ufffd", "…")


def test_the_same_table_gives_the_same_bytes_without_a_date_or_an_author():
    assert make() == make()
    assert make() != make(TABLE.replace(b"3.5", b"3.6"))
    with zipfile.ZipFile(io.BytesIO(make())) as package:
        assert {part.date_time for part in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        about = package.read("docProps/core.xml").decode()
    assert "<dc:creator></dc:creator>" in about
    assert set(re.findall(r"\d{4}-[^<]*", about)) == {"1980-01-01T00:00:00Z"}


def test_an_empty_table_keeps_its_head():
    assert cells(make(b"day,ward,name,n,rate\n"))[0][0] == "Jour"


def test_a_table_that_is_not_the_declared_one_is_refused():
    with pytest.raises(ReportProblem, match="declared columns"):
        make(b"a,b\n1,2\n")


def test_whoever_reads_a_workbook_as_a_stranger_finds_the_table_and_no_problem():
    reading = read_artefact("stays.xlsx", make())
    assert (reading.form, reading.problems) == ("xlsx", ())
    assert reading.grids[0].header == ("Jour", "Unité", "Nom", "Séjours", "Pour 100 000 & plus")
    assert reading.grids[0].rows[0][1:] == ("01", "=1+1", "12345", "3.5")


def change(content: bytes, part: str, old: str, new: str) -> bytes:
    """The same package with one part changed."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for one in source.infolist():
            text = source.read(one).decode()
            assert one.filename != part or old in text
            target.writestr(one, text.replace(old, new) if one.filename == part else text)
    return changed.getvalue()


@pytest.fixture(params=[True, False], ids=["public", "patients"])
def ground(request):
    return Ground(public=request.param)


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


def verdicts(run, folder, ground) -> dict[str, Verdict]:
    checks = check_report_folder("page", folder, run.template.spec, "fr", ground)
    return {check.reason: check.verdict for check in checks}


def test_a_report_with_the_workbooks_of_its_tables_is_clean(run, ground):
    folder = run.render(beside=frozenset({"xlsx"}))
    add_workbooks(folder, run.template, "fr")
    assert (folder / "tables/stays.xlsx").is_file()
    assert verdicts(run, folder, ground) == {"artefact.clean": Verdict.PASS}


CHANGES = [
    ("xl/worksheets/sheet1.xml", "<v>12345</v>", "<v>12346</v>"),
    ("xl/worksheets/sheet1.xml", "<v>12345</v>", "<f>1+1</f><v>12345</v>"),
    ("xl/sharedStrings.xml", "Service", "Jean DUPONT"),
    ("xl/workbook.xml", 'sheetId="2"', 'sheetId="2" state="hidden"'),
    ("xl/styles.xml", "Calibri", "Arial"),
]


@pytest.mark.parametrize(("part", "old", "new"), CHANGES)
def test_a_workbook_that_was_changed_is_refused(run, ground, part, old, new):
    folder = run.render()
    add_workbooks(folder, run.template, "fr")
    file = folder / "tables/stays.xlsx"
    file.write_bytes(change(file.read_bytes(), part, old, new))
    assert verdicts(run, folder, ground)["artefact.disguised"] is Verdict.REFUSE


def test_a_table_that_was_changed_has_another_workbook(run, ground):
    folder = run.render()
    add_workbooks(folder, run.template, "fr")
    table = folder / "tables/stays.csv"
    table.write_bytes(table.read_bytes().replace(b"12345", b"12346"))
    assert verdicts(run, folder, ground)["artefact.disguised"] is Verdict.REFUSE


@pytest.mark.parametrize("name", ["other.xlsx", "stays.xlsx"])
def test_a_workbook_of_no_table_is_refused(run, ground, name):
    run.released = [one for one in run.released if one.kind is not OutputKind.TABLE]
    folder = run.render()
    (folder / "tables").mkdir()
    (folder / "tables" / name).write_bytes(make())
    assert not is_workbook_of(folder / "tables" / name, run.template.spec, "fr")
    assert verdicts(run, folder, ground)["artefact.disguised"] is Verdict.REFUSE

"""A released CSV file as a workbook (XLSX) for those who go on working with its figures.

The same file and the same declaration give the same bytes, so whoever has both can tell that a
workbook shows the checked table and nothing else. There is no formula in it, no date of its making
and no author: text stays text, whatever it begins with.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.files import hash_file, write_atomically
from wardbook.messages import Language
from wardbook.report.problem import ReportProblem
from wardbook.report.released import TABLES
from wardbook.report.tables import TRUTHS, ColumnKind, declared_kinds, find_kind, read_rows
from wardbook.report.voice import Voice
from wardbook.template.outputs import OutputSpec
from wardbook.template.spec import Template, TemplateSpec

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

SUFFIX = ".xlsx"
_MOST_LINES = 1_048_576

_LONGEST = 32_767
"""Characters that a cell bears; a longer text ends in an ellipsis."""
_EXACT_DIGITS = 15
"""A spreadsheet rounds whole numbers with more digits: they are written as text."""
_FIRST_DAY = date(1900, 3, 1)
"""Before it, spreadsheets count a day that never was."""
_MADE = datetime(1980, 1, 1, tzinfo=UTC)
"""The format asks when a file was made; always the same moment."""
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WIDTHS: dict[ColumnKind, int] = {"number": 16, "date": 13, "text": 24}

_Write = Callable[[int, int, str], None]


def add_workbooks(folder: Path, template: Template, language: Language) -> None:
    """Write the workbook of each table of a rendered report beside its CSV file.

    Raises:
        ReportProblem: a table is not CSV with the declared columns.
    """
    for file in sorted((folder / TABLES).glob("*.csv")):
        spec, table = template.spec.outputs[file.stem], file.read_bytes()
        if fits_workbook(table):
            content = write_workbook(table, spec, name=file.stem, language=language)
            write_atomically(file.with_suffix(SUFFIX), content)
            _made[_of_what(table, spec, language)] = _digest(content)
            if len(_made) > _MOST_MADE:
                _made.popitem(last=False)


def fits_workbook(table: bytes) -> bool:
    """Tell whether a sheet bears the rows of a CSV file."""
    return table.count(b"\n") <= _MOST_LINES


_made: OrderedDict[tuple[str, str, str], str] = OrderedDict()
"""Digests of what this process made, by table, declaration and language: the same bytes again."""
_MOST_MADE = 256


def is_workbook_of(file: Path, spec: TemplateSpec, language: Language) -> bool:
    """Tell whether a file is, byte for byte, the workbook of the table beside it."""
    table, declared = file.with_suffix(".csv"), spec.outputs.get(file.stem)
    if declared is None or not table.is_file():
        return False
    content = table.read_bytes()
    known = _made.get(_of_what(content, declared, language))
    try:
        made = known or _digest(
            write_workbook(content, declared, name=file.stem, language=language)
        )
    except ReportProblem:
        return False
    return hash_file(file) == made


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _of_what(table: bytes, spec: OutputSpec, language: Language) -> tuple[str, str, str]:
    return _digest(table), _digest(spec.model_dump_json().encode()), language


def write_workbook(content: bytes, spec: OutputSpec, *, name: str, language: Language) -> bytes:
    """Return the workbook of a table: its rows, and a sheet that tells what its columns are.

    Numbers and days are numbers and days, so that they sort and add up; moments, weeks and codes
    are text. An empty cell stays empty: the second sheet says what that may mean.

    Args:
        content: the released CSV file.
        spec: what the template declares of the table.
        name: of the table, for messages.
        language: of the labels.

    Raises:
        ReportProblem: the file is not CSV with the declared columns.
    """
    rows = read_rows(content, list(spec.columns), name=name)
    voice, declared = Voice(language), declared_kinds(spec)
    columns = list(zip(*rows, strict=True)) or [()] * len(spec.columns)
    kinds = [
        find_kind(cells, declared.get(column))
        for column, cells in zip(spec.columns, columns, strict=True)
    ]
    labels = [label.in_language(language) for label in spec.columns.values()]
    packed = io.BytesIO()
    # Imported when there is a table to write: what only reads reports stays quick.
    from xlsxwriter import Workbook

    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(
        packed, {"in_memory": True, "default_date_format": "yyyy-mm-dd", **plain}
    ) as book:
        book.set_properties({"created": _MADE})
        _write_data(book, voice.say("report.sheet_data"), labels, kinds, columns)
        _write_told(book, voice.say("report.sheet_columns"), describe_columns(spec, voice))
    return packed.getvalue()


def describe_columns(spec: OutputSpec, voice: Voice) -> list[tuple[str, ...]]:
    """Return the second sheet: a head, a row for each column, and what holds for all of them."""
    title = spec.title.in_language(voice.language)
    head = tuple(voice.say(f"report.sheet_{part}") for part in ("label", "name", "role"))
    rows = [
        (label.in_language(voice.language), column, _tell_role(column, spec, voice))
        for column, label in spec.columns.items()
    ]
    return [head, *rows, (title, "", voice.say("report.sheet_note"))]


def _tell_role(column: str, spec: OutputSpec, voice: Voice) -> str:
    def label(name: str) -> str:
        found = spec.columns.get(name)
        return found.in_language(voice.language) if found else name

    measure = spec.measures.get(column)
    if column == spec.time:
        return voice.say("report.role_time")
    if column in spec.dimensions:
        return voice.say("report.role_dimension")
    if column in spec.labels:
        return voice.say("report.role_label", column=label(spec.labels[column]))
    if column == spec.count or (measure is not None and measure.statistic == "count"):
        return voice.say("report.role_count")
    if measure is None:
        return voice.say("report.role_other")
    if measure.statistic == "ratio":
        parts = {"over": label(measure.numerator), "under": label(measure.denominator)}
        return voice.say("report.role_ratio", **parts)
    if measure.percent is not None:
        return voice.say("report.role_percentile", percent=f"{measure.percent:g}")
    return voice.say(f"report.role_{measure.statistic}")


def _write_data(
    book: Workbook,
    title: str,
    labels: Sequence[str],
    kinds: Sequence[ColumnKind],
    columns: Sequence[Sequence[str]],
) -> None:
    sheet = _add_sheet(book, title, labels, [_WIDTHS[kind] for kind in kinds])
    for place, (kind, cells) in enumerate(zip(kinds, columns, strict=True)):
        write = _writer(sheet, kind, cells)
        for row, cell in enumerate(cells, 1):
            if cell:
                write(row, place, cell)


def _write_told(book: Workbook, title: str, rows: Sequence[Sequence[str]]) -> None:
    sheet = _add_sheet(book, title, rows[0], (48, 28, 60))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for row, texts in enumerate(rows[1:], 1):
        for place, text in enumerate(texts):
            if text:
                sheet.write_string(row, place, _bearable(text), wrapped)


def _add_sheet(book: Workbook, title: str, head: Sequence[str], widths: Sequence[int]) -> Worksheet:
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for place, (label, width) in enumerate(zip(head, widths, strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, _bearable(label), bold)
    return sheet


def _writer(sheet: Worksheet, kind: ColumnKind, cells: Sequence[str]) -> _Write:
    def text(row: int, place: int, cell: str) -> None:
        sheet.write_string(row, place, _bearable(cell))

    def number(row: int, place: int, cell: str) -> None:
        if len(cell) > _EXACT_DIGITS and cell.lstrip("-").isdecimal():
            text(row, place, cell)
        else:
            sheet.write_number(row, place, float(cell))

    def day(row: int, place: int, cell: str) -> None:
        if len(cell) > len("2021-01-08") or (moment := date.fromisoformat(cell)) < _FIRST_DAY:
            text(row, place, cell)
        else:
            sheet.write_datetime(row, place, moment)

    def truth(row: int, place: int, cell: str) -> None:
        sheet.write_boolean(row, place, cell == "True")

    if kind == "text" and set(cells) - {""} and set(cells) <= TRUTHS | {""}:
        return truth
    return {"number": number, "date": day, "text": text}[kind]


def _bearable(text: str) -> str:
    """Return a text as a cell bears it, with line breaks as workbooks have them."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 1]}…"
    return _NO_XML.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))

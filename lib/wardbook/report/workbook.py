"""A released CSV file as a workbook (XLSX) for those who go on working with its figures.

The same file and the same declaration give the same bytes, so whoever has both can tell that a
workbook shows the checked table and nothing else. There is no formula in it, no date of its making
and no author: text stays text, whatever it begins with.

Written part by part (ISO/IEC 29500): openpyxl writes 80,000 cells a second, this 400,000, the
epidemic report has 770,000; and openpyxl stamps the time of writing into the file.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from pathlib import Path

from wardbook.files import write_atomically
from wardbook.messages import Language
from wardbook.report.problem import ReportProblem
from wardbook.report.released import TABLES
from wardbook.report.tables import TRUTHS, ColumnKind, declared_kinds, find_kind, read_rows
from wardbook.report.voice import Voice
from wardbook.template.outputs import OutputSpec
from wardbook.template.spec import Template, TemplateSpec

SUFFIX = ".xlsx"
_MOST_LINES = 1_048_576

_LONGEST = 32_767
"""Characters that a cell bears; a longer text ends in an ellipsis."""
_EXACT_DIGITS = 15
"""A spreadsheet rounds whole numbers with more digits: they are written as text."""
_FIRST_DAY = date(1900, 3, 1)
"""Before it, spreadsheets count a day that never was."""
_DAY_ZERO = date(1899, 12, 30).toordinal()
_MOMENT = (1980, 1, 1, 0, 0, 0)
_PLAIN, _HEAD, _DATE, _WRAPPED = range(4)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WIDTHS: dict[ColumnKind, int] = {"number": 16, "date": 13, "text": 24}

_SPACE = "http://schemas.openxmlformats.org"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET = f'{_XML}<worksheet xmlns="{_SPACE}/spreadsheetml/2006/main">'
_FREEZE = (
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
    'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
)
_XF = 'xf numFmtId="{}" fontId="{}" fillId="0" borderId="0"'
_WRAP = '<alignment vertical="top" wrapText="1"/></xf>'
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_SPACE}/spreadsheetml/2006/main">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    f'<cellStyleXfs count="1"><{_XF.format(0, 0)}/></cellStyleXfs><cellXfs count="4">'
    f'<{_XF.format(0, 0)} xfId="0"/>'
    f'<{_XF.format(0, 1)} xfId="0" applyFont="1" applyAlignment="1">{_WRAP}'
    f'<{_XF.format(14, 0)} xfId="0" applyNumberFormat="1"/>'
    f'<{_XF.format(0, 0)} xfId="0" applyAlignment="1">{_WRAP}</cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_TYPES = (
    f'{_XML}<Types xmlns="{_SPACE}/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    + "".join(
        f'<Override PartName="/xl/{part}.xml" '
        f'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"/>'
        for part, kind in (
            ("workbook", "sheet.main"),
            ("styles", "styles"),
            ("worksheets/sheet1", "worksheet"),
            ("worksheets/sheet2", "worksheet"),
        )
    )
    + "</Types>"
)


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


def fits_workbook(table: bytes) -> bool:
    """Tell whether a sheet bears the rows of a CSV file."""
    return table.count(b"\n") <= _MOST_LINES


def is_workbook_of(file: Path, spec: TemplateSpec, language: Language) -> bool:
    """Tell whether a file is, byte for byte, the workbook of the table beside it."""
    table, declared = file.with_suffix(".csv"), spec.outputs.get(file.stem)
    if declared is None or not table.is_file():
        return False
    try:
        made = write_workbook(table.read_bytes(), declared, name=file.stem, language=language)
    except ReportProblem:
        return False
    return file.read_bytes() == made


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
    told = describe_columns(spec, voice)
    sheets = (voice.say("report.sheet_data"), voice.say("report.sheet_columns"))
    return _pack(
        {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": _book(sheets),
            "xl/_rels/workbook.xml.rels": _relations(
                ("worksheet", "worksheets/sheet1.xml"),
                ("worksheet", "worksheets/sheet2.xml"),
                ("styles", "styles.xml"),
            ),
            "xl/styles.xml": _STYLES,
            "xl/worksheets/sheet1.xml": _data_sheet(labels, kinds, columns),
            "xl/worksheets/sheet2.xml": _text_sheet(told),
        }
    )


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


def _data_sheet(
    labels: Sequence[str], kinds: Sequence[ColumnKind], columns: Sequence[Sequence[str]]
) -> str:
    letters = [_letters(place) for place in range(len(labels))]
    written = [
        _write_column(cells, kind, letter)
        for cells, kind, letter in zip(columns, kinds, letters, strict=True)
    ]
    head = [
        _text(f"{letter}1", label, _HEAD) for letter, label in zip(letters, labels, strict=True)
    ]
    body = zip(*written, strict=True)
    widths = [_WIDTHS[kind] for kind in kinds]
    return f"{_SHEET}{_FREEZE}{_columns(widths)}{_rows([head, *body])}</worksheet>"


def _text_sheet(rows: Sequence[Sequence[str]]) -> str:
    cells = [
        [
            _text(f"{_letters(place)}{number}", text, _WRAPPED if number > 1 else _HEAD)
            for place, text in enumerate(row)
            if text
        ]
        for number, row in enumerate(rows, 1)
    ]
    return f"{_SHEET}{_FREEZE}{_columns((48, 28, 60))}{_rows(cells)}</worksheet>"


def _write_column(cells: Sequence[str], kind: ColumnKind, letter: str) -> list[str]:
    write = _write_number if kind == "number" else _write_day if kind == "date" else _write_text
    if kind == "text" and set(cells) - {""} and set(cells) <= TRUTHS | {""}:
        write = _write_truth
    return [
        write(f"{letter}{number}", cell) if cell else "" for number, cell in enumerate(cells, 2)
    ]


def _write_number(place: str, cell: str) -> str:
    if len(cell) > _EXACT_DIGITS and cell.lstrip("-").isdecimal():
        return _text(place, cell)
    return f'<c r="{place}"><v>{cell}</v></c>'


def _write_day(place: str, cell: str) -> str:
    if len(cell) > len("2021-01-08") or (day := date.fromisoformat(cell)) < _FIRST_DAY:
        return _text(place, cell)
    return f'<c r="{place}" s="{_DATE}"><v>{day.toordinal() - _DAY_ZERO}</v></c>'


def _write_truth(place: str, cell: str) -> str:
    return f'<c r="{place}" t="b"><v>{int(cell == "True")}</v></c>'


def _write_text(place: str, cell: str) -> str:
    return _text(place, cell)


def _text(place: str, text: str, style: int = _PLAIN) -> str:
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 1]}…"
    plain = escape(_NO_XML.sub("\ufffd", text), quote=False).replace("\r", "&#13;")
    look = f' s="{style}"' if style else ""
    return f'<c r="{place}"{look} t="inlineStr"><is><t xml:space="preserve">{plain}</t></is></c>'


def _rows(rows: Iterable[Iterable[str]]) -> str:
    lines = (f'<row r="{number}">{"".join(cells)}</row>' for number, cells in enumerate(rows, 1))
    return f"<sheetData>{''.join(lines)}</sheetData>"


def _columns(widths: Sequence[int]) -> str:
    each = (
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
        for at, width in enumerate(widths, 1)
    )
    return f"<cols>{''.join(each)}</cols>"


def _letters(place: int) -> str:
    """Return the name of a column, from 0: A, B, …, Z, AA."""
    above, rest = divmod(place, 26)
    return (_letters(above - 1) if above else "") + chr(ord("A") + rest)


def _book(names: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}"/>'
        for at, name in enumerate(names, 1)
    )
    space = f'xmlns:r="{_SPACE}/officeDocument/2006/relationships"'
    main = f'xmlns="{_SPACE}/spreadsheetml/2006/main"'
    return f"{_XML}<workbook {main} {space}><sheets>{sheets}</sheets></workbook>"


def _relations(*targets: tuple[str, str]) -> str:
    kind = f"{_SPACE}/officeDocument/2006/relationships"
    each = "".join(
        f'<Relationship Id="rId{at}" Type="{kind}/{name}" Target="{target}"/>'
        for at, (name, target) in enumerate(targets, 1)
    )
    return (
        f'{_XML}<Relationships xmlns="{_SPACE}/package/2006/relationships">{each}</Relationships>'
    )


def _pack(parts: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, text in parts.items():
            part = zipfile.ZipInfo(name, _MOMENT)
            part.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(part, text.encode())
    return packed.getvalue()

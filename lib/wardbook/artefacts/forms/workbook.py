"""XLSX: every sheet, seen or not, and every part of the package that no sheet shows.

Source: ISO/IEC 29500 (Office Open XML), parts of a package and of a workbook.
"""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.finding import Notes

_RATIO = 200
# What zipfile raises on broken packages: it checks less than it promises.
_BROKEN_PACKAGE = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
    zlib.error, lzma.LZMAError, struct.error, KeyError, IndexError,
)  # fmt: skip
_PROPERTIES = ("creator", "lastModifiedBy", "title", "subject", "description", "keywords",
               "category", "identifier", "contentStatus")  # fmt: skip
_FOREIGN_PARTS: tuple[tuple[str, str], ...] = (
    (r"vbaProject|\.bin$|activeX|macrosheets", "script"),
    (r"externalLinks/|connections\.xml|queryTables/|webextensions", "external_link"),
    (r"embeddings/|oleObject", "embedded"),
    (
        r"customXml/|docProps/custom\.xml|persons/|threadedComments/|revisions/|customProperty",
        "metadata",
    ),
    (r"pivotCache/|slicerCaches|model/", "pivot_cache"),
)
_READ_PARTS = re.compile(
    r"\[Content_Types\]\.xml$|(xl/)?(\w+/)?_rels/|docProps/|xl/(workbook|styles|sharedStrings|metadata)\.xml$"
    r"|xl/(worksheets|theme|comments|drawings|media|tables|charts|chartsheets|printerSettings"
    r"|calcChain|ctrlProps|comments\d*|persons|threadedComments)"
)


def read_workbook(content: bytes, notes: Notes) -> None:
    """Read a workbook.

    Raises:
        Unreadable: it is broken, encrypted, or unfolds beyond the bounds.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            _read_package(package, notes)
    except _BROKEN_PACKAGE:
        raise Unreadable("broken") from None
    book = _open(content)
    _read_book(book, notes)
    for number, sheet in enumerate(book.worksheets, 1):
        _read_sheet(sheet, notes, f"sheet {number}")


def _read_package(package: zipfile.ZipFile, notes: Notes) -> None:
    parts = package.infolist()
    if len(parts) > notes.bounds.members:
        raise Unreadable("too_many_parts")
    names = [part.filename for part in parts]
    if len(set(names)) < len(names) or any(".." in name or name.startswith("/") for name in names):
        raise Unreadable("broken")
    # What a part says of its size is what reading it yields at most, so the sum bounds us.
    unfolded = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if unfolded > notes.bounds.unfolded_bytes or unfolded > _RATIO * (packed + 10_000):
        raise Unreadable("bomb")
    for number, part in enumerate(parts, 1):
        place = f"part {number}"
        codes = [code for shape, code in _FOREIGN_PARTS if re.search(shape, part.filename)]
        for code in codes:
            notes.report(code, place)
        if not codes and not _READ_PARTS.match(part.filename):
            notes.report("embedded", place)
        _read_part(part.filename, package.read(part), notes, place)
        if part.extra or part.comment or package.comment:
            notes.report("metadata", place)
            notes.add(
                "metadata", place, (part.comment + package.comment).decode("utf-8", "replace")
            )


def _read_part(name: str, content: bytes, notes: Notes, place: str) -> None:
    from wardbook.artefacts.inline_data import read_picture

    if "/media/" in name:
        read_picture(content, notes, place)
    elif name.endswith((".xml", ".rels", ".vml")):
        _read_xml(content, notes, place, links=name.endswith(".rels"))


def _read_xml(content: bytes, notes: Notes, place: str, *, links: bool) -> None:
    """Read texts of a part as they stand, whatever any program makes of the part."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    depth, is_sheet = 0, b"<sheetData" in content
    try:
        for event, element in iterparse(io.BytesIO(content), ("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if depth > notes.bounds.depth:
                raise Unreadable("too_deep", place)
            if event == "start":
                if links and element.get("TargetMode") == "External":
                    notes.report("external_link", place)
                    notes.add("link", place, element.get("Target", ""))
                continue
            if not is_sheet and element.text:
                notes.add("metadata", place, element.text)
            element.clear()
    except DefusedXmlException:
        raise Unreadable("entities", place) from None
    except ParseError:
        raise Unreadable("broken", place) from None


def _open(content: bytes) -> Any:
    import warnings

    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what it leaves out: the parts are read
            return load_workbook(io.BytesIO(content), keep_links=False)
    except Exception:  # openpyxl raises whatever its parts raise on a broken file
        raise Unreadable("broken") from None


def _read_book(book: Any, notes: Notes) -> None:
    for name in _PROPERTIES:
        value = getattr(book.properties, name, None)
        if value and (name, value) != ("creator", "openpyxl"):
            notes.report("metadata", "properties")
            notes.add("metadata", "properties", str(value))
    named = [*book.defined_names.values()]
    named += [one for sheet in book.worksheets for one in sheet.defined_names.values()]
    for one in named:
        notes.report("defined_name", "workbook")
        notes.add("hidden", "workbook", f"{one.name} {one.attr_text or ''}")


def _read_sheet(sheet: Any, notes: Notes, place: str) -> None:
    notes.add("text", place, sheet.title)
    if sheet.sheet_state != "visible":
        notes.report("hidden", place)
    shaded = {key for key, one in sheet.column_dimensions.items() if one.hidden or one.width == 0}
    lines = {key for key, one in sheet.row_dimensions.items() if one.hidden or one.height == 0}
    if shaded or lines:
        notes.report("hidden", place, len(shaded) + len(lines))
    if sheet.max_row * sheet.max_column > notes.bounds.cells:
        raise Unreadable("too_many_cells", place)
    rows = []
    for row in sheet.iter_rows():
        rows.append(["" if cell.value is None else str(cell.value) for cell in row])
        _read_cells(row, notes, place)
    _read_margins(sheet, notes, place)
    notes.add_grid(place, rows[0] if rows else [], rows[1:])


def _read_cells(row: Iterable[Any], notes: Notes, place: str) -> None:
    for cell in row:
        here = f"{place} row {cell.row} column {cell.column}"
        if cell.data_type == "f":
            notes.report("formula", here)
        if cell.comment is not None:
            notes.report("comment", here)
            notes.add("comment", here, f"{cell.comment.author or ''} {cell.comment.text}")
        if cell.hyperlink is not None:
            notes.add("link", here, str(cell.hyperlink.target or cell.hyperlink.location or ""))
        if cell.value is not None and cell.has_style and cell.number_format.strip('"; ') == "":
            notes.report("hidden", here)  # the format ;;; shows nothing


def _read_margins(sheet: Any, notes: Notes, place: str) -> None:
    for part in (sheet.oddHeader, sheet.oddFooter, sheet.evenHeader, sheet.evenFooter):
        for side in (part.left, part.center, part.right):
            notes.add("text", place, side.text or "")

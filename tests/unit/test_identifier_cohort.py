"""The names of those whom a run read of are looked for in what leaves of it."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipelines.leaving import make_ground
from tests.sample_outputs import ONE, policy
from wardbook.artefacts import Ground, judge_readings, read_artefact
from wardbook.domain.output import Sensitivity, Verdict
from wardbook.domain.run import RunSpec, SourceFile
from wardbook.identifiers.cohort import LONGEST_LINE, NamesUnread, read_cohort
from wardbook.settings import IdentifierSettings, NameColumns
from wardbook.template.spec import TemplateSpec

HEADER = "ipp;name;birth_name;first_name;ward\n"
ROWS = "1;Heurtebise;Quellec;Cécile Anne;A\n2;Dompierre;;Yvon;B\n"
COLUMNS = NameColumns(surnames=("name", "birth_name"), first_names=("first_name",))
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "stays.csv"
    file.write_text(HEADER + ROWS, encoding="utf-8")
    return file


def ground(
    source: Path,
    columns: Mapping[str, NameColumns | None],
    sensitivity: Sensitivity = Sensitivity.PUBLIC,
) -> Ground:
    seen = source.stat()
    file = SourceFile(str(source), "0" * 64, Sensitivity.SENSITIVE, seen.st_size, seen.st_mtime_ns)
    channel = "share" if sensitivity is Sensitivity.SENSITIVE else "site"
    output = {"kind": "table", "title": ONE, "sensitivity": sensitivity, "channel": channel}
    raw = {"name": "t", "version": "1", "title": ONE, "question": ONE}
    raw |= {"outputs": {"t": output | {"columns": {"a": ONE}}}}
    spec = TemplateSpec.model_validate(raw)
    run = RunSpec("k", "DATA-1", "t", "/t", "python3", "fr", {}, {"stays": file})
    return make_ground(spec, run, policy(), IdentifierSettings(), columns)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def picture(text: str) -> bytes:
    """A picture of one pixel with a text in it."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    told = _chunk(b"tEXt", b"Title\0" + text.encode("latin-1"))
    return PNG + head + told + _chunk(b"IDAT", zlib.compress(b"\0\0")) + _chunk(b"IEND", b"")


ARTEFACTS = {
    "table.csv": lambda text: f"ward,note\nA,{text}\n".encode(),
    "page.html": lambda text: f"<!doctype html><p>Le patient {text} va bien.</p>".encode(),
    "figure.png": picture,
}


def reasons(name: str, text: str, by: Ground) -> dict[str, Verdict]:
    reading = read_artefact(name, ARTEFACTS[name](text))
    assert reading.form != "unknown"
    checks = judge_readings("t", [reading], by)
    return {one.reason: one.verdict for one in checks if one.rule == "identifiers"}


@pytest.mark.parametrize("name", ARTEFACTS)
@pytest.mark.parametrize(
    "text", ["Cécile Heurtebise", "HEURTEBISE Cecile", "Quellec Anne", "Yvon Dompierre"]
)
def test_a_name_of_the_cohort_is_held_and_without_the_setting_is_not_found(
    name: str, text: str, source: Path
) -> None:
    known = reasons(name, text, ground(source, {"stays": COLUMNS}))
    assert known == {"identifier.name": Verdict.HOLD}
    assert reasons(name, text, ground(source, {"stays": None})) == {}
    assert reasons(name, text, ground(source, {})) == {}


@pytest.mark.parametrize("name", ARTEFACTS)
def test_who_is_not_of_the_cohort_is_not_held(name: str, source: Path) -> None:
    assert reasons(name, "Ermeline Taravel", ground(source, {"stays": COLUMNS})) == {}


@pytest.mark.parametrize("name", ARTEFACTS)
@pytest.mark.parametrize("damage", ["gone", "changed", "other columns", "folder"])
def test_names_that_cannot_be_read_hold_whatever_is_there(
    name: str, damage: str, source: Path
) -> None:
    columns = COLUMNS
    by = ground(source, {"stays": columns})
    assert by.unread == ()
    if damage == "other columns":
        columns = NameColumns(surnames=("nom",))
    by = _damaged(source, columns, damage)
    assert by.unread == ("stays",)
    assert reasons(name, "rien", by) == {"identifier.names_unread": Verdict.HOLD}


def _damaged(source: Path, columns: NameColumns, damage: str) -> Ground:
    """Return the ground of a run that read the file before it was damaged."""
    before = source.stat()
    keep = (before.st_size, before.st_mtime_ns)
    if damage in {"gone", "folder"}:
        source.unlink()
    if damage == "folder":
        source.mkdir()
    if damage == "changed":
        source.write_text(HEADER + ROWS.replace("Dompierre", "Dompierra"), encoding="utf-8")
        os.utime(source, ns=(keep[1] + 1, keep[1] + 1))
    file = SourceFile(str(source), "0" * 64, Sensitivity.SENSITIVE, *keep)
    raw = {"name": "t", "version": "1", "title": ONE, "question": ONE}
    output = {"kind": "report", "title": ONE, "sensitivity": "public", "channel": "site"}
    spec = TemplateSpec.model_validate(raw | {"outputs": {"t": output}})
    run = RunSpec("k", "DATA-1", "t", "/t", "python3", "fr", {}, {"stays": file})
    return make_ground(spec, run, policy(), IdentifierSettings(), {"stays": columns})


def test_for_sealed_lists_alone_nobody_reads_the_names(source: Path) -> None:
    by = ground(source, {"stays": NameColumns(surnames=("nom",))}, Sensitivity.SENSITIVE)
    assert by.unread == ()
    assert by.context is not None
    assert not by.context.cohort


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_that_of_the_header(delimiter: str, source: Path) -> None:
    source.write_text((HEADER + ROWS).replace(";", delimiter), encoding="utf-8-sig")
    people = read_cohort(source, ["name", "birth_name"], ["first_name"])
    assert people == {
        ("Heurtebise", "Cécile Anne"), ("Quellec", "Cécile Anne"), ("Dompierre", "Yvon")
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ipp;ward\n1;A\n",
        HEADER.encode() + "1;Heurtebise;;Cécile;A\n".encode("latin-1"),
        HEADER.encode() + b"1\n",
        HEADER.encode() + b'1;"Heurtebise;;C;A\n',
        HEADER.encode() + b"1;" + b"x" * LONGEST_LINE + b";;C;A\n",
    ],
)
def test_a_file_that_cannot_be_read_wholly_says_so_and_no_value(
    content: bytes, source: Path
) -> None:
    source.write_bytes(content)
    with pytest.raises(NamesUnread) as told:
        read_cohort(source, ["name"], ["first_name"])
    assert not str(told.value)
    assert told.value.__suppress_context__ or told.value.__context__ is None


def test_more_persons_than_fit_into_memory_are_not_read(source: Path) -> None:
    assert len(read_cohort(source, ["name"], [], most=2)) == 2
    with pytest.raises(NamesUnread):
        read_cohort(source, ["name"], [], most=1)

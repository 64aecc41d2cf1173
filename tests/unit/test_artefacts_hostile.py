"""Broken and hostile files: each is refused with its reason; none crashes, hangs or swells."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wardbook
from tests.sample_report import make_png
from tests.unit.test_artefacts_read import add_chunk, codes, make_jpeg, notebook, shown
from wardbook.artefacts import Bounds, read_artefact
from wardbook.artefacts.apart import read_apart
from wardbook.artefacts.bounds import MIB
from wardbook.artefacts.judge import VERDICTS
from wardbook.artefacts.magic import tell_form
from wardbook.domain.output import Verdict

LONG = os.environ.get("WARDBOOK_CRASH") == "long"

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><svg><text>&j;</text></svg>"
)
OUTSIDE = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><text>&x;</text></svg>'


def refused(name: str, content: bytes, bounds: Bounds | None = None) -> set[str]:
    reading = read_artefact(name, content, bounds)
    found = codes(reading)
    assert any(VERDICTS[code] is Verdict.REFUSE for code in found), found
    return found


def pack(name: str, content: bytes, *others: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for one, body in ((name, content), *others):
            # Of one date: what is collected at two moments must not differ.
            package.writestr(zipfile.ZipInfo(one), body, zipfile.ZIP_DEFLATED)
    return target.getvalue()


WORKBOOK = (("xl/workbook.xml", b"<workbook/>"), ("[Content_Types].xml", b"<Types/>"))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.svg", LAUGHS.encode(), "entities"),
        ("a.svg", OUTSIDE.encode(), "entities"),
        ("a.svg", b"<svg>" + b"<g>" * 100_000, "too_deep"),
        ("a.svg", b"<svg><text>", "broken"),
        ("a.html", b"<!doctype html>" + b"<div>" * 100_000, "too_deep"),
        ("a.json", b"[" * 5_000_000, "too_deep"),
        ("a.json", b'{"a":' * 100_000, "too_deep"),
        ("a.json", b"[" * 80 + b"]" * 80, "too_deep"),
        ("a.json", b'{"a": 1, "a": 2}', "broken"),
        ("a.json", b'{"a": ', "broken"),
        ("a.json", b'{"data": [{"type": "bar", "y": {"dtype": "f8", "bdata": "x"}}]}', "broken"),
        ("a.ipynb", b'{"nbformat": 3}', "broken"),
        ("a.ipynb", b'{"nbformat": 4, "cells": [1]}', "broken"),
        ("a.ipynb", notebook(shown("image/png", "%%%")).encode(), "broken"),
        ("a.csv", b'a,b\n"x', "broken"),
        ("a.csv", b"a,b\n\xff\xfe,1\n", "encoding"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "encoding"),
        ("a.csv", b"a,b\n1,\x002\n", "encoding"),
        ("a.html", b"<!doctype html>\x00", "encoding"),
        ("a.png", make_png()[:-20], "broken"),
        ("a.png", make_png()[:60] + b"x" + make_png()[61:], "broken"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 2**32 - 1, b"IDAT"), "broken"),
        ("a.png", add_chunk(make_png(8, 8), b"zTXt", b"a\0\0" + zlib.compress(bytes(40 * MIB))),
         "bomb"),
        ("a.jpg", make_jpeg()[:-30], "broken"),
        ("a.jpg", b"\xff\xd8\xff", "broken"),
        ("a.jpg", b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0", "too_many_pixels"),
        ("a.parquet", b"PAR1" + b"x" * 100, "broken"),
        ("a.parquet", b"PAR1" + b"x" * 100 + b"\xff\xff\xff\x7fPAR1", "broken"),
        ("a.xlsx", pack("xl/worksheets/sheet1.xml", bytes(30 * MIB), *WORKBOOK), "bomb"),
        ("a.xlsx", pack("xl/worksheets/sheet1.xml", LAUGHS.encode(), *WORKBOOK), "entities"),
        ("a.xlsx", pack("../../x.xml", b"<a/>", *WORKBOOK), "broken"),
        ("a.xlsx", pack("xl/a.xml", b"<a/>", *WORKBOOK)[:-40], "broken"),
        ("a.xlsx", pack("xl/a.xml", b"<a>" * 1000, *WORKBOOK), "too_deep"),
        ("a.pdf", b"%PDF-1.4 cut short", "broken"),
        ("a.pdf", b"%PDF-1.4\n" + b"".join(
            b"stream\n" + zlib.compress(bytes(20 * MIB)) + b"\nendstream\n" for _ in range(4))
            + b"%%EOF", "bomb"),
        ("report.csv", b"MZ\x90\0", "blocked_type"),
        ("report.csv", b"MZ\x90\0", "disguised"),
        ("report.png", pack("a.txt", b"x"), "blocked_type"),
        ("report.txt", b"\x1f\x8b\x08\0", "blocked_type"),
        ("report.json", b"\x80\x04\x95", "blocked_type"),
        ("report.csv", b"SQLite format 3\0", "blocked_type"),
        ("report.png", b"<!doctype html><script>x</script>", "disguised"),
        ("report.csv", b"<svg onload=x></svg>", "disguised"),
        ("report.xyz", b"\x01\x02\0\x03", "unknown_type"),
        ("report.xlsx", b"\xd0\xcf\x11\xe0 macros of old", "blocked_type"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_with_its_reason(name: str, content: bytes, code: str) -> None:
    assert code in refused(name, content)


@pytest.mark.parametrize(
    ("name", "content", "bounds", "code"),
    [
        ("a.csv", b"a\n" + b"x\n" * 200, Bounds(text_bytes=100), "oversize"),
        ("a.csv", b"a\n" + b"x\n" * 200, Bounds(file_bytes=100), "oversize"),
        ("a.csv", b"a\n" + b"x\n" * 200, Bounds(cells=100), "too_many_cells"),
        ("a.csv", b"a\n" + b"x\n" * 200, Bounds(characters=100), "too_much_text"),
        ("a.png", make_png(), Bounds(pixels=100), "too_many_pixels"),
        ("a.png", make_png(), Bounds(members=1), "broken"),
        ("a.xlsx", pack("xl/a.xml", b"<a/>", *WORKBOOK), Bounds(members=2), "too_many_parts"),
        ("a.json", b'{"data": [{"type": "heatmap", "z": [' + b"[1]," * 99 + b"[1]]}]}",
         Bounds(cells=50), "too_many_cells"),
    ],
)  # fmt: skip
def test_every_bound_stops_a_reader(name: str, content: bytes, bounds: Bounds, code: str) -> None:
    assert code in refused(name, content, bounds)
    assert not codes(read_artefact(name, content)) & {code}


def test_a_parquet_that_unfolds_too_far_is_refused() -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = io.BytesIO()
    pq.write_table(
        pa.table({"a": ["x" * 1000] * 100_000}), target, use_dictionary=False, compression="zstd"
    )
    assert len(target.getvalue()) < MIB
    assert "bomb" in refused("a.parquet", target.getvalue())
    target = io.BytesIO()
    pq.write_table(pa.table({"a": ["x" * 200_000] * 500}), target)
    assert "bomb" in refused("a.parquet", target.getvalue())
    target = io.BytesIO()
    pq.write_table(pa.table({"a": [1] * 2_000_000}), target)
    assert "too_many_cells" in refused("a.parquet", target.getvalue())


SEEDS: dict[str, bytes] = {
    "a.png": make_png(8, 8),
    "a.jpg": make_jpeg(),
    "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><text x='1'>a</text></svg>",
    "a.html": b"<!doctype html><table><tr><td style='color:red'>1</table><!-- x -->",
    "a.ipynb": notebook({"output_type": "stream", "name": "stdout", "text": "x"}).encode(),
    "a.json": json.dumps({"data": [{"type": "bar", "x": [1], "y": [2]}], "layout": {}}).encode(),
    "a.csv": b"a,b\n1,2\n",
    "a.pdf": b"%PDF-1.4\n1 0 obj\n<</Title (x)>>\nendobj\n%%EOF",
    "a.xlsx": pack("xl/a.xml", b"<a>x</a>", *WORKBOOK),
}


def whole_parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = io.BytesIO()
    pq.write_table(pa.table({"a": ["x", "y"]}), target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"<svg>", "svg"),
        (b'\xef\xbb\xbf <?xml version="1.0"?>\n<!-- a > b --><x:SVG>', "svg"),
        (LAUGHS.encode(), "svg"),
        (b"<!DOCTYPE svg><svg/>", "svg"),
        (b"<!doctype HTML><p>", "html"),
        (b"<!-- a --><!--><body>", "html"),
        (b"<!-- never closed", "html"),
        (b"<?xml never closed", "html"),
        (b"<!DOCTYPE svg [<!ENTITY a '>'>", "html"),
        (b"<p>a fragment</p>", "text"),
        (b"<!-- a --> a;b", "text"),
        # For these the time of a pattern that tries all ways doubles with each character.
        (b"<!" + b">" * 4000, "text"),
        (b"<!" * 2000 + b">" * 90, "text"),
        (b"<!--" + b"-->" * 1300 + b"x", "text"),
    ],
)
def test_what_a_file_begins_like(content: bytes, form: str) -> None:
    assert tell_form(content) == form


@settings(max_examples=3000 if LONG else 150, deadline=None,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_never_raises(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*SEEDS]))
    content = bytearray(SEEDS[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["change", "cut", "repeat", "insert"])):
            case "change":
                content[at] = data.draw(st.integers(0, 255))
            case "cut":
                del content[at : at + data.draw(st.integers(1, 20))]
            case "repeat":
                content[at:at] = content[at : at + 10] * data.draw(st.integers(1, 50))
            case "insert":
                content[at:at] = data.draw(st.binary(max_size=20))
        if not content:
            break
    for problem in read_artefact(name, bytes(content)).problems:
        assert problem.code in VERDICTS


@settings(max_examples=3000 if LONG else 150, deadline=None)
@given(name=st.sampled_from([*SEEDS, "a", "a.txt"]), content=st.binary(max_size=300))
def test_any_bytes_under_any_name_are_read_or_refused(name: str, content: bytes) -> None:
    for problem in read_artefact(name, content).problems:
        assert problem.code in VERDICTS


def test_damaged_parquet_is_read_or_refused_though_its_library_may_crash(tmp_path: Path) -> None:
    chance, whole, files = random.Random(5), whole_parquet(), []
    for number in range(400 if LONG else 8):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            content[chance.randrange(4, len(content) - 4)] = chance.randrange(256)
        files.append(tmp_path / f"{number}.parquet")
        files[-1].write_bytes(content)
    found = [codes(reading) for reading in read_apart(files)]
    assert len(found) == len(files)
    assert sum("broken" in one or "too_costly" in one for one in found) > len(files) / 3


def test_a_file_that_ends_its_reader_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.csv", tmp_path / "b.html"
    good.write_text("a\n1\n")
    # Unclosed declarations over and over: the standard parser looks at the rest anew for each.
    bad.write_bytes(b"<!doctype html>" + b"<!--" * 2_000_000)
    first, second = read_apart([good, bad], Bounds(text_bytes=32 * MIB), seconds=1)
    assert codes(first) == set()
    assert codes(second) == {"too_costly"}


def test_a_reading_apart_is_the_reading_itself(tmp_path: Path) -> None:
    files = []
    for name, content in SEEDS.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    expected = [read_artefact(file.name, file.read_bytes()) for file in files]
    assert list(read_apart(files)) == expected


def test_memory_stays_bounded_while_a_bomb_is_read(tmp_path: Path) -> None:
    """In a process of its own, because the peak of this one may lie behind it."""
    bomb = tmp_path / "a.png"
    bomb.write_bytes(add_chunk(make_png(8, 8), b"zTXt", b"a\0\0" + zlib.compress(bytes(600 * MIB))))
    nest = tmp_path / "a.json"
    nest.write_bytes(b"[" * (100 * MIB - 1))
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from wardbook.artefacts import read_file\n"
        "print([p.code for f in sys.argv[1:] for p in read_file(Path(f)).problems])\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(bomb), str(nest)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(wardbook.__file__).parents[1])},
    )
    told, peak = done.stdout.splitlines()
    assert told == "['metadata', 'bomb', 'oversize']"
    assert int(peak) * 1024 < 400 * MIB

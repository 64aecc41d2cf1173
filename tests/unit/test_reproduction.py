"""Two versions of an output side by side: what is the same, what differs, and where."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reproduction.again import Pair, compare_pair
from pipelines.reproduction.ingredients import PackageChange, compare_environments
from tests.tiny_template import write_template
from wardbook.domain.output import OutputKind
from wardbook.reproduction.figures import compare_figures
from wardbook.reproduction.likeness import Likeness
from wardbook.reproduction.tables import compare_tables, is_same_cell
from wardbook.reproduction.texts import compare_texts
from wardbook.template.kept import find_template, keep_template
from wardbook.template.spec import load_template

TABLE = b"day,n,rate\na,12,0.25\nb,13,0.3333333333333333\n"


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("0.1", "0.1000000000000001", True),
        ("0.1", "0.100001", False),
        ("1e3", "1000", True),
        ("0.0", "1e-12", True),
        ("-0.5", "0.5", False),
        ("12", "13", False),
        ("8001234567890123", "8001234567890124", False),
        ("007", "7", False),
        ("007", "7.0", False),
        ("nan", "NaN", False),
        ("inf", "inf ", False),
        ("", "0", False),
        ("a", "b", False),
        ("1_0", "10.0", False),
        ("1,5", "1.5", False),
    ],
)
def test_when_a_cell_is_the_same(before: str, after: str, same: bool) -> None:
    assert is_same_cell(before, after, 1e-9) is same
    assert is_same_cell(after, before, 1e-9) is same


def test_tables() -> None:
    assert compare_tables("t", TABLE, TABLE).likeness is Likeness.BYTES
    near = compare_tables("t", TABLE, TABLE.replace(b"3333333333333333", b"3333333333333334"))
    assert near.likeness is Likeness.TABLE
    quoted = compare_tables("t", TABLE, TABLE.replace(b"a,12", b'"a",12').replace(b"\n", b"\r\n"))
    assert quoted.likeness is Likeness.TABLE

    apart = compare_tables("t", TABLE, TABLE.replace(b"13", b"14").replace(b"0.25", b"0.26"))
    assert apart.likeness is Likeness.DIFFERENT
    assert (apart.places, apart.first_rows) == ({"2": 1, "3": 1}, {"2": 2, "3": 1})
    assert [(one.row, one.column, one.before, one.after) for one in apart.differences] == [
        (1, 3, "0.25", "0.26"),
        (2, 2, "13", "14"),
    ]
    assert "0.26" not in repr(apart)

    shorter = compare_tables("t", TABLE, TABLE[: TABLE.index(b"b,")])
    assert (shorter.likeness, shorter.sizes) == (Likeness.DIFFERENT, ((2, 3), (1, 3)))
    lines = TABLE.splitlines()
    turned = compare_tables("t", TABLE, b"\n".join([lines[0], lines[2], lines[1]]))
    assert turned.reordered
    assert not apart.reordered
    ragged = compare_tables("t", TABLE, TABLE.replace(b"a,12,0.25", b"a,12"))
    assert (ragged.likeness, ragged.places) == (Likeness.DIFFERENT, {"3": 1})
    renamed = compare_tables("t", TABLE, TABLE.replace(b"rate", b"part"))
    assert renamed.first_rows == {"3": 0}
    assert compare_tables("t", TABLE, b"\xff").likeness is Likeness.DIFFERENT
    assert compare_tables("t", b"", TABLE).likeness is Likeness.DIFFERENT


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=4)
tables = st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=5)


def as_csv(rows: list[list[str]]) -> bytes:
    import csv

    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


@given(tables, tables)
def test_a_comparison_is_the_same_both_ways_and_counts_what_differs(
    one: list[list[str]], other: list[list[str]]
) -> None:
    there, back = (
        compare_tables("t", as_csv(one), as_csv(other), 0),
        compare_tables("t", as_csv(other), as_csv(one), 0),
    )
    assert (there.likeness, there.places) == (back.likeness, back.places)
    common = zip(one, other, strict=False)
    apart = sum(a != b for row, also in common for a, b in zip(row, also, strict=True))
    assert sum(there.places.values()) <= apart
    assert there.is_same == (not there.places and len(one) == len(other))


def picture(colour: tuple[int, ...], size: tuple[int, int] = (4, 3), **options: Any) -> bytes:
    from PIL import Image, PngImagePlugin

    image = Image.new("RGBA", size, colour)
    if "dot" in options:
        image.putpixel((1, 1), options.pop("dot"))
    told = PngImagePlugin.PngInfo()
    told.add_text("Software", options.pop("software", ""))
    out = io.BytesIO()
    image.save(out, "png", pnginfo=told)
    return out.getvalue()


def test_figures() -> None:
    grey = (9, 9, 9, 255)
    plain = picture(grey)
    assert compare_figures("f", plain, plain).likeness is Likeness.BYTES
    assert compare_figures("f", plain, picture(grey, software="x")).likeness is Likeness.PIXELS
    for dot in ((9, 9, 10, 255), (9, 9, 9, 254), (0, 9, 9, 255)):
        one = compare_figures("f", plain, picture(grey, dot=dot))
        assert (one.likeness, one.places) == (Likeness.DIFFERENT, {"pixels": 1}), dot
    assert compare_figures("f", plain, picture(grey, (3, 4))).sizes == ((4, 3), (3, 4))
    assert compare_figures("f", plain, b"no picture").likeness is Likeness.DIFFERENT


def notebook(*texts: str) -> dict[str, Any]:
    outputs = [
        {
            "output_type": "display_data",
            "data": {"text/markdown": text},
            "metadata": {"wardbook": {"publish": "text", "output": ""}},
        }
        for text in texts
    ]
    return {"cells": [{"cell_type": "code", "source": "", "outputs": outputs}]}


def test_texts() -> None:
    assert compare_texts("r", notebook("a", "b"), notebook("a", "b")).is_same
    apart = compare_texts("r", notebook("a", "b"), notebook("a", "c", "d"))
    assert apart.places == {"2": 1, "3": 1}
    assert "'c'" not in repr(apart)


@pytest.mark.parametrize(
    ("before", "after", "digest", "listed", "likeness"),
    [
        (TABLE, TABLE, None, True, Likeness.BYTES),
        (TABLE, None, "0" * 64, True, Likeness.MISSING),
        (None, TABLE, None, True, Likeness.EXTRA),
        (None, TABLE, None, False, Likeness.UNKNOWN),
        (None, TABLE, "0" * 64, True, Likeness.UNKNOWN),
        (None, b"x", sha256(b"x").hexdigest(), False, Likeness.BYTES),
    ],
)
def test_what_is_kept_only_in_part(
    before: bytes | None, after: bytes | None, digest: str | None, listed: bool, likeness: Likeness
) -> None:
    pair = Pair("t", OutputKind.TABLE, before, after, digest, listed)
    assert compare_pair(pair, 1e-9).likeness is likeness


def test_packages_that_differ_are_named() -> None:
    before = {"pandas": "3.1", "numpy": "2.4", "old": "1"}
    assert compare_environments(None, before) is None
    assert compare_environments(before, dict(before)) == ()
    assert compare_environments(before, {"pandas": "3.2", "numpy": "2.4", "new": "2"}) == (
        PackageChange("new", "", "2"),
        PackageChange("old", "1", ""),
        PackageChange("pandas", "3.1", "3.2"),
    )


def test_a_template_is_kept_as_it_was(tmp_path: Path) -> None:
    folder = write_template(tmp_path / ".hidden" / "catalogue", "1")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "big").write_text("no part of it")
    template = load_template(folder)
    keep_template(tmp_path / "kept", template)
    keep_template(tmp_path / "kept", template)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [template.digest]
    (folder / "notebook.ipynb").write_text("{}")
    changed = load_template(folder)
    assert changed.digest != template.digest, "also below a hidden folder every file counts"
    found = find_template(tmp_path / "kept", "tiny", template.digest)
    assert found is not None
    assert "cells" in found.notebook.read_text()
    assert not (found.folder / ".cache").exists()
    (found.folder / "notebook.ipynb").write_text("{}")
    assert find_template(tmp_path / "kept", "tiny", template.digest) is None, "it was changed"
    assert find_template(tmp_path / "kept", "tiny", changed.digest) is None

"""What really leaves, form by form: nothing hides in a file, and what hides is told."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from array import array
from collections.abc import Callable
from typing import Any

import pytest

from tests.sample_report import make_png
from wardbook.artefacts import read_artefact, read_ticket_comment
from wardbook.artefacts.finding import Reading
from wardbook.artefacts.judge import VERDICTS
from wardbook.artefacts.read import READERS
from wardbook.messages import LANGUAGES, topic_texts

SECRET = "Dupont 185057800608436"


def codes(reading: Reading) -> set[str]:
    return {problem.code for problem in reading.problems}


def found(reading: Reading) -> str:
    return "\n".join(fragment.text for fragment in reading.texts())


def read_text_as(name: str, text: str) -> Reading:
    return read_artefact(name, text.encode())


# HTML


def test_a_table_of_html_is_its_cells() -> None:
    page = (
        "<table><thead><tr><th>a<th>b</thead><tbody><tr><td>1<td>2 <b>345</b></table>"
        "<table><tr><td>x</td></tr></table>"
    )
    first, second = read_text_as("p.html", page).grids
    assert (first.header, first.rows) == (("a", "b"), (("1", "2 345"),))
    assert second.rows == (("x",),)


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (f"<p hidden>{SECRET}</p>", "hidden"),
        (f'<p style="display: none">{SECRET}</p>', "hidden"),
        (f'<p style="font-size:0">{SECRET}</p>', "hidden"),
        (f'<p style="position:absolute;left:-9999px">{SECRET}</p>', "hidden"),
        (f"<p data-patient='{SECRET}'>x</p>", "hidden"),
        (f"<input type=hidden value='{SECRET}'>", "hidden"),
        (f"<template>{SECRET}</template>", "hidden"),
        (f"<!-- {SECRET} -->", "comment"),
        (f"<script>{SECRET}</script>", "script"),
        (f"<p onclick='{SECRET}'>x</p>", "script"),
        (f"<a href='java\tscript:{SECRET}'>x</a>", "script"),
        (f"<iframe srcdoc='{SECRET}'></iframe>", "script"),
        (f"<img src='http://x.test/{SECRET}'>", "foreign_address"),
        (f"<img src='//x.test/{SECRET}'>", "foreign_address"),
        (f"<style>@import 'x{SECRET}'</style>", "foreign_address"),
        (f"<meta http-equiv=refresh content='0;url={SECRET}'>", "foreign_address"),
        (f"<p>{SECRET}\u200b</p>", "invisible_text"),
    ],
)
def test_what_a_page_hides_is_read_and_told(page: str, code: str) -> None:
    reading = read_text_as("p.html", f"<!doctype html>{page}")
    assert code in codes(reading)
    assert "185057800608436" in found(reading)


def test_a_plain_page_is_clean() -> None:
    page = (
        "<!doctype html><html><head><title>t</title><link rel=stylesheet href=a.css></head>"
        "<body><p class=x>Text</p><a href='https://x.test/'>x</a><img src='f/a.png' alt='y'></body>"
    )
    reading = read_text_as("p.html", page)
    assert codes(reading) == set()
    assert [f.text for f in reading.fragments if f.kind == "text"] == ["t", "Text", "x"]


def test_a_picture_in_an_address_is_read_as_one() -> None:
    inline = base64.b64encode(make_noted_png(b"tEXt", b"Comment\0" + SECRET.encode())).decode()
    reading = read_text_as("p.html", f"<img src='data:image/png;base64,{inline}'>")
    assert "metadata" in codes(reading)
    assert SECRET in found(reading)


# Pictures


def add_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:33] + chunk + png[33:]


def make_noted_png(kind: bytes, body: bytes) -> bytes:
    return add_chunk(make_png(8, 8), kind, body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"tEXt", b"Comment\0" + SECRET.encode()),
        (b"zTXt", b"Comment\0\0" + zlib.compress(SECRET.encode())),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + SECRET.encode()),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(SECRET.encode())),
        (b"eXIf", b"MM\0*" + SECRET.encode()),
        (b"prVt", SECRET.encode()),
    ],
)
def test_a_picture_with_a_text_in_it_is_told_and_cleaned(kind: bytes, body: bytes) -> None:
    from wardbook.artefacts.clean import clean_image

    png = make_noted_png(kind, body)
    reading = read_artefact("f.png", png)
    assert codes(reading) == {"metadata"}
    assert "185057800608436" in found(reading)
    clean = clean_image(png, name="f")
    assert SECRET.encode() not in clean
    assert codes(read_artefact("f.png", clean)) == set()
    assert pixels(clean) == pixels(png)


def pixels(content: bytes) -> tuple[Any, bytes]:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        return picture.size, picture.convert("RGBA").tobytes()


def test_what_follows_a_picture_is_told_and_cut_off() -> None:
    from wardbook.artefacts.clean import clean_image

    png = make_png(8, 8)
    for after in (png + SECRET.encode(), add_rows(png)):
        assert codes(read_artefact("f.png", after)) == {"appended"}
        clean = clean_image(after, name="f")
        assert codes(read_artefact("f.png", clean)) == set()
        assert pixels(clean) == pixels(png)


def add_rows(png: bytes) -> bytes:
    """The picture with a text behind its last row, inside its compressed data."""
    rows = zlib.decompress(png[41:-16]) + SECRET.encode()
    body = zlib.compress(rows)
    chunk = struct.pack(">I", len(body)) + b"IDAT" + body
    return png[:33] + chunk + struct.pack(">I", zlib.crc32(b"IDAT" + body)) + png[-12:]


def test_a_plain_picture_is_left_as_it_is() -> None:
    from wardbook.artefacts.clean import clean_image

    png = make_png()
    assert codes(read_artefact("f.png", png)) == set()
    assert clean_image(png, name="f") is png


def make_jpeg(**options: Any) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    Image.new("RGB", (16, 16), "teal").save(target, "JPEG", **options)
    return target.getvalue()


def test_exif_comment_thumbnail_and_tail_of_a_jpeg_are_told_and_cleaned() -> None:
    from PIL import Image

    from wardbook.artefacts.clean import clean_image

    exif = Image.Exif()
    exif[0x010E] = SECRET
    noted = make_jpeg(exif=exif, comment=SECRET.encode())
    thumbnail = b"\xff\xe1" + struct.pack(">H", 2 + len(noted)) + noted
    for jpeg, expected in (
        (noted, {"metadata"}),
        (noted + SECRET.encode(), {"metadata", "appended"}),
        (make_jpeg()[:2] + thumbnail + make_jpeg()[2:], {"metadata", "embedded"}),
        (make_jpeg()[:2] + b"\xff\xfe\0\x18" + SECRET.encode() + make_jpeg()[2:], {"metadata"}),
    ):
        reading = read_artefact("f.jpg", jpeg)
        assert codes(reading) == expected
        assert SECRET[:20] in found(reading)
        assert codes(read_artefact("f.jpg", clean_image(jpeg, name="f"))) == set()
    assert codes(read_artefact("f.jpg", make_jpeg())) == set()


# SVG


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (f"<script>{SECRET}</script>", "script"),
        (f"<g onload='{SECRET}'/>", "script"),
        (
            f"<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>{SECRET}</p></foreignObject>",
            "script",
        ),
        (f"<a href='javascript:{SECRET}'><text>x</text></a>", "script"),
        (f"<metadata>{SECRET}</metadata>", "metadata"),
        (f"<!-- {SECRET} -->", "comment"),
        (f"<text display='none'>{SECRET}</text>", "hidden"),
        (f"<text style='opacity:0'>{SECRET}</text>", "hidden"),
        (f"<image href='http://x.test/{SECRET}'/>", "foreign_address"),
        (f"<use href='other.svg#{SECRET}'/>", "foreign_address"),
        (f"<style>a{{b:url(http://x.test/{SECRET})}}</style>", "foreign_address"),
    ],
)
def test_what_an_svg_hides_is_read_and_told(inside: str, code: str) -> None:
    svg = f"<svg xmlns='http://www.w3.org/2000/svg'>{inside}</svg>"
    reading = read_text_as("f.svg", svg)
    assert code in codes(reading)
    assert SECRET in found(reading)


def test_texts_of_a_plain_svg_are_read() -> None:
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><text x='1'>Lits</text><path d='M0 0'/></svg>"
    reading = read_text_as("f.svg", svg)
    assert codes(reading) == set()
    assert "Lits" in found(reading)


# JSON


def test_every_point_of_plotly_and_what_it_says_on_hover_is_read() -> None:
    values = base64.b64encode(array("d", [1.5, 185057.0]).tobytes()).decode()
    figure = {
        "data": [
            {"type": "scatter", "mode": "markers", "x": {"dtype": "f8", "bdata": values},
             "y": [3, 4], "customdata": [[SECRET], ["b"]], "hovertext": ["Mme Durand", "c"]},
            {"type": "bar", "x": ["a"], "y": [5], "visible": False},
        ],
        "layout": {"title": {"text": "Titre"}},
    }  # fmt: skip
    reading = read_text_as("f.json", json.dumps(figure))
    assert codes(reading) == {"hover_data", "point_cloud", "hidden"}
    for text in (SECRET, "Mme Durand", "185057", "Titre"):
        assert text in found(reading)
    assert reading.grids[0].points
    assert ("1.5", "3") in [(row[0], row[1]) for row in reading.grids[0].rows]


def test_a_line_of_plotly_without_more_is_clean() -> None:
    figure = {"data": [{"type": "scatter", "mode": "lines", "x": [1], "y": [30]}], "layout": {}}
    assert codes(read_text_as("f.json", json.dumps(figure))) == set()


def test_real_figures_of_plotly_and_altair_are_read_point_by_point() -> None:
    px = pytest.importorskip("plotly.express")
    alt = pytest.importorskip("altair")
    import pandas as pd

    frame = pd.DataFrame({"age": [41, 87], "name": ["Durand", "Petit"]})
    plotly = px.scatter(frame, x="age", y="age", hover_data=["name"]).to_json()
    altair = alt.Chart(frame).mark_point().encode(x="age", tooltip="name").to_json()
    for text in (plotly, altair):
        reading = read_text_as("f.json", text)
        assert codes(reading) == {"point_cloud", "hover_data"}
        assert {"Durand", "87"} <= {fragment.text for fragment in reading.texts()}


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ({"data": {"url": "http://x.test/a.json"}}, "foreign_address"),
        ({"transform": [{"calculate": "datum.x", "as": "y"}]}, "expression"),
        ({"signals": [{"name": "a"}]}, "expression"),
        ({"usermeta": {"patient": 1}}, "metadata"),
        ({"encoding": {"href": {"field": "x"}}}, "foreign_address"),
    ],
)
def test_what_vega_fetches_or_computes_is_told(part: dict[str, Any], code: str) -> None:
    spec = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "mark": "bar"} | part
    assert code in codes(read_text_as("f.json", json.dumps(spec)))


def test_a_dashboard_tells_its_series_queries_and_panels() -> None:
    dashboard = {
        "panels": [{"targets": [{"rawSql": "select name from patients"}],
                    "options": {"mode": "html", "content": "<script>x</script>"}}],
        "frames": [{"schema": {"fields": [{"name": "t"}, {"name": "n"}]},
                    "data": {"values": [[1, 2], [3, None]]}}],
    }  # fmt: skip
    reading = read_text_as("d.json", json.dumps(dashboard))
    assert codes(reading) == {"query", "markup_panel", "script"}
    assert reading.grids[0].rows == (("1", "3"), ("2", ""))
    series = [{"target": "n", "datapoints": [[7, 1000]]}]
    assert read_text_as("s.json", json.dumps(series)).grids[0].rows == (("7", "1000"),)


def test_a_text_of_a_card_is_a_text_and_of_a_figure_may_run() -> None:
    for text in ("<script>x</script>", "<img src=x onerror=x>", "javascript:x", "JaVa\tScript:x"):
        assert codes(read_text_as("c.json", json.dumps({"title": text}))) == set()
        figure = {"data": [{"type": "bar", "y": [12]}], "layout": {"title": text}}
        assert codes(read_text_as("f.json", json.dumps(figure))) == {"script"}, text
    for text in ("Bilan: janvier", "Data: stays", "https://x.test/"):
        titled = {"data": [{"type": "bar", "y": [12]}], "layout": {"title": text}}
        assert codes(read_text_as("f.json", json.dumps(titled))) == set()


# Notebooks


def notebook(*outputs: dict[str, Any], **cell: Any) -> str:
    code = {"cell_type": "code", "source": "1", "metadata": {}, "execution_count": 1,
            "outputs": list(outputs)} | cell  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code]})


def shown(mime: str, data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {mime: data}, "metadata": {}}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (notebook(shown("text/plain", SECRET)), "output"),
        (notebook({"output_type": "stream", "name": "stdout", "text": [SECRET]}), "output"),
        (notebook({"output_type": "error", "ename": "E", "evalue": SECRET, "traceback": []}),
         "traceback"),
        (notebook(shown("application/javascript", SECRET)), "script"),
        (notebook(shown("text/html", f"<script>{SECRET}</script>")), "script"),
        (notebook(shown("image/svg+xml", f"<svg><script>{SECRET}</script></svg>")), "script"),
        (notebook(shown("image/png", base64.b64encode(
            make_noted_png(b"tEXt", b"a\0" + SECRET.encode())).decode())), "metadata"),
        (notebook(shown("application/vnd.jupyter.widget-view+json", {"a": SECRET})), "widget"),
        (notebook(shown("application/vnd.plotly.v1+json",
                        {"data": [{"type": "bar", "y": [1], "customdata": [SECRET]}]})),
         "hover_data"),
        (notebook(metadata={"papermill": {"x": SECRET}}), "metadata"),
        (notebook(metadata={"jupyter": {"outputs_hidden": True}}, source=SECRET), "hidden"),
        (notebook(attachments={"a.png": {"text/plain": SECRET}}), "attachment"),
        (notebook(source=f"open('/home/{SECRET}')"), "path"),
        (json.dumps({"nbformat": 4, "metadata": {"widgets": {"a": SECRET}}, "cells": []}),
         "widget"),
    ],
)  # fmt: skip
def test_what_a_notebook_carries_is_read_and_told(text: str, code: str) -> None:
    reading = read_text_as("n.ipynb", text)
    assert code in codes(reading)
    assert SECRET in found(reading)


def test_a_stripped_notebook_is_clean() -> None:
    kernel = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}}
    cells = [{"cell_type": "markdown", "source": "# Titre", "metadata": {}}]
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells})
    assert codes(read_text_as("n.ipynb", text)) == set()


# Tables


def test_a_csv_is_its_cells_and_its_formulas_are_told() -> None:
    reading = read_text_as("t.csv", "a,b\n1,-2.5\n3,+4 %\n")
    assert codes(reading) == set()
    assert reading.grids[0].rows == (("1", "-2.5"), ("3", "+4 %"))
    for formula in ("=1+1", "@x", "+cmd|' /C calc'!A0", "-1+cmd", "\t=1"):
        assert codes(read_text_as("t.csv", f'a,b\n1,"{formula}"\n')) == {"formula"}, formula
    assert codes(read_text_as("t.csv", "a,b\n1,2,3\n")) == {"hidden"}


def test_parquet_tells_its_metadata_index_and_statistics() -> None:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = pd.DataFrame({"n": [12, 30]}, index=pd.Index([SECRET, "b"], name="patient"))
    target = io.BytesIO()
    frame.to_parquet(target)
    reading = read_artefact("t.parquet", target.getvalue())
    assert codes(reading) == {"index", "statistics"}
    assert SECRET in found(reading)
    table = pa.table({"n": [1]}).replace_schema_metadata({"note": SECRET})
    target = io.BytesIO()
    pq.write_table(table, target)
    reading = read_artefact("t.parquet", target.getvalue())
    assert codes(reading) == {"metadata"}
    assert SECRET in found(reading)
    target = io.BytesIO()
    pq.write_table(pa.table({"n": [1, 2]}), target)
    assert codes(read_artefact("t.parquet", target.getvalue())) == set()


def make_workbook(change: Callable[[Any, Any], None]) -> Reading:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["service", "n"])
    sheet.append(["A", 12])
    change(book, sheet)
    target = io.BytesIO()
    book.save(target)
    return read_artefact("t.xlsx", target.getvalue())


def _nothing(book: Any, sheet: Any) -> None:
    pass


def _hidden_sheet(book: Any, sheet: Any) -> None:
    other = book.create_sheet("x")
    other.append([SECRET])
    other.sheet_state = "veryHidden"


def _hidden_row(book: Any, sheet: Any) -> None:
    sheet.append([SECRET])
    sheet.row_dimensions[3].hidden = True


def _hidden_column(book: Any, sheet: Any) -> None:
    sheet["D1"] = SECRET
    sheet.column_dimensions["D"].hidden = True


def _comment(book: Any, sheet: Any) -> None:
    from openpyxl.comments import Comment

    sheet["A1"].comment = Comment(SECRET, "a")


def _name(book: Any, sheet: Any) -> None:
    from openpyxl.workbook.defined_name import DefinedName

    book.defined_names["x"] = DefinedName("x", attr_text=f'"{SECRET}"')


def _formula(book: Any, sheet: Any) -> None:
    sheet["C2"] = f'="{SECRET}"'


def _property(book: Any, sheet: Any) -> None:
    book.properties.description = SECRET


def _invisible_format(book: Any, sheet: Any) -> None:
    sheet["C2"] = SECRET
    sheet["C2"].number_format = ";;;"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_hidden_sheet, "hidden"), (_hidden_row, "hidden"), (_hidden_column, "hidden"),
        (_comment, "comment"), (_name, "defined_name"), (_formula, "formula"),
        (_property, "metadata"), (_invisible_format, "hidden"),
    ],
)  # fmt: skip
def test_what_a_workbook_hides_is_read_and_told(change: Any, code: str) -> None:
    reading = make_workbook(change)
    assert code in codes(reading)
    assert SECRET in found(reading)


def test_a_plain_workbook_is_clean_and_its_cells_are_read() -> None:
    reading = make_workbook(_nothing)
    assert codes(reading) == set()
    assert reading.grids[0].rows == (("A", "12"),)


def test_foreign_parts_of_a_workbook_are_told() -> None:
    import zipfile

    from openpyxl import Workbook

    target = io.BytesIO()
    Workbook().save(target)
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r" Type="t" Target="file:///{SECRET}" TargetMode="External"/>'
        "</Relationships>"
    )
    with zipfile.ZipFile(target, "a") as package:
        package.writestr("xl/vbaProject.bin", b"x")
        package.writestr("xl/externalLinks/externalLink1.xml", f"<a>{SECRET}</a>")
        package.writestr("xl/pivotCache/pivotCacheRecords1.xml", f"<a>{SECRET}</a>")
        package.writestr("xl/drawings/_rels/drawing1.xml.rels", rels)
        package.writestr("other.txt", b"x")
    reading = read_artefact("t.xlsx", target.getvalue())
    assert {"script", "external_link", "pivot_cache", "embedded"} <= codes(reading)
    assert SECRET in found(reading)


# PDF, text, comments


def test_a_pdf_tells_its_metadata_and_what_it_carries() -> None:
    from matplotlib.figure import Figure

    target = io.BytesIO()
    Figure().savefig(target, format="pdf", metadata={"Title": SECRET, "CreationDate": None})
    reading = read_artefact("f.pdf", target.getvalue())
    assert codes(reading) == {"metadata", "not_read"}
    assert SECRET in found(reading)
    armed = target.getvalue().replace(
        b"/Type /Catalog", b"/Type /Catalog /Open#41ction 9 0 R /JS (x)"
    )
    assert "script" in codes(read_artefact("f.pdf", armed))


def test_tracebacks_escapes_and_markup_in_text_are_told() -> None:
    trace = "Traceback (most recent call last):\n  File x\nValueError: 185057800608436"
    assert codes(read_text_as("l.log", trace)) == {"traceback"}
    assert codes(read_text_as("l.log", "a\x1b[31mb")) == {"escapes"}
    assert codes(read_text_as("l.txt", "a <script>b</script>")) == {"markup"}
    assert codes(read_text_as("l.txt", "Bonjour\n")) == set()


def test_a_comment_on_a_ticket_gives_no_orders() -> None:
    assert codes(read_ticket_comment("Terminé.\n/close\n")) == {"quick_action"}
    reading = read_ticket_comment("Terminé, voir https://x.test/a.")
    assert codes(reading) == set()
    assert found(reading) == "Terminé, voir https://x.test/a."


@pytest.mark.parametrize(
    "text",
    [
        "Voici :\n\n||Service||n||\n|A|44|\n|B|80|\n",
        "| Service | n |\n|---|--:|\n| A | 44 |\n| B | 80 |\n\nMerci.",
    ],
)
def test_the_tables_of_a_comment_are_read_as_tables(text: str) -> None:
    (grid,) = read_ticket_comment(text).grids
    assert grid.header == ("Service", "n")
    assert grid.rows == (("A", "44"), ("B", "80"))


def test_a_comment_without_a_table_has_none() -> None:
    assert read_ticket_comment("Terminé | fini.\n").grids == ()


# The vocabulary


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_has_its_sentence(language: Any) -> None:
    own = {"clean", "too_many_rows", "unexplained", "small_counts", "not_rendered"}
    assert set(topic_texts(language, "artefact")) == set(VERDICTS) | own


def test_every_form_is_read() -> None:
    from wardbook.artefacts.magic import READABLE

    assert set(READERS) == READABLE

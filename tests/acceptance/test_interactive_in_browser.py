"""Figures of Plotly and coloured tables, from the notebook's call to a page under its policy."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_output

from tests.browser import CHROMIUM, SWITCHES
from tests.sample_report import make_run
from wardbook.notebook import declare
from wardbook.notebook.index import read_index
from wardbook.notebook.plotly_picture import draw_plotly
from wardbook.notebook.session import open_run
from wardbook.pages.build import build_site
from wardbook.pages.publish import publish_report
from wardbook.pages.serve import serve_site
from wardbook.template.spec import TemplateProblem

sync_api = pytest.importorskip("playwright.sync_api")
go = pytest.importorskip("plotly.graph_objects")

SECRET = "Dupont 185057800608436"

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
]


def draw_figure():
    figure = go.Figure()
    days = ["2021-01-08", "2021-01-09", "2021-01-10"]
    figure.add_scatter(
        x=days,
        y=[12, 40, 31],
        name="Réanimation",
        customdata=[[SECRET]] * 3,
        hovertemplate="%{customdata}",
        line={"color": "rgb(200, 30, 30)"},
    )
    figure.add_bar(x=days, y=[20, 25, 30], name="Médecine", hovertext=[SECRET] * 3)
    figure.update_layout(title="Séjours <b>par jour</b>", yaxis_title="Séjours")
    return figure


def colour_table():
    days, durations = ["2021-01-08"] * 2, [3.5, None]
    frame = pd.DataFrame(
        {"ward": ["Réa", "Med"], "day": days, "stays": [120, 17], "duration": durations}
    )

    def paint(value) -> str:
        return "background-color: rgb(255, 210, 190); position: fixed" if value == 120 else ""

    style = frame.style.map(paint, subset=["stays"])
    foreign = "color: #9c2b22; background: url(http://foreign.test/)"
    style = style.map(lambda _: foreign, subset=["ward"])
    return style.map(lambda _: "background-color: #336699", subset=["duration"])


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run whose notebook calls `wb.table` and `wb.figure`; what they show is its outputs."""
    run = make_run(tmp_path)
    spec = {
        "key": "r", "request": "D-1", "template": "ward_stays",
        "template_folder": str(run.template.folder), "kernel": "python3", "language": "fr",
        "parameters": {}, "sources": {},
    }  # fmt: skip
    (run.folder / "spec.json").write_text(json.dumps(spec))
    monkeypatch.setenv("WARDBOOK_RUN", str(run.folder))
    open_run.cache_clear()
    shown = []

    def keep(data, kind, *, output=None, rows=None, styles=()):
        mark = {"publish": kind, "output": output, "rows": rows, "styles": list(styles)}
        plain = {name: content for name, content in data.items() if isinstance(content, str)}
        shown.append(new_output("display_data", data=plain, metadata={"wardbook": mark}))

    monkeypatch.setattr(declare, "publish", keep)
    declare.table("stays", colour_table())
    declare.figure("curve", draw_figure(), caption="Séjours", alternative="Deux séries montent.")
    run.cells = [new_code_cell("import wardbook as wb", outputs=shown)]
    run.released = read_index(run.outputs)
    return run


@pytest.fixture
def page():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser.new_page(viewport={"width": 1100, "height": 900})
        browser.close()


def test_plotly_and_coloured_cells_are_shown_under_the_policy(run, page, tmp_path):
    public = tmp_path / "public"
    publish_report(public, run.stage(), "data-1", "2021-01")
    build_site(public, templates={}, language="fr", unit="Unité")
    problems = []
    page.on("console", lambda message: problems.append(message.text))
    with serve_site(public, 0) as server:
        page.goto(f"{server.url}reports/data-1/2021-01/")
        page.screenshot(path=str(tmp_path / "page.png"), full_page=True)
        look = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).position]"
        assert page.get_by_role("cell", name="120").evaluate(look) == [
            "rgb(255, 210, 190)", "static"
        ]  # fmt: skip
        head = page.get_by_role("rowheader", name="Réa")
        assert head.evaluate("one => getComputedStyle(one).color") == "rgb(156, 43, 34)"
        painted = page.evaluate(
            "[...document.querySelectorAll('td')].filter(one => getComputedStyle(one)"
            ".backgroundColor === 'rgb(51, 102, 153)').map(one => one.textContent)"
        )
        assert painted == ["3,5"]  # the empty cell has no colour that tells what it was
        size = page.locator(".figure img").evaluate("one => [one.naturalWidth, one.naturalHeight]")
        assert size[0] > 1000
        assert (
            page.get_by_role("cell", name="3,5").evaluate("one => getComputedStyle(one).color")
            == "rgb(255, 255, 255)"
        )
    assert problems == []


def test_nothing_that_plotly_keeps_beside_the_picture_leaves(run):
    for file in run.render().rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file.name


@pytest.mark.parametrize(
    "trace",
    [
        {"type": "scatter", "mode": "markers", "x": [1, 2], "y": [3, 4]},
        {"type": "scatter", "fill": "tozeroy", "y": [3, 4, 2]},
        {"type": "bar", "orientation": "h", "x": [3, 4], "y": ["a", "b"]},
        {"type": "histogram", "x": [1, 1, 2, 3]},
        {"type": "box", "y": [1, 2, 3, 99], "name": "a"},
        {"type": "heatmap", "z": [[1, 2], [3, 4]], "x": ["a", "b"], "y": ["c", "d"]},
        {"type": "pie", "labels": ["a", "b"], "values": [3, 4]},
    ],
)
def test_every_kind_of_trace_draws_something(trace):
    drawn = draw_plotly("curve", go.Figure(trace))
    (axes, *_) = drawn.axes
    artists = [*axes.lines, *axes.patches, *axes.collections, *axes.images]
    assert artists


def test_stacked_bars_stand_on_each_other():
    figure = go.Figure(layout={"barmode": "stack"})
    figure.add_bar(x=["a", "b"], y=[1, 2])
    figure.add_bar(x=["a", "b"], y=[10, 20])
    bars = draw_plotly("curve", figure).axes[0].patches
    assert [(bar.get_y(), bar.get_height()) for bar in bars] == [(0, 1), (0, 2), (1, 10), (2, 20)]


def test_traces_of_several_kinds_share_their_places():
    drawn = draw_plotly("curve", draw_figure()).axes[0]
    (line,) = drawn.lines
    middles = [bar.get_x() + bar.get_width() / 2 for bar in drawn.patches]
    assert list(line.get_xdata()) == pytest.approx(middles)
    assert list(line.get_ydata()) == [12, 40, 31]
    figure = go.Figure([go.Bar(x=["a", "b"], y=[1, 2]), go.Bar(x=["c", "b"], y=[3, 4])])
    axes = draw_plotly("curve", figure).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in axes.patches] == [0, 1, 2, 1]


def test_a_trace_that_cannot_be_drawn_is_refused_by_its_kind():
    with pytest.raises(TemplateProblem, match="kind 'sankey' cannot be shown"):
        draw_plotly("curve", go.Figure({"type": "sankey"}))

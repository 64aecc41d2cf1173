"""The previews: values that passed in pictures, tables and words; the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, create_engine

from tests.metric_template import write_metric_template
from tests.metric_values import WITHHELD_DAY, begin, fill
from tests.page_reading import find_active, read_page
from tests.unit_values import fill_unit
from wardbook.dashboards.board import Threshold
from wardbook.dashboards.declared import declared_board
from wardbook.dashboards.drawing.frame import make_ticks
from wardbook.dashboards.drawing.series import MOST_LINES, heat_of, pieces
from wardbook.dashboards.preview import preview_pages
from wardbook.dashboards.preview_panel import severity_of
from wardbook.dashboards.reading import BoardValues, Line, read_board
from wardbook.dashboards.unit import unit_board
from wardbook.messages import Language
from wardbook.pages.build import build_site
from wardbook.template.spec import TemplateSpec, load_template

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def spec(tmp_path: Path) -> TemplateSpec:
    return load_template(write_metric_template(tmp_path / "templates")).spec


@pytest.fixture
def connection(spec: TemplateSpec) -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        fill(connection, spec)
        yield connection
    engine.dispose()


def shown(connection: Connection, spec: TemplateSpec, language: Language = "fr") -> BoardValues:
    values = read_board(connection, declared_board(spec, language))
    assert values is not None
    return values


def build(folder: Path, boards: list[BoardValues], language: Language = "fr") -> Path:
    pages = preview_pages(boards, language, PARIS, "https://grafana.example/")
    build_site(folder, templates={}, language=language, unit="Unité", pages=pages)
    return folder


def plain(file: Path) -> str:
    """Return a page's words, without its marks."""
    page = file.read_text(encoding="utf-8")
    return " ".join(re.sub("<[^>]*>", " ", page).replace("\xa0", " ").replace("&#39;", "'").split())


def test_a_page_for_each_board_and_a_list(
    connection: Connection, spec: TemplateSpec, tmp_path: Path
) -> None:
    fill_unit(connection)
    unit = read_board(connection, unit_board("fr"))
    assert unit is not None
    site = build(tmp_path / "site", [shown(connection, spec), unit])
    beds, listed = (plain(site / "dashboards" / name) for name in ("beds/index.html", "index.html"))
    assert "14 janvier 2026 – 15 mars 2026 Demande DATA-7" in beds, "days of the unit's zone"
    assert "critique Plus de 95 % de lits occupés, deux jours de suite." in listed
    assert "Service GERI (97,5 %)" in beds
    assert "89 %" in beds
    assert "au-dessus de 95 % (critique)" in beds
    assert "Ouvrir dans Grafana" in beds
    assert "L’unité elle-même" in listed
    assert "27,0 h" in plain(site / "dashboards/unit/index.html")


def test_pages_do_nothing_and_style_nothing_themselves(
    connection: Connection, spec: TemplateSpec, tmp_path: Path
) -> None:
    hostile = replace(shown(connection, spec).board, title='<script>alert(1)</script>" onload="x')
    values = replace(shown(connection, spec), board=hostile)
    site = build(tmp_path / "site", [values])
    for file in (site / "dashboards").rglob("*.html"):
        assert set(find_active(read_page(file))) <= {"<svg>"}, "our own pictures"
        text = file.read_text(encoding="utf-8")
        assert "style=" not in text and "<script>" not in text


def test_the_same_values_give_the_same_bytes(
    connection: Connection, spec: TemplateSpec, tmp_path: Path
) -> None:
    first, again = (
        (build(tmp_path / name, [shown(connection, spec)]) / "dashboards/beds/index.html")
        for name in ("one", "two")
    )
    assert first.read_bytes() == again.read_bytes()


def test_each_picture_says_what_it_shows(
    connection: Connection, spec: TemplateSpec, tmp_path: Path
) -> None:
    site = build(tmp_path / "site", [shown(connection, spec, "en")], "en")
    page = (site / "dashboards/beds/index.html").read_text(encoding="utf-8")
    pictures = page.count('role="img"')
    assert pictures == 1 + 3 * 2, "a spark; lines, heat and bars in two widths"
    assert page.count("</title><desc") == pictures
    assert "Line chart of 3 series from 14 January 2026 to 15 March 2026." in page
    assert "From 70% to 97.5%." in page


def test_what_is_withheld_is_said_and_never_a_zero(
    connection: Connection, spec: TemplateSpec, tmp_path: Path
) -> None:
    values = shown(connection, spec)
    lines = next(one for one in values.panels if one.panel.name == "occupancy").lines
    urge = next(line for line in lines if line.name == "URGE")
    early = tuple(point for point in urge.points if point[0] <= begin(WITHHELD_DAY))
    cut = tuple(
        replace(one, lines=(replace(urge, points=early),)) if one.panel.name == "occupancy" else one
        for one in values.panels
    )
    site = build(tmp_path / "site", [replace(values, panels=cut)])
    page = plain(site / "dashboards/beds/index.html")
    assert "URGE non montré" in page


def test_a_line_breaks_where_a_value_is_withheld_or_missing() -> None:
    days = [0, 1, 2, 3, 6, 7]
    points = tuple((START + day * DAY, None if day == 2 else float(day)) for day in days)
    runs = [[value for _, value in run] for run in pieces(Line("x", points), DAY)]
    assert runs == [[0.0, 1.0], [3.0], [6.0, 7.0]]


def test_more_lines_than_a_reader_can_tell_apart_are_left_to_the_table(
    connection: Connection, spec: TemplateSpec, tmp_path: Path
) -> None:
    values = shown(connection, spec)
    points = tuple((START + day * DAY, float(day)) for day in range(5))
    lines = tuple(Line(f"W{number:02d}", points) for number in range(MOST_LINES + 3))
    many = tuple(
        replace(one, lines=lines) if one.panel.name == "occupancy" else one for one in values.panels
    )
    site = build(tmp_path / "site", [replace(values, panels=many)])
    page = plain(site / "dashboards/beds/index.html")
    assert "3 autres séries ne sont pas dessinées" in page
    assert "W10" in page, "in the table"


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 8.0, [0, 2, 4, 6, 8]),
        (70.0, 97.5, [70, 80, 90, 100]),
        (27.0, 27.0, [0, 10, 20, 30]),
        (0.0, 0.0, [0, 0.5, 1]),
        (-3.0, 4.0, [-4, -2, 0, 2, 4]),
    ],
)
def test_ticks_are_round_and_hold_the_values(low: float, high: float, ticks: list[float]) -> None:
    made = make_ticks(low, high, from_zero=False)
    assert made[0] <= low and made[-1] >= high
    assert made == pytest.approx(ticks)


def test_counts_have_no_parts_of_one() -> None:
    assert make_ticks(0, 1, from_zero=True, whole=True) == [0, 1]


def test_a_value_has_the_severity_of_the_farthest_threshold(
    connection: Connection, spec: TemplateSpec
) -> None:
    panel = replace(
        shown(connection, spec).board.panels[0],
        thresholds=(Threshold(90, True, "warning"), Threshold(98, True, "critical")),
    )
    assert [severity_of(panel, value) for value in (90, 91, 99, None)] == [
        "",
        "warning",
        "critical",
        "",
    ]


def test_shades_go_from_the_least_to_the_greatest() -> None:
    assert [heat_of(value, 30, 45) for value in (30, 37.5, 45)] == [1, 4, 6]
    assert heat_of(3, 3, 3) == 1


def test_nothing_delivered_is_told(tmp_path: Path) -> None:
    site = build(tmp_path / "site", [])
    assert "Aucun tableau de bord n’a encore de valeurs." in plain(site / "dashboards/index.html")

"""The previews of dashboards in a real headless Chromium: desk, phone, dark, screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine

from tests.browser import CHROMIUM, SWITCHES
from tests.metric_template import write_metric_template
from tests.metric_values import fill
from tests.unit_values import fill_unit
from wardbook.dashboards.declared import declared_board
from wardbook.dashboards.preview import preview_pages
from wardbook.dashboards.reading import read_board
from wardbook.dashboards.unit import unit_board
from wardbook.pages.build import build_site
from wardbook.pages.serve import serve_site
from wardbook.template.spec import load_template

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PAGES = ("dashboards/beds/index.html", "dashboards/unit/index.html", "dashboards/index.html")
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dashboards")
    spec = load_template(write_metric_template(folder / "templates")).spec
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        fill(connection, spec)
        fill_unit(connection)
        boards = [declared_board(spec, "fr"), unit_board("fr")]
        shown = [values for board in boards if (values := read_board(connection, board))]
    engine.dispose()
    pages = preview_pages(shown, "fr", ZoneInfo("Europe/Paris"))
    build_site(folder / "site", templates={}, language="fr", unit="Unité", pages=pages)
    with serve_site(folder / "site", 0) as server:
        yield server.url


@pytest.mark.parametrize("view", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_fit_and_the_policy_lets_all_of_them_be(
    browser: Any, site: str, view: dict[str, int]
) -> None:
    context = browser.new_context(viewport=view)
    page, told = context.new_page(), list[str]()
    page.on("console", lambda message: told.append(message.text))
    for name in PAGES:
        page.goto(site + name)
        assert page.evaluate("document.documentElement.scrollWidth") <= view["width"], name
    assert told == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, site: str, scheme: str) -> None:
    context = browser.new_context(viewport=DESK, color_scheme=scheme)
    page = context.new_page()
    for name in PAGES if scheme == "light" else PAGES[:1]:
        page.goto(site + name)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = axe.Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], name
    context.close()


def test_axe_would_notice_a_picture_without_words(browser: Any, site: str) -> None:
    page = browser.new_page()
    page.goto(site + PAGES[0])
    page.evaluate("document.querySelectorAll('svg title, svg desc').forEach(one => one.remove())")
    found = axe.Axe().run(page).response["violations"]
    assert "svg-img-alt" in [one["id"] for one in found]
    page.close()


def test_letters_are_as_large_as_the_page_s_own(browser: Any, site: str) -> None:
    """A picture is drawn for both widths: no label shrinks with the screen."""
    for view in (PHONE, DESK):
        page = browser.new_page(viewport=view)
        page.goto(site + PAGES[0])
        heights = page.evaluate(
            "[...document.querySelectorAll('svg.chart text')].filter(one => one.checkVisibility())"
            ".map(one => one.getBoundingClientRect().height)"
        )
        assert len(heights) > 10
        assert min(heights) > 14, view
        page.close()


def test_a_threshold_and_each_line_can_be_told_apart(browser: Any, site: str) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(site + PAGES[0])
    drawn = page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby=p-occupancy] svg.wide path.line')]"
        ".map(one => getComputedStyle(one)).map(one => [one.stroke, one.strokeDasharray])"
    )
    # A broken line is several paths: URGE has a gap.
    assert len(drawn) == 4
    assert len({tuple(one) for one in drawn}) == 3
    page.close()

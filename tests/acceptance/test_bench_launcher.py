"""An analyst tries a template, compares and submits in a real JupyterLab and a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.bench.jupyter import berth_here, find_panel
from pipelines.bench.launch import open_request
from pipelines.bench.running import Running, end
from tests.bench_world import BenchWorld
from tests.browser import CHROMIUM, PATIENCE
from tests.form_against_gate import open_browser

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
expect = sync_api.expect
pytestmark = [
    pytest.mark.xdist_group("bench"),
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
    pytest.mark.skipif(find_panel() is None, reason="the extension in lab/ is not built"),
]
NIR = 'nir = "2 55 08 14 168 025 38"'


@pytest.fixture(scope="module")
def lab(
    bench_world: BenchWorld, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, str]]:
    """JupyterLab as `wardbook lab` starts it, and the notebook of an open request."""
    folder = tmp_path_factory.mktemp("desk")
    desk = bench_world.desk(folder)
    own = {"WARDBOOK_BENCH": str(folder), "WARDBOOK_LANGUAGE": "en"}
    opened = open_request(desk, bench_world.prepare("wards"), bench_world.environment() | own)
    yield opened.running, opened.path
    end(berth_here(desk))


@pytest.fixture(scope="module")
def page(lab: tuple[Running, str]) -> Iterator[Any]:
    with open_browser() as browser:
        opened = browser.new_page(viewport={"width": 1400, "height": 900})
        opened.set_default_timeout(PATIENCE)
        yield opened


def find_serious(page: Any, place: str) -> list[str]:
    told = axe.Axe().run(page, place).response["violations"]
    return [one["id"] for one in told if one["impact"] in ("serious", "critical")]


def test_a_tile_opens_its_form_and_the_form_a_notebook(page: Any, lab: tuple[Running, str]) -> None:
    page.goto(lab[0].url())
    expect(page.get_by_role("menuitem", name="File", exact=True)).to_be_visible()  # in English
    page.locator(".jp-LauncherCard", has_text="COVID-19: speed of the epidemic").click()
    form = page.locator(".wb-Form")
    weeks = form.get_by_label("Weeks for the speed")
    weeks.fill("9")
    form.get_by_role("button", name="Try it").press("Enter")
    expect(weeks).to_be_focused()
    expect(weeks).to_have_attribute("aria-invalid", "true")
    expect(form.locator(".wb-Form-error")).to_have_text("No more than 4.")
    expect(form.get_by_role("alert")).to_contain_text("1 value(s) to mend")
    assert find_serious(page, ".wb-Form") == []
    label = form.locator("label", has_text="Weeks for the speed")
    place = label.get_attribute("for")
    label.evaluate("one => one.removeAttribute('for')")
    assert find_serious(page, ".wb-Form") == ["label-title-only"]
    label.evaluate("(one, place) => one.setAttribute('for', place)", place)

    weeks.fill("3")
    expect(form.locator(".wb-Form-error")).to_have_count(0)
    form.get_by_role("button", name="Try it").press("Enter")
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
    expect(page.get_by_role("heading", name="try-epidemic_growth-1")).to_be_visible()


def test_a_change_is_compared_refused_by_its_cell_mended_and_submitted(
    page: Any, lab: tuple[Running, str]
) -> None:
    page.goto(f"{lab[0].url(lab[1])}&reset")  # without the notebook of the try
    cell = page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content")
    cell.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(f"\n{NIR}")
    expect(cell).to_contain_text("nir =")
    page.get_by_role("button", name="Compare with the last version").click()
    expect(page.locator(".nbdime-Widget .jp-Notebook-diff")).to_contain_text("nir =")

    page.get_by_role("button", name="Submit…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.insert_text("Count nights, too")
    dialog.get_by_role("button", name="Submit").click()
    place = dialog.get_by_role("alert").get_by_role("button", name="notebook.ipynb, cell 2")
    expect(place).to_be_visible()
    assert find_serious(page, ".jp-Dialog") == []
    place.click()
    expect(page.locator(".jp-Notebook .jp-Cell").nth(1)).to_have_class(re.compile("jp-mod-active"))
    cell.click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Shift+Home")
    page.keyboard.insert_text("nights = len(days)")
    page.get_by_role("button", name="Submit…").click()
    expect(dialog.get_by_role("textbox")).to_have_value("Count nights, too")
    dialog.get_by_role("button", name="Submit").click()
    expect(dialog.get_by_role("link", name="Open the merge request")).to_have_attribute(
        "href", re.compile("/merge_requests/")
    )

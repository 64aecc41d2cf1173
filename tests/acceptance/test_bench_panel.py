"""The panel in a real JupyterLab, in a real headless Chromium: what is shown, heard and reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bench_world import BenchWorld
from lab_in_browser import BUILT, Lab, open_lab

from tests.browser import CHROMIUM, PATIENCE, SWITCHES
from wardbook.messages import say, topic_texts

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
expect = sync_api.expect
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.node,
    pytest.mark.xdist_group("bench"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
    pytest.mark.skipif(not BUILT, reason="the panel is not built (make panel; needs node and npm)"),
]
WORDS = topic_texts("fr", "panel")
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def key(bench_world: BenchWorld) -> str:
    return bench_world.prepare("report")


@pytest.fixture(scope="module")
def lab(bench_world: BenchWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with open_lab(bench_world, tmp_path_factory.mktemp("desk"), "fr") as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def page(browser: Any, lab: Lab, key: str) -> Iterator[Any]:
    """The request's notebook and its panel, at a desk."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    lab.open(opened, key)
    yield opened
    context.close()
    assert problems == []


def find_serious(page: Any) -> list[str]:
    found = axe.Axe().run(page, context=".wb-panel").response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def command(page: Any, name: str) -> Any:
    return page.locator(f'.wb-panel [data-command="wardbook:{name}"]')


def test_the_card_stands_beside_the_requests_notebook(page: Any, key: str) -> None:
    panel = page.get_by_role("region", name=WORDS["panel"])
    expect(panel.get_by_role("heading", level=2)).to_contain_text(key)
    expect(panel).to_contain_text("Situation hospitalière COVID-19")
    expect(panel).to_contain_text("où en sont les hospitalisations")
    expect(panel).to_contain_text("Claire Moreau")
    expect(panel.get_by_role("radio", name=WORDS["data_real"])).to_be_checked()
    expect(page.locator(".wb-data-mark")).to_have_text(WORDS["data_real"])
    expect(panel.get_by_role("link", name=WORDS["issue"])).to_have_attribute("target", "_blank")
    history = panel.locator(".wb-history")
    assert history.get_attribute("open") is None
    for name in ("run", "leaving", "preview", "compare-version", "compare-release", "submit"):
        expect(command(page, name)).to_be_visible()
    expect(command(page, "leaving")).to_be_disabled()  # nothing was tried yet


def test_a_guideline_that_is_broken_would_be_noticed(page: Any) -> None:
    assert find_serious(page) == []
    page.evaluate("document.querySelector('.wb-panel').append(document.createElement('button'))")
    assert find_serious(page) == ["button-name"]
    page.evaluate("document.querySelector('.wb-panel > button').remove()")


def test_everything_is_reached_by_keyboard_alone(page: Any, key: str) -> None:
    page.locator(".jp-Notebook").focus()
    page.keyboard.press("Alt+b")
    page.keyboard.press("w")
    expect(page.locator(".wb-panel")).to_be_focused()
    wanted = page.locator(".wb-panel :is(button:enabled, a, summary, input:checked)").count()
    reached = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                    const one = document.activeElement, look = getComputedStyle(one);
                    return [Boolean(one.closest('.wb-panel')), look.outlineStyle !== 'none'];
                }"""
            )
        )
    assert reached == [[True, True]] * wanted
    page.keyboard.press("Alt+b")
    page.keyboard.press("w")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # all requests
    expect(page.get_by_role("heading", name=WORDS["requests"])).to_be_visible()
    page.locator(".wb-list button", has_text=key).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".wb-panel").get_by_role("heading", level=2)).to_contain_text(key)


def test_no_edit_is_lost_where_saving_fails_and_the_panel_says_so(page: Any, key: str) -> None:
    alert = page.locator(".wb-panel [role=alert]")
    expect(alert).to_be_empty()
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# à garder\n")
    page.context.set_offline(True)
    try:
        command(page, "run").click()
        expect(alert).to_contain_text(WORDS["save_failed"])
        page.locator(".jp-Dialog").get_by_role("button").last.click()
    finally:
        page.context.set_offline(False)
    first = page.locator(".jp-Notebook .jp-Cell .cm-content").first
    expect(first).to_contain_text("# à garder")
    assert page.locator(".wb-trial").count() == 0
    alert.get_by_role("button", name=WORDS["dismiss"]).click()
    expect(alert).to_be_empty()


def test_dark_and_narrow_it_is_readable_too(browser: Any, lab: Lab, key: str) -> None:
    context = browser.new_context(viewport=PHONE)
    try:
        page = context.new_page()
        lab.choose_theme(page, "JupyterLab Dark")
        lab.open(page, key)
        page.locator('body[data-jp-theme-light="false"]').wait_for(state="attached")
        expect(page.locator(".wb-panel")).to_be_hidden()  # the window is the notebook's
        page.keyboard.press("Alt+b")
        page.keyboard.press("w")
        panel = page.locator(".wb-panel")
        expect(panel).to_be_in_viewport(ratio=0.95)
        assert panel.evaluate("one => one.scrollWidth <= one.clientWidth")
        assert find_serious(page) == []
        command(page, "compare-version").click()
        # JupyterLab may yet bring the notebook to the front, when it has listed its folder.
        page.locator(".nbdime-Widget").wait_for(state="attached")
        expect(panel).to_be_hidden()  # it made room, and so did the notebook
        expect(page.locator(".lm-DockPanel-tabBar")).to_have_count(1)
        lab.choose_theme(page, "JupyterLab Light")
    finally:
        context.close()


def test_the_analysts_language_is_the_whole_pages(page: Any) -> None:
    shown = page.locator(".wb-panel").inner_text()
    assert say("fr", "panel.work") in shown
    assert page.locator(".wb-panel-content").get_attribute("lang") == "fr"
    # and JupyterLab's own
    assert page.locator("html").get_attribute("lang") == "fr-FR"
    expect(page.get_by_role("menuitem", name="Fichier", exact=True)).to_be_visible()
    # a word that is missing shows its name
    assert not {name for name in WORDS if "_" in name and name in shown}


def test_where_the_bench_does_not_answer_the_panel_says_so(
    browser: Any, lab: Lab, key: str
) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = context.new_page()
        page.route("**/wardbook/api/words*", lambda route: route.fulfill(status=502, body="-"))
        page.set_default_timeout(PATIENCE)
        page.goto(f"{lab.url}wardbook/open?request={key}&token={lab.token}")
        alert = page.locator(".wb-panel [role=alert]")
        alert.wait_for()
        expect(alert).to_contain_text("L’atelier ne répond pas")
        expect(alert).to_contain_text("The bench does not answer")
        assert find_serious(page) == []
        page.unroute_all()
        alert.get_by_role("button").click()
        page.locator(f'.wb-panel[aria-label] h2:has-text("{key}")').wait_for()
    finally:
        context.close()

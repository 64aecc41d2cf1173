"""An analyst's whole way in a browser: open, change, run as production, see, mend, submit.

A real JupyterLab, started by `wardbook lab`, in a real headless Chromium; a real pass of the
platform then takes the commit. The pictures of the documentation are taken on the way.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.bench_world import BenchWorld
from tests.browser import CHROMIUM, PATIENCE, SWITCHES
from tests.lab_in_browser import BUILT
from wardbook.domain.states import State
from wardbook.messages import say
from wardbook.report.figures import read_png_size

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

KEPT = os.environ.get("WARDBOOK_PICTURES", "")
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = {"width": 1360, "height": 860}
ALL_WARDS = "hospital = presence.sum_hospital(daily)"
ONE_WARD = 'hospital = presence.sum_hospital(daily[daily["ward"] == "REAC"])'
BUT_ONE = 'hospital = presence.sum_hospital(daily[daily["ward"] != "REAC"])'
FIGURE = "Patients présents par jour"
EVIDENCE = "À relire avant toute sortie"
CHANGED = re.compile("jp-mod-dirty")
MARKED = ".jp-CodeCell.wb-marked"
MESSAGE = "Effectif de l’hôpital sans la réanimation"


pytestmark = [
    pytest.mark.chromium,
    pytest.mark.xdist_group("bench"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
    pytest.mark.skipif(not BUILT, reason="the panel is not built: make panel (node 18 and npm)"),
]


@dataclass(frozen=True)
class Opened:
    """A request on an analyst's bench, and where a browser finds it."""

    key: str
    folder: Path
    address: str


@pytest.fixture
def opened(bench_world: BenchWorld, tmp_path: Path) -> Iterator[Opened]:
    key = bench_world.prepare("wards")
    folder = tmp_path / "bench"

    def lab(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "lab", *arguments, "--folder", folder],
            env=bench_world.environment(), capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1]

    try:
        yield Opened(key, folder, lab(key))
    finally:
        lab("--stop")


@pytest.fixture
def page() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_page(viewport=SIZE, locale="fr-FR")
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


class Analyst:
    """What an analyst does with keyboard and mouse, in French."""

    def __init__(self, page: Any, kept: Path) -> None:
        self.page, self.kept = page, kept
        self.panel = page.locator(".wb-panel-content")

    def button(self, word: str) -> Any:
        return self.panel.get_by_role("button", name=say("fr", f"panel.{word}"), exact=True)

    def rewrite(self, old: str, new: str) -> None:
        """Replace one line of a cell, typing."""
        line = self.page.locator(".jp-Notebook .cm-line", has_text=old)
        line.scroll_into_view_if_needed()
        line.click()
        self.page.keyboard.press("Home")
        self.page.keyboard.press("Shift+End")
        self.page.keyboard.insert_text(new)
        expect(self.page.locator(".jp-Notebook .cm-line", has_text=new)).to_have_count(1)

    def run_as_production(self) -> None:
        self.button("run").click()
        expect(self.panel.locator("progress")).to_be_visible()
        expect(self.panel.locator(".wb-trial-ended")).to_be_visible()

    def look_at_a_result_that_takes_no_edit(self) -> None:
        expect(self.page.locator(".jp-NotebookPanel")).to_have_count(2)
        result = self.page.locator(".jp-NotebookPanel").last
        expect(result.locator(".cm-content").first).to_have_attribute("aria-readonly", "true")
        tab = self.page.locator(".lm-TabBar-tab", has_text="executed.ipynb")
        expect(tab).not_to_have_class(CHANGED)

    def look_at_what_would_leave(self, title: str) -> Any:
        """Return the row of an output."""
        self.button("leaving").click()
        row = self.panel.locator(".wb-leaving tbody tr", has=self.page.get_by_text(title))
        expect(row).to_have_count(1)
        return row

    @contextmanager
    def kept_waiting(self, asked: str) -> Iterator[None]:
        """Hold back what the bench's server answers, as a busy machine does."""
        pattern = f"**/{asked}*"
        held: list[Any] = []
        self.page.route(pattern, lambda route: held.append(route))
        try:
            yield
        finally:
            for route in held:
                route.continue_()
            self.page.unroute(pattern)
        assert held

    def submit(self, message: str) -> str:
        """Return the address to which the answer leads."""
        self.button("submit_command").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("textbox").fill(message)
        dialog.get_by_role("button", name=say("fr", "panel.submit_send"), exact=True).click()
        link = dialog.get_by_role("link", name=say("fr", "panel.submit_merge_request"))
        expect(link).to_be_visible()
        return str(link.get_attribute("href"))

    def picture(self, name: str) -> None:
        self.page.screenshot(path=self.kept / f"{name}.png")


def test_from_opening_a_request_to_the_evidence_on_its_merge_request(
    opened: Opened, bench_world: BenchWorld, page: Any, tmp_path: Path
) -> None:
    ana = Analyst(page, Path(KEPT) if KEPT else tmp_path)
    page.goto(opened.address)
    expect(ana.panel.get_by_role("heading", level=2)).to_contain_text(opened.key)
    expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()
    page.keyboard.press("Control+b")  # the list of files makes room
    ana.picture("bench-open")

    ana.rewrite(ALL_WARDS, ONE_WARD)
    ana.run_as_production()
    ana.look_at_a_result_that_takes_no_edit()
    ana.button("result").click()
    ana.look_at_a_result_that_takes_no_edit()
    expect(
        page.locator(".jp-OutputArea-output table, .jp-OutputArea-output img").first
    ).to_be_attached()
    ana.picture("bench-run")
    page.locator(".lm-TabBar-tab", has_text="executed.ipynb").locator(
        ".lm-TabBar-tabCloseIcon"
    ).click()

    expect(ana.panel.locator(".wb-leaving")).to_be_visible()
    with ana.kept_waiting("leaving"):  # what is shown can be followed while it is asked for anew
        figure = ana.look_at_what_would_leave(FIGURE)
        expect(ana.button("run")).to_be_disabled()
        figure.get_by_role("button", name=FIGURE).click()
        expect(page.locator(MARKED)).to_contain_text('"figure_hospital"')
    expect(ana.button("run")).to_be_enabled()
    held = say("fr", "check.figure_from_cut", tables="hospital")
    expect(figure).to_contain_text(say("fr", "report.mark_hold"))
    expect(figure).to_contain_text(held)
    figure.scroll_into_view_if_needed()
    ana.picture("bench-leaving")

    ana.rewrite(ONE_WARD, BUT_ONE)
    ana.run_as_production()
    figure = ana.look_at_what_would_leave(FIGURE)
    expect(figure).to_contain_text(say("fr", "report.mark_pass"))
    address = ana.submit(MESSAGE)

    record = bench_world.lead(opened.key, State.HELD)
    assert record.links.merge_request_url == address
    page.goto(address)
    evidence = page.locator("article.note", has_text=EVIDENCE)  # the diff names outputs too
    expect(evidence).to_have_count(1)
    expect(evidence).to_contain_text(str(record.work.commit)[:8])
    for check in record.work.checks:
        expect(evidence).to_contain_text(check.output)
    evidence.evaluate("it => it.scrollIntoView()")
    ana.picture("merge-request")
    if KEPT:
        return
    for file in tmp_path.glob("*.png"):
        shown = PICTURES / file.name
        assert read_png_size(shown.read_bytes(), name="") == (SIZE["width"], SIZE["height"])

"""Photographs of what people see, taken of a demonstration as it really ran."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from pipelines.demo.demo import opened_world, show_demo
from pipelines.demo.world import find_real_data

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def photograph(folder: Path, pictures: Path) -> None:
    """Play the demonstration in `folder` and leave PNG files in `pictures`."""
    pictures.mkdir(exist_ok=True)
    with opened_world(folder, find_real_data()) as (world, sandbox, site):
        shown = show_demo(world, sandbox, site, lambda _: None)
        report = shown.journeys[0].addresses[0]
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
            _shoot(browser, report, pictures / "report.png", 1100, 1150)
            _shoot(browser, report, pictures / "report-phone.png", 390, 844)
            _shoot(browser, shown.site, pictures / "site.png", 1100, 900)
            form = f"{shown.site}catalogue/line_list/request/index.html"
            _shoot(browser, form, pictures / "form.png", 1100, 1400)
            ticket = f"{shown.jira}/browse/{shown.journeys[0].key}"
            _shoot(browser, ticket, pictures / "ticket.png", 1100, 900)
            browser.close()


def _shoot(browser: Browser, address: str, file: Path, width: int, height: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(address)
    page.screenshot(path=file)
    page.close()

"""A person with a browser and a terminal: a ticket filed in the form, followed to its answer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli.main import main
from tests.browser import CHROMIUM, SWITCHES

pytestmark = [pytest.mark.chromium, pytest.mark.xdist_group("by hand")]


def test_a_ticket_filed_in_the_form_is_answered(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    if not CHROMIUM.exists():
        pytest.skip("no browser (Debian package chromium)")
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "sandbox", "--dir", tmp_path / "world"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        printed = [process.stdout.readline() for _ in range(4)]
        form = re.findall(r"http\S+/create", printed[0])[0]
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
            page = browser.new_page()
            page.goto(form)
            page.locator("header select").select_option(label="Claire Moreau")
            with page.expect_navigation():
                page.get_by_role("button", name="Changer").click()
            page.goto(form)
            page.get_by_label("Résumé").fill("Situation hospitalière")
            page.get_by_label("Service").select_option(label="Direction médicale")
            page.get_by_label("Finalité").select_option(label="Soins")
            page.get_by_label("Base légale").select_option(label="Accord du chef de service")
            page.get_by_label("Référence").fill("NOTE-1")
            page.get_by_label("Échéance").fill("2099-12-31")
            page.get_by_label("Approbateur").select_option(label="Dr Hélène Bernard")
            page.get_by_label("Modèle").fill("hospital_epidemic")
            page.locator("main form button").last.click()
            page.wait_for_url("**/browse/DATA-1")
            assert "À traiter" in page.locator("main").inner_text()
            assert main(["--settings", str(tmp_path / "world" / "wardbook.toml"), "tick"]) == 0
            page.reload()
            text = page.locator("main").inner_text()
            assert "Résolu" in text
            assert "est prête" in text
            page.locator(".note a").first.click()
            page.wait_for_url("**/reports/data-1/**")
            assert "Situation hospitalière" in page.title()
            browser.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0

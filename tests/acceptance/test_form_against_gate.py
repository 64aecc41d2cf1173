"""The form refuses what the gate would refuse, accepts what it accepts, and says the same words.

At length: `python -m tests.form_against_gate`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.browser import CHROMIUM
from tests.form_against_gate import (
    ROOT,
    Difference,
    Gate,
    build_forms,
    compare,
    open_browser,
)
from tests.form_cases import make_cases, make_catalogue, make_unit
from wardbook.messages import LANGUAGES, Language
from wardbook.pages.serve import serve_site

pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
]
CASES, SEED = 100, 2026
SPOILT = {
    "a bound": "rules.parameters.find((one) => one.name === 'real').max = null",
    "another bound": "rules.parameters.find((one) => one.name === 'day').min = null",
    "what is needed": "rules.parameters.find((one) => one.name === 'flag').required = false",
    "the period": "rules.parameters.find((one) => one.name === 'first').from_period = false",
    "a reference": "rules.references.mr_004.form = '.*'",
    "the ethics committee": "rules.references.ethics.form = '.*'",
    "case folding": "rules.folds = {}",
    "who may use a source": "rules.sources.forEach(s => s.fitting.forEach(f => f.services = []))",
    "what for": "rules.sources.forEach(s => s.fitting.forEach(f => f.purposes.push('care')))",
    "the officers": "rules.officers.push('rfaure')",
    "the day": "judgeExpiry = () => {}",
    "a cron's end": "everFires = () => true",
    "unbreakable spaces": "tidy = (text) => text.trim()",
    "lines": "compose = ((old) => (v, r) => ({...old(v, r), parameters: 'a = b'}))(compose)",
}
"""Rules of the page, each changed alone; the comparison has to find every one out."""


class Desk:
    """The forms of a unit in a browser, and its gate."""

    def __init__(self, browser: Any, folder: Path, root: Path) -> None:
        self.browser, self.folder = browser, folder
        self.templates, self.settings = make_catalogue(root), make_unit()
        self.gates = {one: Gate(self.templates, self.settings, one) for one in LANGUAGES}

    def compare(
        self, name: str, language: Language = "fr", spoil: str = ""
    ) -> tuple[list[Difference], Counter[str]]:
        """Form and gate on the same inputs, after some script changed the page's rules."""
        public, template = self.folder / language, self.templates[name]
        if not public.exists():
            build_forms(public, self.templates, self.settings, language)
        with serve_site(public, 0) as server, closing(self.browser.new_page()) as page:
            page.goto(f"{server.url}catalogue/{name}/request/index.html")
            page.evaluate(f"() => {{ {spoil} }}")
            return compare(page, template, self.gates[language], self.cases(name))

    @cache  # noqa: B019 - the desk lives as long as its tests
    def cases(self, name: str) -> list[dict[str, str]]:
        """The inputs to a template's form: more to the one with parameters of every kind."""
        count = 6 * CASES if name == "zoo" else CASES
        return list(make_cases(self.templates[name], self.settings, count, SEED))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Desk]:
    with open_browser() as browser:
        yield Desk(browser, tmp_path_factory.mktemp("forms"), root)


SHIPPED = sorted(file.parent.name for file in ROOT.glob("templates/*/template.toml"))


@pytest.mark.parametrize("name", [*SHIPPED, "zoo", "barren"])
def test_form_and_gate_say_the_same(desk: Desk, name: str) -> None:
    differences, codes = desk.compare(name)
    assert not differences, str(differences[0])
    assert len(codes) > 15  # a run that finds nothing to refuse proves nothing
    assert name == "barren" or codes["accepted"] > CASES / 10


def test_they_say_the_same_in_english(desk: Desk) -> None:
    differences, _ = desk.compare("epidemic_growth", "en")
    assert not differences, str(differences[0])


@pytest.mark.parametrize("rule", SPOILT)
def test_a_form_with_a_rule_changed_is_found_out(desk: Desk, rule: str) -> None:
    differences, _ = desk.compare("zoo", spoil=SPOILT[rule])
    assert differences

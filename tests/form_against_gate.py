"""The form against the gate: the same inputs to both, and the same answer expected of both.

    python -m tests.form_against_gate --cases 20000

The form judges in a real Chromium, on the page as the site serves it. What it composes goes the
ticket's own way: the checks of (the sandbox's) Jira, the payload, the reader, the gate.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requests_sync.form_rules import gate_rules
from requests_sync.gate import explain_problem, judge_ticket
from requests_sync.payloads import ticket_of_payload
from tests.browser import CHROMIUM, SWITCHES
from tests.form_cases import TODAY, make_cases, make_catalogue, make_unit
from wardbook.form.pages import form_pages
from wardbook.messages import LANGUAGES, Language
from wardbook.pages.build import build_site
from wardbook.pages.serve import serve_site
from wardbook.sandbox.jira.fields import Wrong, read_summary, read_text
from wardbook.settings import Settings
from wardbook.template.spec import Template

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
JUDGE = """([texts, today]) => JSON.parse(texts).map((values) => ({
  ticket: compose(values, rules),
  problems: judge(values, rules, today)
    .map((one) => [one.field, one.code, one.name, explain(one, rules)]),
}))"""
Told = tuple[str, str, str, str]
"""Field, code, parameter, and the whole sentence."""


@dataclass(frozen=True)
class Difference:
    """One input on which form and gate do not agree."""

    values: Mapping[str, str]
    form: Sequence[Told]
    gate: Sequence[Told]

    def __str__(self) -> str:
        both = [(one, two) for one, two in zip_longest(self.form, self.gate) if one != two]
        short = {name: text[:60] for name, text in self.values.items()}
        return f"form and gate: {both[:2]}\n    of {short!r}"


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


def build_forms(
    public: Path, templates: Mapping[str, Template], settings: Settings, language: Language
) -> None:
    """The site with the forms of these templates."""
    pages = form_pages(templates, settings, gate_rules(), language, TODAY)
    build_site(public, templates=templates, language=language, unit="Unité", pages=pages)


def ask_form(page: Page, cases: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """What the open form makes of each input: the ticket that it composes, and its problems."""
    # As ASCII: half a character would not survive the way into the browser otherwise.
    answers: list[dict[str, Any]] = page.evaluate(JUDGE, [json.dumps(cases), TODAY.isoformat()])
    return answers


class Gate:
    """Jira and the gate of a unit. What it said of a ticket it says again without thinking."""

    def __init__(
        self, templates: Mapping[str, Template], settings: Settings, language: Language
    ) -> None:
        self._templates, self._settings, self._language = templates, settings, language
        self._said: dict[tuple[str, ...], tuple[list[Told], Mapping[str, str] | None]] = {}

    def ask(
        self, ticket: Mapping[str, str], me: str
    ) -> tuple[list[Told], Mapping[str, str] | None]:
        """What is wrong with a composed ticket, and else the parameters of the request."""
        key = (me, *ticket.values())
        if key not in self._said:
            self._said[key] = self._judge(ticket, me)
        return self._said[key]

    def _judge(
        self, ticket: Mapping[str, str], me: str
    ) -> tuple[list[Told], Mapping[str, str] | None]:
        told: list[Told] = [(field, code, "", "") for field, code in _ask_jira(ticket)]
        # Without a summary Jira has no ticket: the gate is asked as if there were one.
        summary = ticket["summary"][:255] or "x"
        payload = _payload_of({**ticket, "summary": summary}, me, self._settings)
        read = ticket_of_payload(json.loads(json.dumps(payload)), self._settings.jira.fields)
        verdict = judge_ticket(read, self._templates, self._settings, TODAY)
        told += [
            (one.field, one.code, one.name, explain_problem(one, self._language))
            for one in verdict.problems
        ]
        return told, verdict.request and verdict.request.parameters


def _ask_jira(ticket: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    try:
        read_summary(ticket["summary"])
    except Wrong:
        yield "summary", "text_too_long" if ticket["summary"] else "missing"
    for field in ("description", "parameters"):
        try:
            read_text(ticket[field])
        except Wrong:
            yield field, "too_long_for_jira"


def _payload_of(ticket: Mapping[str, str], me: str, settings: Settings) -> dict[str, Any]:
    """The ticket as Jira answers it."""
    ids = settings.jira.fields.model_dump(exclude_none=True)
    people = {"approver", "dpo", "colleagues"}
    custom: dict[str, Any] = {ids[name]: ticket[name] or None for name in ids if name not in people}
    for name in ("approver", "dpo"):
        account = ticket[name]
        custom[ids[name]] = (
            {"name": account, "displayName": settings.name_of(account)} if account else None
        )
    custom[ids["colleagues"]] = ticket["colleagues"]
    reporter = me or "somebody"
    return {
        "key": "DATA-1",
        "id": "10001",
        "fields": custom
        | {
            "updated": "2026-03-02T11:59:00.000+0000",
            "status": {"name": "À traiter"},
            "summary": ticket["summary"],
            "description": ticket["description"] or None,
            "components": [{"name": ticket["components"]}] if ticket["components"] else [],
            "reporter": {"name": reporter, "displayName": settings.name_of(reporter)},
        },
    }


def compare(
    page: Page, template: Template, gate: Gate, cases: Sequence[Mapping[str, str]]
) -> tuple[list[Difference], Counter[str]]:
    """Both on the same inputs: where they differ, and how often each code was found."""
    differences, codes = [], Counter[str]()
    for values, answer in zip(cases, ask_form(page, cases), strict=True):
        form = [tuple(one) for one in answer["problems"]]
        told, parameters = gate.ask(answer["ticket"], _line(values["me"]))
        # What Jira refuses it says in its own words.
        mine = [(*one[:3], "") if _is_of_jira(one) else one for one in form]
        if mine != told or (parameters is not None and parameters != _meant(values, template)):
            differences.append(Difference(values, mine, told))
        codes.update([one[1] for one in told] or ["accepted"])
    return differences, codes


def _is_of_jira(told: tuple[str, ...]) -> bool:
    return told[0] in {"summary", "description"} or told[1] == "too_long_for_jira"


def _line(text: str) -> str:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", whole).strip()


def _meant(values: Mapping[str, str], template: Template) -> dict[str, str]:
    """The parameters that stand in the controls: no more, no less may reach the request."""
    texts = {name: _line(values[f"parameter.{name}"]) for name in template.spec.parameters}
    return {name: text for name, text in texts.items() if text}


def main(arguments: Sequence[str]) -> int:
    """Compare at length; the exit code says whether both agreed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="for each template")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args(arguments)
    templates, settings = make_catalogue(ROOT), make_unit()
    bad = 0
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        for language in LANGUAGES:
            public, gate = Path(folder) / language, Gate(templates, settings, language)
            build_forms(public, templates, settings, language)
            with serve_site(public, 0) as server:
                for name, template in templates.items():
                    page = browser.new_page()
                    page.goto(f"{server.url}catalogue/{name}/request/index.html")
                    total: Counter[str] = Counter()
                    for start in range(0, asked.cases, 2000):
                        size = min(2000, asked.cases - start)
                        cases = list(make_cases(template, settings, size, asked.seed + start))
                        found, codes = compare(page, template, gate, cases)
                        total += codes
                        bad += len(found)
                        for one in found[:5]:
                            print(f"  {one}")
                    print(f"{language} {name}: {asked.cases} inputs, {dict(total.most_common())}")
                    page.close()
    print(f"seed {asked.seed}: {bad} differences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

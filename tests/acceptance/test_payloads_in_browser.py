"""Known script payloads through the way that a stranger's text takes to a page, in a real browser.

Each is shown thrice: on our pages as they are (nothing may happen), with the cleaning left out and
no policy (it has to work, or the look at our pages would prove nothing), and with the cleaning left
out under our policy alone.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_output

from tests.browser import CHROMIUM, SWITCHES
from tests.page_reading import find_active, read_page
from tests.sample_report import TEMPLATE, display, make_png, make_run, make_template, put_words
from tests.script_payloads import FOREIGN, PAYLOADS, Payload
from wardbook.domain.output import OutputKind
from wardbook.notebook.markdown import escape_markdown
from wardbook.pages.build import build_site
from wardbook.pages.publish import publish_report
from wardbook.pages.serve import serve_site
from wardbook.report.layout import site_scripts
from wardbook.report.policy import page_policy
from wardbook.sandbox.rendering import show_markdown, show_wiki

sync_api = pytest.importorskip("playwright.sync_api")

LONG = os.environ.get("WARDBOOK_CRASH") == "long"
TOGETHER = 1 if LONG else 22
"""Payloads in one report: one by one in the long form."""
CONTROLLED = PAYLOADS if LONG else PAYLOADS[::3]
"""Payloads that have to work on the control's pages: all of them in the long form."""
TABS = 12

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
]

# Everything that a reader could do to a page: point at it, click, focus, open. Then a moment in
# which animations end and requests leave; the control shows that it is long enough.
PROVOKE = """() => {
  const all = () => [...document.querySelectorAll('main *, main')];
  for (const one of all()) {
    if (one.tagName === 'DETAILS') one.open = true;
    for (const kind of ['mouseover', 'mouseenter', 'focus', 'mousedown'])
      one.dispatchEvent(new Event(kind, {bubbles: kind === 'mouseover'}));
    if (one.focus) one.focus();
  }
  const ours = /^(https?:|mailto:|file:|$)/;
  const control = 'button, [type=submit], [type=image], div, math *';
  for (const one of all()) {
    const address = one.href && one.href.baseVal !== undefined ? one.href.baseVal : one.href;
    const link = one.matches('a, area') && !ours.test(address || one.protocol || '');
    if (link || one.matches(control) || one.querySelector && one.matches('svg a'))
      one.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
  }
}"""
SETTLE = "new Promise(done => setTimeout(done, 80))"


@dataclass
class Watch:
    """What the browser did, tab by tab, that no page of ours asks for."""

    context: object
    happened: list[tuple[object, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("console", self._hear)
        self.context.route(f"{FOREIGN}**", self._meet)
        self.tabs = [self.context.new_page() for _ in range(TABS)]

    def visit(self, addresses: list[str]) -> dict[str, list[str]]:
        """Open every address, do everything to it; return what happened, where anything did."""
        found = {}
        for start in range(0, len(addresses), TABS):
            found |= self._visit_together(addresses[start : start + TABS])
        return found

    def _visit_together(self, addresses: list[str]) -> dict[str, list[str]]:
        self.happened.clear()
        tabs = dict(zip(addresses, self.tabs, strict=False))
        for address, tab in tabs.items():
            tab.goto(address, wait_until="load")
            tab.evaluate(PROVOKE)
        self.tabs[0].evaluate(SETTLE)
        for tab in tabs.values():
            tab.evaluate("1")  # what a tab said before reaches us before its answer to this
        found = {
            address: [what for where, what in self.happened if where == tab]
            for address, tab in tabs.items()
        }
        return {address: what for address, what in found.items() if what}

    def _hear(self, message) -> None:
        if message.text in ("/FIRED/", "FIRED"):
            self.happened.append((message.page, "ran"))

    def _meet(self, route) -> None:
        self.happened.append((route.request.frame.page, route.request.url))
        route.fulfill(status=204)  # without content a browser stays where it is


@pytest.fixture(scope="module")
def context():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser.new_context()
        browser.close()


@pytest.fixture(scope="module")
def watch(context):
    return Watch(context)


@pytest.fixture(scope="module")
def control(context):
    """A server of pages on which nothing is cleaned: `/bare/7`, `/policy/7`."""

    def answer(route) -> None:
        kind, number = route.request.url.rsplit("/", 2)[-2:]
        if not number.isdecimal():
            route.fulfill(status=404, body="")
            return
        headers = {"Content-Type": "text/html; charset=utf-8"}
        if kind == "policy":
            headers["Content-Security-Policy"] = page_policy(site_scripts().values())
        body = f"<!doctype html><title>x</title><main>{PAYLOADS[int(number)].html}</main>"
        route.fulfill(status=200, body=body, headers=headers)

    context.route("http://control.test/**", answer)
    return "http://control.test"


def put_everywhere(run, payloads: list[Payload]) -> None:
    """Put payloads wherever a stranger's text, or a notebook's output, can stand."""
    text = " ".join(payload.written for payload in payloads)
    put_words(run, text, link=payloads[0].written, receipt=text)
    run.released = []
    quoted = text.replace('"', '""').replace("\0", "")
    rows = f'"{quoted}",' * 3 + f'"{quoted}"\n'
    table = f"ward,day,stays,duration\n{rows}".encode()
    run.add("stays", OutputKind.TABLE, table, caption=text)
    run.add("curve", OutputKind.FIGURE, make_png(), caption=text, alternative=text)
    # As Markdown that a template wrote, and as a value that `wb.say` puts into it.
    texts = [text for one in payloads for text in (one.written, escape_markdown(one.written))]
    said = [display("text", text=text) for text in texts]
    run.cells = [
        new_code_cell(text, outputs=[*said, display("table", "stays"), display("table", text)]),
        new_code_cell("f", outputs=[display("figure", "curve"), display("figure", text)]),
        *(new_code_cell("o", outputs=list(show_in_notebook(payload))) for payload in payloads),
    ]


def show_in_notebook(payload: Payload):
    """Every kind of output that a notebook has, declared and not."""
    kinds = ["text/html", "image/svg+xml", "application/javascript", "text/markdown", "text/latex"]
    for kind in dict.fromkeys([*kinds, payload.mime or "text/html"]):
        data = payload.written
        if kind.endswith("+json"):
            try:
                data = json.loads(data)
            except ValueError:
                data = {"text": data}
        yield new_output("display_data", data={kind: data})
        mark = {"wardbook": {"publish": "text", "output": None, "rows": None}}
        data = {kind: data, "text/markdown": payload.written}
        yield new_output("display_data", data=data, metadata=mark)
    yield new_output("execute_result", data={"text/html": payload.written}, execution_count=1)
    yield new_output("stream", name="stdout", text=payload.written)
    yield new_output("error", ename="E", evalue=payload.written, traceback=[payload.written])


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """A site whose reports hold every payload in every place."""
    folder = tmp_path_factory.mktemp("payloads")
    public = folder / "public"
    for number, start in enumerate(range(0, len(PAYLOADS), TOGETHER)):
        run = make_run(folder / str(number))
        put_everywhere(run, list(PAYLOADS[start : start + TOGETHER]))
        publish_report(public, run.stage(f"staged-{number}"), f"p-{number}", "2021-01")
    # What an analyst writes into a template reaches the catalogue.
    text = json.dumps(" ".join(payload.html for payload in PAYLOADS))
    declared = TEMPLATE.replace('"Séjours par service"', text).replace('"Services"', text)
    template = make_template(folder / "catalogue", declared)
    build_site(public, templates={"ward_stays": template}, language="fr", unit=PAYLOADS[0].html)
    return public


@pytest.fixture(scope="module")
def site(public):
    with serve_site(public, 0) as server:
        yield server.url


POLICY = re.compile(rb'http-equiv="Content-Security-Policy" content="[^"]*"')


def list_pages(public: Path) -> list[str]:
    return sorted(file.relative_to(public).as_posix() for file in public.rglob("*.html"))


def test_no_payload_works_on_any_page(watch, site, public):
    pages = list_pages(public)
    reports = -(-len(PAYLOADS) // TOGETHER)
    shown = [name for name in pages if name.startswith("reports/")]
    assert len(shown) == 2 * reports, "each with the page of its editions"
    found = watch.visit([site + name for name in pages])
    print(f"our pages: {len(PAYLOADS)} payloads on {len(pages)} pages, {len(found)} pages fire")
    assert found == {}


def test_no_payload_works_where_only_the_cleaning_stands(context, watch, public):
    """Our pages without their policy: nothing on them needs it."""

    def answer(route) -> None:
        file = public / route.request.url.removeprefix("http://clean.test/")
        if not file.is_file():
            route.fulfill(status=404, body="")
            return
        body, kind = file.read_bytes(), "text/css" if file.suffix == ".css" else "text/html"
        bare = POLICY.sub(b'name="no-policy"', body)
        assert file.suffix != ".html" or bare != body
        route.fulfill(status=200, body=bare, headers={"Content-Type": f"{kind}; charset=utf-8"})

    context.route("http://clean.test/**", answer)
    assert watch.visit([f"http://clean.test/{name}" for name in list_pages(public)]) == {}


def test_our_pages_hold_nothing_active(public):
    for name in list_pages(public):
        assert find_active(read_page(public / name)) == [], name


def test_no_payload_works_in_a_comment_of_a_ticket_or_a_merge_request(context, watch):
    """As the trackers of the sandbox show it, without their policy."""

    def answer(route) -> None:
        start = int(route.request.url.rpartition("/")[2])
        shown = "".join(
            f"<article>{show(payload.written)}</article>"
            for payload in PAYLOADS[start : start + TOGETHER]
            for show in (show_wiki, show_markdown)
        )
        body = f"<!doctype html><title>x</title><main>{shown}</main>"
        route.fulfill(status=200, body=body, headers={"Content-Type": "text/html; charset=utf-8"})

    context.route("http://comments.test/**", answer)
    addresses = [f"http://comments.test/{at}" for at in range(0, len(PAYLOADS), TOGETHER)]
    assert watch.visit(addresses) == {}


def visit_control(watch, control: str, kind: str) -> set[str]:
    places = {payload.name: at for at, payload in enumerate(PAYLOADS)}
    addresses = {f"{control}/{kind}/{places[one.name]}": one.name for one in CONTROLLED}
    works = {addresses[address] for address in watch.visit(list(addresses))}
    print(f"{kind}: {len(works)} of {len(CONTROLLED)} payloads work")
    return works


def test_every_payload_works_where_nothing_holds_it_back(watch, control):
    assert sum(payload.fires for payload in PAYLOADS) >= 60
    works = visit_control(watch, control, "bare")
    assert works == {payload.name for payload in CONTROLLED if payload.fires}


def test_the_policy_alone_stops_every_payload_that_a_policy_can_stop(watch, control):
    works = visit_control(watch, control, "policy")
    assert works == {payload.name for payload in CONTROLLED if not payload.policy_stops}

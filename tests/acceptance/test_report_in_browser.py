"""A report in a real headless Chromium: sorted, printed, read by everybody; and on paper."""

import re
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.browser import CHROMIUM, SWITCHES
from tests.sample_report import STAYS, TEMPLATE, make_run, make_template
from wardbook.domain.output import OutputKind
from wardbook.errors import EnvironmentFault
from wardbook.headlines import Headline
from wardbook.pages.build import build_site
from wardbook.pages.publish import publish_report
from wardbook.pages.serve import serve_site
from wardbook.report import pdf
from wardbook.report.problem import ReportProblem
from wardbook.report.workbook import add_workbooks

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
REPORT = "reports/data-7/2021-01/index.html"
TITLE = "Séjours & durées de janvier"
HEADLINES = (
    Headline("Séjours", "12\u202f352", "du 8 au 10 janvier 2021"),
    Headline("Durée moyenne", "3,5\u00a0j", ""),
)
# The declaration decides: the day's column is a time, the ward's codes are no numbers.
ROLES = 'dimensions = ["ward", "day"]\ntime = "day"\ncount = "stays"'
MORE = "9,2020-12-31,9,\n10,2021-02-01,1000000,-0.5\n"

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    run = make_run(folder)
    run.template = make_template(folder / "other", TEMPLATE.replace('count = "stays"', ROLES))
    run.title = TITLE
    run.options = {"headlines": HEADLINES, "beside": frozenset({"xlsx", "pdf"}), "unit": "Unité"}
    run.released = [one for one in run.released if one.kind is not OutputKind.TABLE]
    table = (STAYS + MORE).encode()
    run.add("stays", OutputKind.TABLE, table, rows=5, caption="Séjours par jour")
    return run


@pytest.fixture(scope="module")
def public(run, tmp_path_factory):
    public = tmp_path_factory.mktemp("site") / "public"
    staged = run.stage(hidden={"stays": frozenset({2})})
    add_workbooks(staged, run.template, "fr")
    (staged / "report.pdf").write_bytes(b"%PDF-")
    publish_report(public, staged, "data-7", "2021-01")
    english = run.stage("english", language="en", unit="Unit")
    publish_report(public, english, "data-8", "2021-01")
    build_site(public, templates={"ward_stays": run.template}, language="fr", unit="Unité")
    return public


@pytest.fixture(scope="module")
def site(public):
    with serve_site(public, 0) as server:
        yield server.url


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport=DESK)
    yield context.new_page()
    context.close()


def column(page, number: int) -> list[str]:
    cells = page.locator(f".table tbody tr > :nth-child({number})").all_inner_texts()
    return [cell.replace("\u202f", " ") for cell in cells]


def states(page) -> list[str | None]:
    heads = page.locator(".table thead th").all()
    return [head.get_attribute("aria-sort") for head in heads]


def sort_by(page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).click()


def test_a_table_sorts_by_value_up_down_and_back(page, site):
    page.goto(site + REPORT)
    published = column(page, 3)
    assert published == ["12 345", "7", "masqué", "9", "1 000 000"]
    sort_by(page, "Séjours")
    assert column(page, 3) == ["7", "9", "12 345", "1 000 000", "masqué"]
    assert states(page) == [None, None, "ascending", None]
    sort_by(page, "Séjours")
    assert column(page, 3) == ["1 000 000", "12 345", "9", "7", "masqué"]
    assert states(page) == [None, None, "descending", None]
    sort_by(page, "Jour")
    assert column(page, 2)[:2] == ["31 déc. 2020", "8 janv. 2021"]
    assert states(page) == [None, "ascending", None, None]
    sort_by(page, "Durée moyenne (jours)")
    assert column(page, 4) == ["-0,50", "3,50", "12,25", "masqué", "–"]
    sort_by(page, "Service")
    assert column(page, 1) == ["01", "2A", "9", "10", "Réanimation"]
    for _ in range(2):
        sort_by(page, "Service")
    assert column(page, 3) == published
    assert states(page) == [None] * 4


def test_the_numbers_of_an_english_page_sort_too(page, site):
    page.goto(site + REPORT.replace("data-7", "data-8"))
    sort_by(page, "Stays")
    assert column(page, 3)[:4] == ["7", "9", "12,345", "1,000,000"]


def test_a_table_sorts_by_keyboard(page, site):
    page.goto(site + REPORT)
    page.get_by_role("button", name="Séjours", exact=True).focus()
    page.keyboard.press("Enter")
    assert column(page, 3)[0] == "7"
    page.keyboard.press("Space")
    assert column(page, 3)[0] == "1 000 000"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) != "none"


def test_without_javascript_the_page_is_the_same_without_the_buttons(browser, page, site):
    page.goto(site + REPORT)
    assert page.locator(".sort").count() == 4
    context = browser.new_context(viewport=DESK, java_script_enabled=False)
    plain = context.new_page()
    plain.goto(site + REPORT)
    assert plain.locator(".sort").count() == 0
    assert plain.locator("main").inner_text() == page.locator("main").inner_text()
    context.close()


def test_no_other_script_runs_under_the_policy_of_the_page(page, site, public):
    changed = []

    def change(route):
        changed.append(route.request.url)
        script = next((public / "assets").glob("sort-*.js")).read_text()
        route.fulfill(body=script + "\nwindow.fired = 1;", content_type="text/javascript")

    page.route("**/assets/sort-*.js", change)
    page.goto(site + REPORT)
    page.wait_for_load_state("networkidle")
    assert changed
    assert page.evaluate("window.fired === undefined")
    assert page.locator(".sort").count() == 0


def test_the_answer_is_seen_without_scrolling(browser, site):
    for size in (PHONE, DESK):
        context = browser.new_context(viewport=size)
        page = context.new_page()
        page.goto(site + REPORT)
        first = page.locator(".headline").first
        sync_api.expect(first).to_be_in_viewport(ratio=1)
        assert first.inner_text() == "12\u202f352"
        context.close()


def test_the_name_of_a_row_stays_in_sight_on_a_phone(browser, site):
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(site + REPORT)
    box = page.get_by_role("region", name="Séjours par jour")
    for way in (0, 10_000):
        box.evaluate("(box, way) => { box.scrollLeft = way; }", way)
        edges = box.evaluate(
            "box => [box, box.querySelector('tbody th')].map(one => one.getBoundingClientRect())"
            ".map(one => [one.left, one.right])"
        )
        assert edges[0][0] <= edges[1][0] < edges[1][1] <= edges[0][1], way
    context.close()


def serious(page) -> list[str]:
    """What axe-core calls serious or critical on the page as it is, every fold open."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_serious(browser, site, scheme, size):
    # axe-core is put into the page by the test, which the page's own policy would not allow.
    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    for name in (REPORT, "reports/data-7/index.html"):
        page.goto(site + name)
        if name == REPORT:
            sort_by(page, "Séjours")
        assert serious(page) == [], name
    context.close()


BROKEN = {
    "image-alt": "document.querySelector('.figure img').removeAttribute('alt')",
    "color-contrast": "document.querySelector('h1').style.color = '#c8c8c8'",
    "html-has-lang": "document.documentElement.removeAttribute('lang')",
    "button-name": "document.querySelector('.sort').textContent = ''",
    "aria-valid-attr-value": "document.querySelector('th').setAttribute('aria-sort', 'sideways')",
    "scrollable-region-focusable": "const box = document.querySelector('.table-box');"
    "box.removeAttribute('tabindex'); document.querySelectorAll('.sort').forEach(b => b.remove())",
}


@pytest.mark.parametrize("rule", BROKEN)
def test_axe_finds_what_is_broken(browser, site, rule):
    context = browser.new_context(viewport=PHONE, bypass_csp=True, color_scheme="light")
    page = context.new_page()
    page.goto(site + REPORT)
    page.evaluate(BROKEN[rule])
    assert rule in {one.partition(":")[0] for one in serious(page)}
    context.close()


# On paper


class Counter(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("fenced", [True, False])
def test_chromium_asks_nobody_while_it_prints(run, tmp_path, monkeypatch, fenced):
    """A page that would fetch something: its own policy is gone."""
    folder = run.render(f"foreign-{fenced}", assets=None, beside=frozenset())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    picture = f'<img alt="" src="http://127.0.0.1:{server.server_port}/{fenced}">'
    page = folder / "index.html"
    bare, found = re.subn(r"<meta http-equiv[^>]*>", "", page.read_text())
    assert found == 1
    page.write_text(bare.replace("</main>", f"{picture}</main>"))
    if not fenced:
        open_ways = [one for one in pdf._SWITCHES if "resolver" not in one]
        monkeypatch.setattr(pdf, "_SWITCHES", tuple(open_ways))
    pdf.print_report(folder, tmp_path / "report.pdf")
    server.shutdown()
    server.server_close()
    assert (f"/{fenced}" in Counter.asked) is not fenced


def unfold(content: bytes) -> bytes:
    """The objects of a PDF with its packed streams unfolded."""
    pieces = [content]
    for start in re.finditer(rb"stream\r?\n", content):
        try:
            pieces.append(zlib.decompressobj().decompress(content[start.end() :]))
        except zlib.error:
            continue
    return b"\n".join(pieces)


@pytest.fixture(scope="module")
def printed(public, tmp_path_factory):
    target = tmp_path_factory.mktemp("paper") / "report.pdf"
    address = "https://site.example/reports/data-7/2021-01/"
    pdf.print_report((public / REPORT).parent, target, address=address)
    return unfold(target.read_bytes())


def test_a_printed_report_has_title_language_and_structure(printed):
    title = f"{TITLE} · Unité".encode("utf-16-be").hex().upper().encode()
    assert b"/Title <FEFF" + title in printed
    assert b"/Lang (fr)" in printed
    assert b"/StructTreeRoot" in printed
    assert b"/Alt <FEFF" + "Courbe qui monte".encode("utf-16-be").hex().upper().encode() in printed


def test_a_printed_report_leads_to_the_site_and_names_no_folder(printed):
    links = set(re.findall(rb"/URI \(([^)]*)\)", printed))
    assert b"https://site.example/reports/data-7/index.html" in links
    assert b"https://jira.example/browse/DATA-7" in links
    assert not [one for one in links if not one.startswith(b"https://")]
    assert b"file:" not in printed
    assert b"wardbook-pdf" not in printed


def test_a_report_without_an_address_has_no_links_to_itself(run, tmp_path):
    folder = run.render("by-hand", assets=None, beside=frozenset())
    pdf.print_report(folder, tmp_path / "report.pdf")
    printed = unfold((tmp_path / "report.pdf").read_bytes())
    assert set(re.findall(rb"/URI \(([^)]*)\)", printed)) == {b"https://jira.example/browse/DATA-7"}
    assert [one.name for one in tmp_path.iterdir()] == ["report.pdf"]


def test_nothing_is_left_where_chromium_is_missing_fails_or_takes_too_long(
    public, tmp_path, monkeypatch
):
    folder, target = (public / REPORT).parent, tmp_path / "report.pdf"
    with pytest.raises(ReportProblem, match="no report"):
        pdf.print_report(tmp_path, target)
    with pytest.raises(EnvironmentFault, match=r"more than 0\.01 s"):
        pdf.print_report(folder, target, seconds=0.01)
    monkeypatch.setattr(pdf, "_SWITCHES", ("--version",))
    with pytest.raises(EnvironmentFault, match="ended with code 0"):
        pdf.print_report(folder, target)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFault, match="Chromium is not installed"):
        pdf.print_report(folder, target)
    assert list(tmp_path.iterdir()) == []

"""What a person meets who opens the site in a browser: a real headless Chromium."""

from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, SWITCHES
from tests.page_reading import HOSTILE
from tests.sample_report import make_hostile, make_run
from wardbook.pages.build import LATEST, build_site
from wardbook.pages.publish import publish_report
from wardbook.pages.search import index_site
from wardbook.pages.serve import serve_site

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

PHONE = {"width": 390, "height": 844}
REPORT = "reports/data-7-sejours/2021-01/"
HOSTILE_REPORT = "reports/data-9/2021-01/"
UNIT = "Unité d’analyse des données"

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
def public(tmp_path_factory):
    """A site with more reports than the front page shows, one of them hostile."""
    folder = tmp_path_factory.mktemp("site")
    public = folder / "public"
    run = make_run(folder / "calm")
    publish_report(public, run.stage(unit=UNIT), "data-7-sejours", "2021-01")
    for day in range(1, LATEST + 1):
        run.title = f"Rapport du {day} février 2021"
        run.provenance = replace(run.provenance, started=f"2021-02-0{day}T08:00:00+01:00")
        publish_report(public, run.stage(f"staged-{day}", unit=UNIT), f"autre-{day}", "2021-02")
    hostile = make_run(folder / "hostile")
    make_hostile(hostile)
    publish_report(public, hostile.stage(), "data-9", "2021-01")
    templates = {run.template.spec.name: run.template}
    build_site(public, templates=templates, language="fr", unit=UNIT)
    index_site(public, "fr")
    return public


@pytest.fixture(scope="module")
def site(public):
    with serve_site(public, 0) as server:
        yield server.url


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def list_pages(public: Path) -> list[str]:
    return sorted(file.relative_to(public).as_posix() for file in public.rglob("*.html"))


def test_every_report_is_two_clicks_from_the_front_page(page, site, public):
    page.goto(site)
    direct = page.eval_on_selector_all("main a", "links => links.map(link => link.href)")
    assert site + REPORT + "index.html" not in direct
    page.get_by_role("link", name="Voir les résultats").click()
    listed = page.eval_on_selector_all("main a", "links => links.map(link => link.href)")
    reports = {site + name for name in list_pages(public) if fnmatch(name, "reports/*/*/*")}
    assert len(reports) == LATEST + 2
    assert reports <= set(listed)
    page.get_by_role("link", name="Séjours de janvier 2021").click()
    assert page.url == site + REPORT + "index.html"
    assert page.get_by_role("heading", level=1).inner_text() == "Séjours de janvier 2021"
    page.get_by_role("link", name=UNIT).click()
    assert page.url == site + "index.html"


def test_a_card_of_the_front_page_is_a_link_as_a_whole(page, site):
    page.goto(site)
    box = page.locator(".card img").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/reports/**")
    assert "/reports/" in page.url


def test_pages_fit_a_phone_and_no_text_is_small(browser, site, public):
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True)
    page = context.new_page()
    for name in list_pages(public):
        page.goto(site + name)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        width, viewport = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= viewport == PHONE["width"], name
        assert page.evaluate(SMALL_TEXTS) == [], name
    context.close()


def test_a_wide_block_would_be_noticed(browser, site):
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(site + REPORT)
    page.evaluate("document.querySelector('h1').style.minWidth = '500px'")
    page.evaluate("document.querySelector('h1').style.fontSize = '12px'")
    assert page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]
    assert page.evaluate(SMALL_TEXTS) == ["H1"]
    context.close()


SMALL_TEXTS = """() => {
  const small = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() && parseFloat(getComputedStyle(parent).fontSize) < 16)
      small.add(parent.tagName);
  }
  return [...small];
}"""


def test_a_wide_table_scrolls_in_its_own_box(browser, site):
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(site + REPORT)
    box = page.get_by_role("region", name="Séjours par jour")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.focus()
    page.keyboard.press("ArrowRight")
    expect(box).not_to_have_js_property("scrollLeft", 0)
    context.close()


def test_the_code_is_hidden_until_asked_for(page, site):
    page.goto(site + REPORT)
    code = page.get_by_text("wb.table")
    assert code.count() == 0 or not code.first.is_visible()
    source = page.locator(".highlight").first
    assert not source.is_visible()
    page.get_by_text("Voir le code de l’analyse").click()
    assert source.is_visible()
    assert "import wardbook as wb" in source.inner_text()


def test_the_provenance_stands_at_the_foot(page, site):
    page.goto(site + REPORT)
    heading = page.get_by_role("heading", name="Provenance")
    assert heading.is_visible()
    above = page.locator("main h1, main h2, .figure, .table").evaluate_all(
        "parts => Math.max(...parts.filter(part => part.id !== 'provenance')"
        ".map(part => part.getBoundingClientRect().bottom))"
    )
    assert heading.bounding_box()["y"] > above
    terms = page.locator(".provenance dt").all_inner_texts()
    for term in ("Demande", "Données sources", "Modèle", "Révision du code", "Contrôles"):
        assert term in terms


def test_every_link_is_reached_by_keyboard_and_the_first_skips_the_menu(page, site):
    for name in ("", REPORT):
        page.goto(site + name)
        wanted = page.locator("a[href]:visible").count()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        expect(page.locator(".skip")).to_be_in_viewport(ratio=1)
        reached = 0
        for _ in range(3 * wanted):
            element = page.evaluate(
                "[document.activeElement.tagName, getComputedStyle(document.activeElement)"
                ".outlineStyle]"
            )
            reached += element[0] == "A"
            if element[0] == "BODY":
                break
            assert element[1] != "none"
            page.keyboard.press("Tab")
        assert reached == wanted


def test_every_image_is_there_and_described(page, site, public):
    for name in list_pages(public):
        page.goto(site + name)
        for image in page.locator("img").all():
            image.scroll_into_view_if_needed()
            assert image.get_attribute("alt") is not None
            expect(image).to_have_js_property("complete", True)
        assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0)"), name
    page.goto(site + REPORT)
    assert page.locator(".figure img").get_attribute("alt").startswith("Courbe qui monte")


def test_pages_are_styled_and_ask_nothing_that_is_refused_or_elsewhere(page, site, public):
    problems, asked = [], set()
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.add(request.url))
    for name in list_pages(public):
        page.goto(site + name)
        assert page.evaluate("getComputedStyle(document.body).margin") == "0px", name
    assert problems == []
    assert {url for url in asked if not url.startswith(site)} == set()


def test_a_report_opens_from_a_folder_too(page, public):
    page.goto((public / REPORT / "index.html").as_uri())
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(browser, site, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    for name in ("", REPORT, "catalogue/", "results/"):
        page.goto(site + name)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate(FAINT_TEXTS) == [], (scheme, name)
    page.evaluate("document.querySelector('h1').style.color = 'rgb(125 125 125)'")
    page.evaluate("document.querySelector('h1').style.background = 'rgb(160 160 160)'")
    assert len(page.evaluate(FAINT_TEXTS)) == 1
    context.close()


# Contrast by WCAG 2.2, 1.4.3: 4.5 to 1 for every text, of whatever size.
FAINT_TEXTS = """() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = colour.map(value => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim()) continue;
    const [a, b] = [light(parse(getComputedStyle(parent).color)), light(ground(parent))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${parent.tagName}.${parent.className} ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


def visit_and_provoke(page, address: str) -> bool:
    """Open a page, open and hover what there is, and say whether a foreign script ran."""
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for element in page.locator("main a, main img").all()[:40]:
        element.dispatch_event("mouseover")
    page.wait_for_load_state("networkidle")
    return page.evaluate("window.fired === 1")


def test_no_hostile_text_runs_on_any_page(page, site, public):
    for name in list_pages(public):
        assert not visit_and_provoke(page, site + name), name
        schemes = page.eval_on_selector_all("a", "links => links.map(link => link.protocol)")
        assert set(schemes) <= {"http:", "https:", "mailto:"}, name
    page.goto(site + HOSTILE_REPORT)
    assert "<script>window.fired=1</script>" in page.locator("h1").inner_text()
    assert "window.fired=1" in page.title()


def test_the_same_text_runs_where_it_is_not_made_safe(page, tmp_path):
    unsafe = tmp_path / "unsafe.html"
    unsafe.write_text(f"<!doctype html><title>{HOSTILE}</title><main>{HOSTILE}</main>")
    assert visit_and_provoke(page, unsafe.as_uri())


def test_the_policy_alone_stops_it_even_where_it_is_not_made_safe(page, tmp_path):
    (tmp_path / "index.html").write_text(f"<!doctype html><title>{HOSTILE}</title>{HOSTILE}")
    with serve_site(tmp_path, 0) as server:
        assert not visit_and_provoke(page, server.url)


def test_the_policy_of_the_page_itself_stops_it_too(page, public, tmp_path):
    unsafe = tmp_path / "unsafe.html"
    report = (public / REPORT / "index.html").read_text()
    unsafe.write_text(report.replace("<h1>", f"<h1>{HOSTILE}"))
    assert not visit_and_provoke(page, unsafe.as_uri())
    policy = report.index("<meta http-equiv")
    without = report[:policy] + report[report.index(">", policy) + 1 :]
    unsafe.write_text(without.replace("<h1>", f"<h1>{HOSTILE}"))
    assert visit_and_provoke(page, unsafe.as_uri())


def test_a_printed_report_shows_text_figures_and_provenance_but_no_menu(page, site):
    page.goto(site + REPORT)
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible()
    for part in ("h1", ".figure img", ".table table", ".provenance dl"):
        assert page.locator(part).is_visible(), part

"""The whole site with documentation and search, as readers meet it in a headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, SWITCHES
from tests.many_reports import publish_many
from wardbook.domain.states import State
from wardbook.pages.build import build_site
from wardbook.pages.docs import build_docs
from wardbook.pages.links import check_links
from wardbook.pages.requests import RequestLine
from wardbook.pages.search import INDEX, index_site
from wardbook.pages.serve import serve_site
from wardbook.shipped import shipped_folder
from wardbook.template.spec import load_catalogue

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect
REPORTS = 30
PAGES = (
    *("index.html", "results/index.html", "catalogue/index.html", "requests/index.html"),
    *("catalogue/hospital_epidemic/index.html", "search/index.html", "docs/index.html"),
    *("docs/methods/hospital_epidemic.html", "docs/teaching/read_a_dashboard.html"),
)

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.xdist_group("gitlab-ci"),  # which executes the same tutorials
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
]


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, executed_tutorials: Path) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    public = folder / "public"
    (folder / "cache").mkdir()
    (folder / "cache" / "executed").symlink_to(executed_tutorials)
    publish_many(folder, public, REPORTS)
    about = {"templates": load_catalogue(shipped_folder("templates")), "language": "fr"}
    assert build_docs(public, unit="Unité", cache=folder / "cache", **about)
    assert not build_docs(public, unit="Unité", cache=folder / "cache", **about), "nothing changed"
    lines = [RequestLine("DATA-1", "COVID-19 à l’hôpital", State.RUNNING, "2026-01-02")]
    build_site(public, unit="Unité", requests=lines, **about)
    index_site(public, "fr")
    return public


@pytest.fixture(scope="module")
def site(public: Path) -> Iterator[str]:
    with serve_site(public, 0) as server:
        yield server.url


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: sync_api.Browser) -> Iterator[sync_api.Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_every_link_of_the_whole_site_leads_somewhere(public: Path) -> None:
    check_links(public)


def test_two_clicks_lead_from_the_front_page_to_any_report(page: sync_api.Page, site: str) -> None:
    page.goto(site)
    lists = page.eval_on_selector_all(
        "main a[href*='results/']", "links => [...new Set(links.map(link => link.href))]"
    )
    reached = set()
    for address in lists:
        if address.endswith(".html"):
            page.goto(address)
            reached |= set(page.eval_on_selector_all("main a", "links => links.map(a => a.href)"))
    assert {f"{site}reports/data-{n}/1/index.html" for n in range(REPORTS)} <= reached


def test_one_search_leads_from_the_front_page_to_a_report(page: sync_api.Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("searchbox", name="Chercher dans tout le site").fill("rapport 17")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("résultat")
    page.get_by_role("link", name="rapport 17", exact=False).first.click()
    assert page.url == f"{site}reports/data-17/1/index.html"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("hémolyses", "émolyse"),  # plural
        ("DATA-23", "rapport 23"),
        ("reproduction effectif", "COVID-19\u00a0: vitesse de l’épidémie"),
        ("trouvaille", "La protection des données en pratique"),
        ("differencing", "Suppression, and the attack on it"),
    ],
)
def test_reports_catalogue_methods_and_documentation_are_found(
    page: sync_api.Page, site: str, words: str, found: str
) -> None:
    page.goto(f"{site}search/index.html")
    page.get_by_role("searchbox").fill(words)
    expect(page.locator("#search-hits a").first).to_be_visible()
    hits = page.locator("#search-hits li").all_inner_texts()
    assert any(found.lower() in hit.lower() for hit in hits), hits


def test_a_word_that_is_nowhere_is_told_and_an_address_brings_its_words(
    page: sync_api.Page, site: str
) -> None:
    page.goto(f"{site}search/index.html?q=þþþ")
    expect(page.get_by_role("status")).to_contain_text("Aucun résultat")
    page.get_by_role("searchbox").fill("grippe")
    expect(page.get_by_role("status")).to_contain_text("résultats")
    assert page.url.endswith("?q=grippe")


def test_further_results_are_shown_and_reached_by_keyboard(page: sync_api.Page, site: str) -> None:
    page.goto(f"{site}search/index.html?q=semaine")
    more = page.get_by_role("button", name="Montrer la suite")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#search-hits h2")).to_have_count(20)
    assert page.evaluate("document.activeElement.closest('li') !== null")


def test_a_site_without_an_index_says_so(page: sync_api.Page, tmp_path: Path) -> None:
    build_site(tmp_path, templates={}, language="fr", unit="Unité")
    with serve_site(tmp_path, 0) as server:
        page.goto(f"{server.url}search/index.html?q=grippe")
        expect(page.get_by_role("status")).to_contain_text("pas encore construit")


def test_only_the_search_page_may_run_webassembly(page: sync_api.Page, site: str) -> None:
    compiled = """async () => {
        const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
        try { await WebAssembly.compile(empty); return true; } catch { return false; }
    }"""
    for name in PAGES:
        page.goto(site + name)
        assert page.evaluate(compiled) == (name == "search/index.html"), name


def test_a_script_that_was_changed_does_not_run(browser, public: Path, site: str) -> None:
    (script,) = (public / "assets").glob("search-*.js")
    context = browser.new_context()
    page = context.new_page()
    page.goto(site)
    assert page.locator("#search-box").is_visible(), "the control: as it is, it runs"
    changed = script.read_bytes() + b"\ndocument.title = 'fired';"
    headers = {"Content-Type": "text/javascript"}
    context.route("**/search-*.js", lambda route: route.fulfill(body=changed, headers=headers))
    page.goto(site)
    assert page.title() != "fired" and not page.locator("#search-box").is_visible()
    context.close()


def test_everything_can_be_read_without_javascript(browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    page.get_by_role("main").get_by_role("link", name="Recherche").click()
    expect(page.get_by_text("La recherche a besoin de JavaScript")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Résultats").click()
    page.get_by_role("link", name="rapport 29").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("rapport 29")
    page.goto(f"{site}docs/teaching/data_protection.html")
    assert page.get_by_role("heading", name="Aucun identifiant").is_visible()
    context.close()


def test_no_page_asks_another_server_or_what_its_policy_refuses(
    browser, public: Path, site: str
) -> None:
    asked, problems = set(), []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.add(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type in ("error",) else None,
    )
    documents = [file.relative_to(public).as_posix() for file in public.glob("docs/**/*.html")]
    assert len(documents) > 25
    policies = {(public / name).read_text().count("Content-Security-Policy") for name in documents}
    assert policies == {1}
    for name in (*PAGES, *documents[:4]):
        page.goto(site + name)
    assert {url for url in asked if not url.startswith(site)} == set()
    assert problems == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, site: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    for name in PAGES if scheme == "light" else PAGES[-6::2]:
        page.goto(site + name)
        found = Axe().run(page).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        told = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in serious]
        assert told == [], (scheme, name)
    page.evaluate("document.querySelector('h1').innerHTML += '<img src=\"x.png\">'")
    assert any(one["id"] == "image-alt" for one in Axe().run(page).response["violations"])
    context.close()


def test_the_documentation_fits_a_phone(browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    page = context.new_page()
    for name in PAGES:
        page.goto(site + name)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    context.close()


def test_the_index_is_made_anew_only_when_a_page_has_changed(public: Path) -> None:
    before = (public / INDEX / ".stamp").read_text()
    assert not index_site(public, "fr")
    page = public / "reports" / "data-3" / "1" / "index.html"
    page.write_text(page.read_text().replace("</article>", "<p>ornithorynque</p></article>"))
    assert index_site(public, "fr")
    assert (public / INDEX / ".stamp").read_text() != before
    assert not list((public / "search").glob(".index"))

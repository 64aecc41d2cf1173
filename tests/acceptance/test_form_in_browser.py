"""A requester at the form, in a real headless Chromium: by keyboard, on a phone, without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from requests_sync.gate import judge_ticket
from requests_sync.jira_port import JiraPort
from requests_sync.payloads import ticket_of_payload
from tests.browser import CHROMIUM
from tests.form_against_gate import build_forms, open_browser
from tests.form_cases import TODAY, make_catalogue, make_unit
from tests.form_world import connect_unit
from tests.page_reading import find_active, find_broken_links, read_page
from wardbook.pages.serve import serve_site
from wardbook.report.layout import create_environment, page_environment
from wardbook.sandbox import Sandbox
from wardbook.settings import Settings
from wardbook.template.spec import Template

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
expect = sync_api.expect
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="the Debian package chromium is missing"),
]
PHONE = {"width": 390, "height": 844}
HEADLINE = "Séjours en maladies infectieuses, décembre"
QUESTION = "Recherche de cas contacts.\n\nPour l’équipe d’hygiène & ses « partenaires »."


@dataclass(frozen=True)
class Unit:
    """A site with forms that is served, and the Jira that its links open."""

    site: str
    settings: Settings
    templates: dict[str, Template]

    def form(self, name: str) -> str:
        return f"{self.site}catalogue/{name}/request/index.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Unit]:
    """The shipped templates, in French, with links to the sandbox's Jira."""
    folder, templates = tmp_path_factory.mktemp("unit"), make_catalogue(root)
    with Sandbox(folder / "sandbox") as sandbox:
        settings = connect_unit(sandbox, folder / "world")
        build_forms(folder / "public", templates, settings, "fr")
        with serve_site(folder / "public", 0) as server:
            yield Unit(server.url, settings, templates)


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[str]:
    """The forms in English, of a unit that did not give Jira's ids."""
    public = tmp_path_factory.mktemp("english")
    build_forms(public, make_catalogue(root), make_unit(), "en")
    with serve_site(public, 0) as server:
        yield server.url


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    assert problems == []
    context.close()


def go_to(page: Any, control: str) -> None:
    """Press Tab until the control has the focus, as somebody without a mouse does."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == control:
            return
    raise AssertionError(f"no way to {control} by the keyboard")


def choose(page: Any, control: str, word: str) -> None:
    """Choose from a list by typing its first letters."""
    go_to(page, control)
    page.keyboard.type(word)


def type_day(page: Any, control: str, year: str, month: str, day: str) -> None:
    """Type a day in the order in which this browser shows days."""
    go_to(page, control)
    order = page.evaluate("new Intl.DateTimeFormat().formatToParts().map((one) => one.type)")
    told = {"year": year, "month": month, "day": day}
    page.keyboard.type("".join(told[part] for part in order if part in told))


def fill_by_keyboard(page: Any) -> None:
    """Write a request for a list of stays without touching the mouse."""
    go_to(page, "f-summary")
    page.keyboard.type(HEADLINE)
    go_to(page, "f-description")
    page.keyboard.insert_text(QUESTION)
    choose(page, "f-parameter-ward", "Maladies")
    type_day(page, "f-parameter-start", "2020", "12", "01")
    type_day(page, "f-parameter-end", "2020", "12", "31")
    go_to(page, "f-reference")
    page.keyboard.type("EOH-2026-031")
    type_day(page, "f-expires", "2099", "12", "31")
    choose(page, "f-components", "Hygiène")


def test_a_request_by_keyboard_passes_the_gate(page: Any, unit: Unit) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(unit.form("line_list"))
    fill_by_keyboard(page)
    go_to(page, "f-reference")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Votre ticket est prêt")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Ouvrir le ticket prérempli dans Jira")).to_be_focused()
    expect(page.locator("#form-left")).to_be_hidden()

    page.keyboard.press("Tab")
    expect(page.get_by_text("Le ticket, champ par champ")).to_be_focused()
    page.keyboard.press("Enter")
    go_to(page, "form-field-parameters")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#form-said")).to_have_text("Copié\u00a0: Paramètres")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "ward = Maladies infectieuses\nstart = 2020-12-01\nend = 2020-12-31"

    page.get_by_role("link", name="Ouvrir le ticket prérempli dans Jira").press("Enter")
    page.wait_for_url("**/secure/CreateIssueDetails**")
    page.get_by_label("Vous déposez le ticket en tant que").select_option(label="Yanis Haddad")
    page.get_by_role("button", name="Déposer le ticket").press("Enter")
    page.wait_for_url("**/browse/DATA-*")

    key = page.url.rpartition("/")[2]
    payload = JiraPort(unit.settings.jira).issue(key)
    assert payload is not None
    ticket = ticket_of_payload(payload, unit.settings.jira.fields)
    assert ticket.parameters.replace("\r", "") == copied
    verdict = judge_ticket(ticket, unit.templates, unit.settings, TODAY)
    assert verdict.problems == ()
    assert verdict.request is not None
    asked = verdict.request
    assert (asked.title, asked.service) == (HEADLINE, "Hygiène hospitalière")
    assert asked.question.replace("\r", "") == QUESTION
    assert (asked.requester, asked.approver.username) == ("yhaddad", "hbernard")
    assert (asked.purpose, asked.expires, asked.every) == ("care", "2099-12-31", "once")
    assert asked.parameters["ward"] == "Maladies infectieuses"


def test_what_is_wrong_is_told_linked_and_focused(page: Any, unit: Unit) -> None:
    page.goto(unit.form("line_list"))
    page.get_by_label("Premier jour").focus()
    page.keyboard.type("1")  # a day without its year
    page.get_by_role("button", name="Vérifier et composer le ticket").press("Enter")
    box = page.get_by_role("alert")
    expect(box).to_be_focused()
    expect(box).to_contain_text("«\u00a0Référence\u00a0»\u00a0: rien n’est indiqué")
    expect(box).to_contain_text("start «\u00a0?\u00a0» n’est pas une date")
    assert page.locator("#form-ready").is_hidden()
    box.get_by_role("link", name=re.compile("Référence")).press("Enter")
    reference = page.locator("#f-reference")
    expect(reference).to_be_focused()
    expect(reference).to_have_attribute("aria-invalid", "true")
    expect(reference).to_have_accessible_description(re.compile("rien n’est indiqué"))
    page.keyboard.type("EOH-1")
    page.keyboard.press("Tab")
    expect(reference).not_to_have_attribute("aria-invalid", "true")
    expect(box).not_to_contain_text("Référence")


def test_research_asks_for_more_and_nobody_signs_for_themselves(page: Any, unit: Unit) -> None:
    page.goto(unit.form("hospital_epidemic"))
    expect(page.get_by_label("Comité d’éthique")).to_be_hidden()
    page.get_by_label("Finalité").select_option("Recherche")
    expect(page.get_by_label("Comité d’éthique")).to_be_visible()
    options = page.locator("#f-legal_basis option:not([disabled])").all_inner_texts()
    assert options == ["Choisir…", "MR-004", "Autorisation CNIL"]
    page.get_by_label("Qui êtes-vous").select_option("Dr Hélène Bernard")
    page.get_by_role("button", name="Vérifier et composer le ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("Approbateur")
    page.get_by_label("Récurrence").select_option("cron")
    page.get_by_label("Expression cron").fill("* * * * *")
    page.get_by_label("Expression cron").press("Tab")
    expect(page.get_by_role("alert")).to_contain_text("plus d’une fois par heure")


def test_a_long_list_is_filtered_and_keeps_what_is_ticked(page: Any, unit: Unit) -> None:
    page.goto(unit.form("epidemic_growth"))
    regions = page.get_by_role("group", name="Régions")
    regions.get_by_label("Corse").check()
    regions.get_by_role("searchbox").fill("ile de")
    assert not regions.get_by_label("Bretagne").is_visible()
    regions.get_by_role("searchbox").fill("île")
    regions.get_by_label("Île-de-France").check()
    expect(regions.get_by_role("status")).to_have_text("2 choix affichés sur 18")
    assert page.evaluate("readValues()['parameter.regions']") == "Corse, Île-de-France"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Patient 2 69 05 49 588 157 80", "NIR"),
        ("Rappeler au 06 12 34 56 78", "téléphone"),
        ("jean.dupont@chu-exemple.fr", "électronique"),
        ("IPP n° 8001234567", "dossier"),
        ("Mme D., née le 03/04/1950", "naissance"),
        ("Hospitalisations de 2020 à 2021, 1 250 lits", ""),
        ("Avis F20260114093012 du 12/01/2026", ""),
    ],
)
def test_free_text_like_an_identifier_is_warned_of(
    page: Any, unit: Unit, text: str, kind: str
) -> None:
    page.goto(unit.form("line_list"))
    page.get_by_label("Description").fill(text)
    said = page.locator(".form-field:has(#f-description) .form-warning").inner_text()
    assert kind in said
    assert bool(said) == bool(kind)


def test_a_link_that_would_be_too_long_gives_way_to_the_text(page: Any, unit: Unit) -> None:
    page.goto(unit.form("line_list"))
    for name, text in {
        "summary": HEADLINE, "description": "é" * 3000, "reference": "EOH-1",
        "expires": "2099-12-31",
        "parameter-start": "2020-12-01", "parameter-end": "2020-12-31",
    }.items():  # fmt: skip
        page.locator(f"#f-{name}").fill(text)
    page.locator("#f-parameter-ward").select_option("Urologie")
    page.locator("#f-components").select_option("Hygiène hospitalière")
    page.get_by_role("button", name="Vérifier et composer le ticket").click()
    expect(page.locator("#form-long")).to_be_visible()
    expect(page.locator("#form-open")).to_be_hidden()
    assert "é" * 3000 in page.get_by_label("Tout le ticket en texte").input_value()


def test_without_script_the_page_tells_how_to_write_the_ticket(browser: Any, unit: Unit) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(unit.form("line_list"))
    assert page.locator("form").is_hidden()
    assert page.get_by_text("Le formulaire a besoin de JavaScript").is_visible()
    assert page.get_by_role("table").first.is_visible()
    assert page.get_by_text("ward = Maladies infectieuses").is_visible()
    assert page.get_by_role("button").count() == 0
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["line_list", "epidemic_growth"])
def test_axe_finds_nothing_serious(browser: Any, english: str, name: str, scheme: str) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{english}catalogue/{name}/request/index.html")
    for stage in ("as opened", "with problems", "composed"):
        if stage == "with problems":
            page.get_by_role("button", name="Check and compose").click()
        if stage == "composed":
            page.evaluate("""document.getElementById('form-by-hand').open = true;
                readyBox.hidden = false;
                document.getElementById('form-copy').open = true;
                showTicket(compose({summary: 'a', 'parameter.start': '2020-01-01'}, rules))""")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], stage
        found = axe.Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], stage
    context.close()


def test_a_label_taken_away_would_be_noticed(browser: Any, english: str) -> None:
    page = browser.new_page()
    page.goto(f"{english}catalogue/line_list/request/index.html")
    page.evaluate("document.querySelector('label[for=f-parameter-ward]').remove()")
    found = axe.Axe().run(page).response["violations"]
    assert "select-name" in [one["id"] for one in found]
    page.close()


def test_every_form_is_sound(unit: Unit, tmp_path: Path, root: Path) -> None:
    build_forms(tmp_path, unit.templates, unit.settings, "fr")
    pages = sorted(tmp_path.glob("catalogue/*/request/index.html"))
    assert len(pages) == len(unit.templates)
    for file in pages:
        assert find_active(read_page(file)) == ["<form>"]  # which the policy lets send nothing
    assert find_broken_links(tmp_path) == []


def test_hostile_texts_of_a_template_stay_texts(page: Any, unit: Unit) -> None:
    page.goto(unit.form("zoo"))
    assert page.evaluate("window.fired") is None
    assert "</script><script>window.fired=1</script>" in page.locator("h1").inner_text()
    assert page.evaluate("rules.parameters.at(-1).name") == "late"
    page.get_by_role("button", name="Vérifier et composer le ticket").click()
    page.wait_for_timeout(0)
    assert page.evaluate("window.fired") is None


def test_without_escaping_they_would_not(
    browser: Any, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = create_environment()
    bare.autoescape = False
    monkeypatch.setattr("wardbook.pages.desk.page_environment", lambda: bare)
    assert page_environment().autoescape
    build_forms(tmp_path, make_catalogue(root), make_unit(), "fr")
    active = find_active(read_page(tmp_path / "catalogue/zoo/request/index.html"))
    assert "<script>" in active

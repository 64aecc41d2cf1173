"""The plain pages, in a real browser: a person files a ticket and follows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.browser import CHROMIUM, SWITCHES
from tests.contract.world import SEED, gitlab_as, jira_as, serve_world, ticket_fields
from wardbook.sandbox import Sandbox

HOSTILE = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"


sandbox = serve_world()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    if not CHROMIUM.exists():
        pytest.skip("no chromium (Debian package chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    yield context.new_page()
    context.close()


@pytest.mark.chromium
def test_a_person_files_a_ticket_and_follows_it(sandbox: Sandbox, page: Any) -> None:
    page.goto(sandbox.jira_url)
    page.get_by_role("link", name="Nouveau ticket").click()
    page.get_by_label("Vous déposez le ticket en tant que").select_option(label="Marie Dupré")
    page.get_by_label("Résumé").fill("Suivi des urgences")
    page.get_by_label("Service").select_option(label="Urgences")
    page.get_by_label("Finalité").select_option(label="Soin")
    page.get_by_label("Approbateur").select_option(label="Ana Liste")
    page.get_by_label("Échéance").fill("2026-12-31")
    page.get_by_label("Paramètres").fill("période = novembre\nrégion = toutes")
    page.get_by_role("button", name="Déposer le ticket").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Suivi des urgences"
    key = page.url.rpartition("/")[2]
    fields = jira_as(sandbox, "bot").issue(key).fields
    assert (fields.reporter.name, fields.customfield_10101.name) == ("marie", "ana")
    assert fields.customfield_10104.replace("\r", "") == "période = novembre\nrégion = toutes"
    assert (fields.customfield_10100.value, fields.customfield_10102) == ("Soin", "2026-12-31")
    jira_as(sandbox, "bot").add_comment(key, "Prise en charge.")
    page.reload()
    assert page.get_by_text("Prise en charge.").is_visible()
    page.get_by_label("Commenter en tant que Marie Dupré").fill("Merci")
    page.get_by_role("button", name="Envoyer").click()
    assert jira_as(sandbox, "bot").comments(key)[-1].author.name == "marie"
    page.get_by_role("button", name="Demander un complément").click()
    assert jira_as(sandbox, "bot").issue(key).fields.status.name == "En attente du demandeur"


@pytest.mark.chromium
def test_a_wrong_form_says_what_is_wrong_and_keeps_the_rest(sandbox: Sandbox, page: Any) -> None:
    page.goto(f"{sandbox.jira_url}/create")
    page.get_by_label("Résumé").fill("Trop long")
    page.get_by_label("Modèle").fill("x" * 256)
    page.get_by_role("button", name="Déposer le ticket").click()
    assert "n’est pas déposé" in page.get_by_role("alert").first.inner_text()
    assert page.get_by_label("Modèle").get_attribute("aria-invalid") == "true"
    assert page.get_by_label("Résumé").input_value() == "Trop long"


@pytest.mark.chromium
@pytest.mark.parametrize("width", [360, 1200])
def test_hostile_text_is_shown_as_text_and_nothing_overflows(
    sandbox: Sandbox, page: Any, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    client, project = jira_as(sandbox, "bot"), gitlab_as(sandbox, "bot").projects.get("uad/site")
    ticket = client.create_issue(
        fields=ticket_fields(HOSTILE, description=HOSTILE, customfield_10103=HOSTILE)
    )
    client.add_comment(ticket, HOSTILE)
    client.add_simple_link(ticket, {"url": "javascript:alert(1)", "title": HOSTILE})
    issue = project.issues.create(
        {"title": HOSTILE, "description": HOSTILE + "x" * 300, "labels": ["état::" + "l" * 30]}
    )
    issue.notes.create({"body": HOSTILE})
    branch = f"b{width}"
    change = {"action": "create", "file_path": f"{width}.txt", "content": HOSTILE + "y" * 400}
    project.commits.create(
        {"branch": branch, "start_branch": "main", "commit_message": "m", "actions": [change]}
    )
    request = project.mergerequests.create(
        {"source_branch": branch, "target_branch": "main", "title": HOSTILE}
    )
    addresses = [sandbox.jira_url, f"{sandbox.jira_url}/browse/{ticket.key}", sandbox.gitlab_url,
                 project.web_url, issue.web_url, request.web_url]  # fmt: skip
    for address in addresses:
        assert page.goto(address).status == 200
        assert page.title() != "pwned"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert page.locator("h1").count() == 1
        assert page.locator("html").get_attribute("lang") == "fr"
        assert page.locator("a[href^='javascript']").count() == 0
    assert page.locator("main").inner_text().count("onerror") >= 2


def test_english_on_demand(sandbox: Sandbox) -> None:
    session = requests.Session()
    assert 'lang="fr"' in session.get(sandbox.jira_url, timeout=30).text
    assert "New ticket" in session.get(f"{sandbox.jira_url}/?lang=en", timeout=30).text
    assert 'lang="en"' in session.get(sandbox.jira_url, timeout=30).text


def test_changing_person_leads_only_back_here(sandbox: Sandbox) -> None:
    for here, target in (("/create", "/create"), ("//evil.example", "/"), ("https://e.x", "/")):
        answer = requests.post(
            f"{sandbox.jira_url}/persona", data={"persona": "ana", "here": here},
            allow_redirects=False, timeout=30,
        )  # fmt: skip
        assert answer.headers["Location"] == target


def test_attachments_open_from_the_page(sandbox: Sandbox) -> None:
    client = jira_as(sandbox, "bot")
    ticket = client.create_issue(fields=ticket_fields())
    path = Path(sandbox.directory) / "page.html"
    path.write_text("<script>1</script>")
    added = client.add_attachment(ticket, str(path))
    answer = requests.get(added.content, timeout=30)
    assert answer.text == "<script>1</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_the_form_files_tickets_with_cloud_too(tmp_path: Path) -> None:
    cloud = Sandbox(tmp_path, flavour="cloud")
    cloud.seed(SEED)
    with cloud:
        form = requests.get(f"{cloud.jira_url}/create", timeout=30).text
        (type_id,) = re.findall(r'name="issuetype"><option value="(\d+)"', form)
        filed = requests.post(
            f"{cloud.jira_url}/create",
            data={"persona": "marie", "project": "DATA", "issuetype": type_id,
                  "summary": "Nuage", "customfield_10101": "ana"},
            timeout=30,
        )  # fmt: skip
        assert filed.status_code == 200
        assert "Nuage" in filed.text
        assert "Ana Liste" in filed.text

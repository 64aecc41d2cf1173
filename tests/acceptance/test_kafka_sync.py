"""119 real tickets of a public Jira, with all that hangs on them, come to GitLab whole and once.

Their authors wrote them for another Jira: before they are synchronised, each is completed as its
requester would, with a service and what the gate asks. Everything is read back through GitLab's API
and compared with the recorded answer.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import gitlab
import pytest
from jira import JIRA

from pipelines.demo.world import BOT, DIRECTION, FIELDS, HYGIENE, PROJECTS, REVIEWER, World
from pipelines.house import House
from pipelines.story import sync
from requests_sync.markup import words_of_markdown, words_of_wiki
from wardbook.sandbox import GitLabProject, JiraProject, Sandbox, Seed
from wardbook.sandbox.seed import CustomField
from wardbook.settings import Settings, load_settings

pytestmark = [pytest.mark.shared_data, pytest.mark.xdist_group("kafka")]
PASSES = 3
OPEN_KINDS = ("text/*", "image/*", "application/zip")
FILLED = {
    "purpose": {"value": "Soins"},
    "legal_basis": {"value": "Accord du chef de service"},
    "reference": "NOTE-2026-014",
    "expires": "2099-12-31",
    "approver": {"name": "hbernard"},
    "template": "hospital_epidemic",
}
Issue = Mapping[str, Any]


@dataclass
class Copied:
    """Both sides: the recorded tickets, and what is in GitLab."""

    tickets: Mapping[str, Issue]
    issues: Mapping[str, Any]
    notes: Mapping[str, list[Any]]
    client: Any
    sandbox: Sandbox
    settings: Settings


def content_of(attachment: Issue) -> bytes:
    """Return a content for an attachment, which the recording lacks: of the recorded size."""
    seed = hashlib.sha256(str(attachment["id"]).encode()).digest()
    return (seed * (int(attachment["size"]) // len(seed) + 1))[: int(attachment["size"])]


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Issue:
    text = (shared / "data" / "jira" / "apache_kafka_search.json").read_text(encoding="utf-8")
    return json.loads(text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, recorded: Issue) -> Iterator[Copied]:
    folder = tmp_path_factory.mktemp("kafka")
    demo = World(folder)
    fields: list[CustomField] = list(FIELDS.values())
    services = [DIRECTION, HYGIENE]
    levels = {BOT: 40, REVIEWER: 40}
    sandbox = Sandbox(folder / "sandbox")
    sandbox.seed(
        Seed(
            accounts=demo.seed().accounts,
            jira_projects=[JiraProject("KAFKA", "Kafka", ["Bug"], services, fields)],
            gitlab_projects=[GitLabProject(path, levels) for path in PROJECTS.values()],
        )
    )
    sandbox.load_jira_issues(recorded, content_of)
    with sandbox:
        complete(sandbox, demo, recorded)
        demo.write_settings(sandbox, "http://site.invalid", no_data(folder), ("0" * 40,) * 2)
        settings = load_settings(demo.settings, {})
        attachments = settings.attachments.model_copy(update={"media_types": OPEN_KINDS})
        settings = settings.model_copy(
            update={
                "jira": settings.jira.model_copy(update={"project": "KAFKA"}),
                "attachments": attachments,
            }
        )
        synchronise(settings)
        token = demo.token(REVIEWER)
        client = gitlab.Gitlab(sandbox.gitlab_url, private_token=token, timeout=30, per_page=100)
        yield read_back(recorded, client, sandbox, settings)


def no_data(folder: Path) -> dict[str, Path]:
    """Name the sources that the gate asks for; nothing is run."""
    return {name: folder / name for name in ("spf", "spf_flux")}


def complete(sandbox: Sandbox, demo: World, recorded: Issue) -> None:
    client = JIRA(sandbox.jira_url, token_auth=demo.token("cmoreau"), max_retries=0, timeout=30)
    for number, issue in enumerate(recorded["issues"]):
        service = (DIRECTION, HYGIENE)[number % 2]
        given = {FIELDS[name].id: value for name, value in FILLED.items()}
        client.issue(issue["key"], fields="summary").update(
            fields=given | {"components": [{"name": service}]}, notify=False
        )


def synchronise(settings: Settings) -> None:
    with House(settings) as house:
        for _ in range(PASSES):
            assert sync(house).faults == {}


def read_back(recorded: Issue, client: Any, sandbox: Sandbox, settings: Settings) -> Copied:
    tickets = {issue["key"]: issue for issue in recorded["issues"]}
    issues, notes = {}, {}
    for path in PROJECTS.values():
        project = client.projects.get(path)
        for issue in project.issues.list(iterator=True, state="all"):
            key = issue.title.partition(" ")[0]
            assert key not in issues, f"{key} has two issues"
            issues[key] = issue
            notes[key] = [
                note
                for note in issue.notes.list(iterator=True, sort="asc", order_by="created_at")
                if not note.system
            ]
    return Copied(tickets, issues, notes, client, sandbox, settings)


def quoted(markdown: str) -> str:
    """Return the foreign text in one of ours: what stands in the first block quote."""
    lines = markdown.split("\n")
    first = next(n for n, line in enumerate(lines) if line.startswith(">"))
    return "\n".join(takewhile(lambda line: line.startswith(">"), lines[first:]))


def accents(text: str) -> Counter[str]:
    return Counter(c for c in unicodedata.normalize("NFC", text) if ord(c) > 127 and c.isalpha())


def comments_of(ticket: Issue) -> list[Issue]:
    return list((ticket["fields"].get("comment") or {}).get("comments", []))


def test_each_ticket_has_one_issue_with_its_words(world: Copied) -> None:
    assert set(world.issues) == set(world.tickets)
    assert len(world.tickets) == 119
    for key, ticket in world.tickets.items():
        issue, fields = world.issues[key], ticket["fields"]
        assert words_of_wiki(fields["summary"]) == words_of_wiki(issue.title.partition(" · ")[2])
        said = fields["description"] or fields["summary"]
        assert words_of_markdown(quoted(issue.description)) == words_of_wiki(said), key
        assert accents(quoted(issue.description)) == accents(said), key
        assert issue.confidential
        assert (issue.state == "closed") == (fields["status"]["statusCategory"]["key"] == "done")
        assert issue.due_date == fields["duedate"]
        assert f"priority::{fields['priority']['name']}" in issue.labels
        assert {f"jira:{label}" for label in fields["labels"]} <= set(issue.labels)


def test_each_comment_is_there_once_with_its_words_and_author(world: Copied) -> None:
    total = 0
    for key, ticket in world.tickets.items():
        copies = [note.body for note in world.notes[key] if "wardbook:comment:" in note.body]
        order = [re.findall(r"wardbook:comment:(\d+) ", body) for body in copies]
        assert order == [[comment["id"]] for comment in comments_of(ticket)], key
        for comment, body in zip(comments_of(ticket), copies, strict=True):
            assert words_of_markdown(quoted(body)) == words_of_wiki(comment["body"])
            assert accents(quoted(body)) == accents(comment["body"])
            assert comment["author"]["displayName"] in body.partition("\n")[0]
            total += 1
    assert total == 265
    print(f"\n{total} comments")


def test_each_attachment_is_there_once_byte_for_byte(world: Copied) -> None:
    total = 0
    for key, ticket in world.tickets.items():
        for attachment in ticket["fields"]["attachment"]:
            mark = f"<!-- wardbook:attachment:{attachment['id']} -->"
            (note,) = [note for note in world.notes[key] if mark in note.body.split("\n")]
            address = re.search(r"\]\((/uploads/[^)]+)\)", note.body)
            assert address is not None
            project = world.issues[key].project_id
            url = f"{world.sandbox.gitlab_url}/-/project/{project}{address[1]}"
            answer = world.client.http_get(url, raw=True)
            assert answer.content == content_of(attachment)
            assert hashlib.sha256(answer.content).hexdigest() in note.body
            total += 1
    uploads = [
        upload
        for path in PROJECTS.values()
        for upload in world.client.http_list(
            f"/projects/{path.replace('/', '%2F')}/uploads", iterator=True
        )
    ]
    assert len(uploads) == total == 12
    print(f"\n{total} attachments")


def test_each_link_is_told_and_joins_the_issues_once(world: Copied) -> None:
    joined, told = Counter[frozenset[str]](), 0
    for key, ticket in world.tickets.items():
        for link in ticket["fields"]["issuelinks"]:
            end = "outward" if "outwardIssue" in link else "inward"
            other = link[f"{end}Issue"]["key"]
            lines = [one for one in world.issues[key].description.split("\n") if other in one]
            assert any(link["type"][end] in line for line in lines), (key, other)
            told += 1
            if other in world.tickets:
                joined[frozenset((key, other))] = 1
    found = Counter(
        frozenset((key, linked.title.partition(" ")[0]))
        for key, issue in world.issues.items()
        for linked in issue.links.list(iterator=True)
    )
    assert {pair: count // 2 for pair, count in found.items()} == dict(joined)
    assert told == 22
    print(f"\n{told} links, {len(joined)} between issues")


def test_another_pass_writes_nothing_and_neither_does_a_lost_ledger(world: Copied) -> None:
    before = len(world.sandbox.journal.writes())
    with House(world.settings) as house:
        assert sync(house).faults == {}
    assert len(world.sandbox.journal.writes()) == before
    for file in world.settings.unit.state.glob("ledger.db*"):
        if file.is_file():
            file.unlink()
    synchronise(world.settings)
    written = world.sandbox.journal.writes()[before:]
    assert [(entry.method, entry.path) for entry in written] == []

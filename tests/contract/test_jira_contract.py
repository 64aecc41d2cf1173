"""Jira's answers, asked for by the real client, held to the public contract."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import jira
import pytest

from tests.contract.contracts import Broken, hold_to_jira, hold_to_recording
from tests.contract.world import jira_as, ticket_fields
from wardbook.sandbox import Sandbox

pytestmark = pytest.mark.shared_data
MOCKS = "contracts/jira/andygrunwald+go-jira/testing/mock-data"


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> jira.JIRA:
    return jira_as(sandbox, "bot")


@pytest.fixture(scope="module")
def ticket(client: jira.JIRA) -> jira.Issue:
    """A ticket with one of everything."""
    other = client.create_issue(fields=ticket_fields("Autre"))
    issue = client.create_issue(
        fields=ticket_fields(
            "Suivi",
            description="Bonjour",
            components=[{"name": "Urgences"}],
            labels=["suivi"],
            customfield_10100={"value": "Soin"},
            customfield_10101={"name": "ana"},
            customfield_10102="2026-12-31",
            customfield_10104="a=1\nb=2",
        )
    )
    client.add_comment(issue, "à vous", visibility={"type": "group", "value": "analystes"})
    client.add_attachment(issue, io.BytesIO(b"abc"), filename="liste é.txt")
    client.add_remote_link(issue, {"url": "http://127.0.0.1/1", "title": "t"}, globalId="w=1")
    client.create_issue_link("Relates", issue.key, other.key)
    client.transition_issue(issue, "Prendre en charge")
    return issue


def get(client: jira.JIRA, path: str, **params: object) -> Any:
    return client._get_json(path, params=params)


ANSWERS = [
    ("serverInfo", "ServerInformation", "baseUrl version versionNumbers deploymentType"),
    ("myself", "User", "self displayName active timeZone name key"),
    ("issue/{key}", "IssueBean", "id key self fields"),
    ("issue/{key}?expand=renderedFields,changelog", "IssueBean", "renderedFields changelog"),
    ("issue/{key}/comment", "PageOfComments", "comments maxResults startAt total"),
    ("issue/{key}/transitions", "Transitions", "expand transitions"),
    ("search?jql=project=DATA", "SearchResults", "issues startAt maxResults total"),
    ("issueLinkType", "IssueLinkTypes", "issueLinkTypes"),
    ("project/DATA", "Project", "id key name issueTypes components lead"),
    ("issue/createmeta/DATA/issuetypes", "PageOfCreateMetaIssueTypes", "startAt total"),
]
LISTS = [
    ("field", "FieldDetails", "id name custom orderable navigable searchable schema"),
    ("status", "StatusDetails", "id name statusCategory self"),
    ("priority", "Priority", "id name self iconUrl"),
    ("resolution", "Resolution", "id name self"),
    ("issuetype", "IssueTypeDetails", "id name subtask self"),
    ("project/DATA/components", "ProjectComponent", "id name project projectId self"),
    ("issue/{key}/remotelink", "RemoteIssueLink", "id self object globalId"),
]


def ask(client: jira.JIRA, path: str, key: str) -> Any:
    path, _, query = path.format(key=key).partition("?")
    return get(client, path, **dict(p.split("=", 1) for p in query.split("&") if p))


@pytest.mark.parametrize(("path", "bean", "required"), ANSWERS)
def test_answer_is_the_bean(
    shared: Path, client: jira.JIRA, ticket: jira.Issue, path: str, bean: str, required: str
) -> None:
    answer = ask(client, path, ticket.key)
    hold_to_jira(shared, bean, answer, required=frozenset(required.split()))


@pytest.mark.parametrize(("path", "bean", "required"), LISTS)
def test_every_item_is_the_bean(
    shared: Path, client: jira.JIRA, ticket: jira.Issue, path: str, bean: str, required: str
) -> None:
    answer = ask(client, path, ticket.key)
    assert answer
    for item in answer:
        hold_to_jira(shared, bean, item, required=frozenset(required.split()))


@pytest.mark.parametrize(("path", "bean", "required"), ANSWERS + LISTS)
def test_control_a_broken_answer_is_refused(
    shared: Path, client: jira.JIRA, ticket: jira.Issue, path: str, bean: str, required: str
) -> None:
    answer = ask(client, path, ticket.key)
    answer = answer[0] if isinstance(answer, list) else answer
    names = frozenset(required.split())
    first = required.split()[0]
    missing = {k: v for k, v in answer.items() if k != first}
    wrong = {**answer, first: 7 if isinstance(answer[first], dict) else {"wrong": ["type"]}}
    with pytest.raises(Broken):
        hold_to_jira(shared, bean, missing, required=names)
    with pytest.raises(Broken):
        hold_to_jira(shared, bean, wrong, required=names)


@pytest.mark.parametrize(
    ("field", "bean"),
    [
        ("reporter", "UserDetails"),
        ("status", "StatusDetails"),
        ("issuetype", "IssueTypeDetails"),
        ("priority", "Priority"),
        ("project", "Project"),
        ("comment", "PageOfComments"),
        ("customfield_10101", "UserDetails"),
    ],
)
def test_field_is_the_bean(
    shared: Path, client: jira.JIRA, ticket: jira.Issue, field: str, bean: str
) -> None:
    hold_to_jira(shared, bean, get(client, f"issue/{ticket.key}")["fields"][field])


def test_list_fields_are_the_beans(shared: Path, client: jira.JIRA, ticket: jira.Issue) -> None:
    fields = get(client, f"issue/{ticket.key}")["fields"]
    for name, bean in (("comment", "Comment"), ("attachment", "Attachment"),
                       ("components", "ProjectComponent")):  # fmt: skip
        items = fields[name]["comments"] if name == "comment" else fields[name]
        assert items
        for item in items:
            hold_to_jira(shared, bean, item, required=frozenset({"id", "self"}))
    assert fields["issuelinks"][0]["outwardIssue"]["key"]


@pytest.mark.parametrize(
    ("recording", "path"),
    [
        ("all_priorities.json", "priority"),
        ("all_statuses.json", "status"),
        ("all_resolutions.json", "resolution"),
        ("all_issuelinktypes.json", "issueLinkType"),
        ("all_fields.json", "field"),
        ("transitions.json", "issue/{key}/transitions?expand=transitions.fields"),
        ("remote_links.json", "issue/{key}/remotelink"),
    ],
)
def test_recorded_keys_are_there(
    shared: Path, client: jira.JIRA, ticket: jira.Issue, recording: str, path: str
) -> None:
    recorded = json.loads((shared / MOCKS / recording).read_text())
    answer = ask(client, path, ticket.key)
    if path == "issueLinkType":
        answer = answer["issueLinkTypes"]
    if path == "field":  # the recording has system fields only
        answer = [field for field in answer if not field["custom"]]
    recorded = without_options(recorded)
    hold_to_recording(recorded, answer)
    with pytest.raises(Broken):
        hold_to_recording(recorded, cut_key(answer))


OPTIONS = {"statusColor", "description", "application", "relationship", "summary", "icon",
           "status", "fields", "key"}  # fmt: skip


def without_options(value: Any) -> Any:
    """Return a recording without what Jira leaves out where it is not set."""
    if isinstance(value, dict):
        return {k: without_options(v) for k, v in value.items() if k not in OPTIONS}
    return [without_options(v) for v in value] if isinstance(value, list) else value


def cut_key(answer: Any) -> Any:
    """Return an answer whose first object has lost its id (or its list)."""
    broken = copy.deepcopy(answer)
    first = broken[0] if isinstance(broken, list) else broken["transitions"][0]
    del first["id"]
    return broken


def test_error_bodies(shared: Path, sandbox: Sandbox, client: jira.JIRA) -> None:
    import requests

    signed = {"Authorization": "Bearer bot-token"}
    api = f"{sandbox.jira_url}/rest/api/2"
    answers = [
        (404, requests.get(f"{api}/issue/DATA-999", headers=signed, timeout=30)),
        (401, requests.get(f"{api}/myself", timeout=30)),
        (401, requests.get(f"{api}/myself", headers={"Authorization": "Bearer no"}, timeout=30)),
        (400, requests.get(f"{api}/search?jql=nothing%20=%201", headers=signed, timeout=30)),
        (400, requests.post(f"{api}/issue", headers=signed, json={"fields": {}}, timeout=30)),
    ]
    for status, answer in answers:
        assert answer.status_code == status
        hold_to_jira(
            shared,
            "ErrorCollection",
            answer.json(),
            required=frozenset({"errorMessages", "errors"}),
        )
    with pytest.raises(Broken):
        hold_to_jira(shared, "ErrorCollection", {"errorMessages": "text", "errors": {}})


def test_cloud_search_is_the_bean(shared: Path, cloud: Sandbox) -> None:
    bot = jira.JIRA(cloud.jira_url, basic_auth=("bot@example.org", "bot-token"), max_retries=0)
    for number in range(3):
        bot.create_issue(fields=ticket_fields(f"n° {number}"))
    page = bot._get_json("search/jql", params={"jql": "project = DATA", "maxResults": 2})
    required = frozenset({"issues", "isLast", "nextPageToken"})
    hold_to_jira(shared, "SearchAndReconcileResults", page, required=required)
    found = bot.enhanced_search_issues("project = DATA ORDER BY key", maxResults=0)
    assert [issue.key for issue in found] == ["DATA-1", "DATA-2", "DATA-3"]
    user = bot.myself()
    hold_to_jira(shared, "User", user, required=frozenset({"accountId"}))
    assert "name" not in user
    with pytest.raises(Broken):
        hold_to_jira(shared, "SearchAndReconcileResults", {**page, "isLast": "no"})


def test_comments_of_cloud_are_the_bean(shared: Path, cloud: Sandbox) -> None:
    client = jira.JIRA(cloud.jira_url, basic_auth=("bot@example.org", "bot-token"), max_retries=0)
    issue = client.create_issue(fields=ticket_fields())
    client.add_comment(issue, "x")
    asked = {"expand": "properties,renderedBody"}
    comment = client._get_json(f"issue/{issue.key}/comment", params=asked)["comments"][0]
    required = frozenset({"id", "body", "jsdPublic", "properties", "author", "created", "updated"})
    hold_to_jira(shared, "Comment", comment, required=required)
    with pytest.raises(Broken):
        hold_to_jira(shared, "Comment", {**comment, "jsdPublic": "true"}, required=required)

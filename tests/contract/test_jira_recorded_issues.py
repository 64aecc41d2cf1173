"""The recorded issues of a public Jira, loaded and read back by the real client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jira
import pytest

from tests.contract.world import SEED, jira_as
from wardbook.sandbox import Sandbox

pytestmark = pytest.mark.shared_data
FOREIGN = {"self", "content"}  # addresses: ours instead of the recorded site's


@pytest.fixture
def recorded(shared: Path) -> list[dict[str, Any]]:
    path = shared / "data/jira/apache_kafka_search.json"
    issues: list[dict[str, Any]] = json.loads(path.read_text())["issues"]
    return issues


@pytest.fixture
def loaded(recorded: list[dict[str, Any]], tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path)
    sandbox.seed(SEED)
    assert sandbox.load_jira_issues({"issues": recorded}) == len(recorded) == 119
    assert sandbox.load_jira_issues({"issues": recorded}) == 0
    with sandbox:
        yield sandbox


def essence(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return comments or attachments without addresses, in order of id."""
    kept = [{k: v for k, v in item.items() if k not in FOREIGN} for item in items]
    return sorted(kept, key=lambda item: int(item["id"]))


def links(fields: dict[str, Any]) -> list[Any]:
    """Return a ticket's links without addresses of links and tickets, in order of id."""
    found = []
    for link in essence(fields["issuelinks"]):
        side = "outwardIssue" if "outwardIssue" in link else "inwardIssue"
        other = {k: v for k, v in link[side].items() if k != "self"}
        found.append((link["id"], link["type"], side, other))
    return found


def test_links_within_the_set_are_seen_from_both_ends(
    loaded: Sandbox, recorded: list[dict[str, Any]]
) -> None:
    client = jira_as(loaded, "bot")
    keys = {issue["key"] for issue in recorded}
    pairs = 0
    for issue in recorded:
        for link in issue["fields"]["issuelinks"]:
            side, other = (("outwardIssue", "inwardIssue") if "outwardIssue" in link
                           else ("inwardIssue", "outwardIssue"))  # fmt: skip
            if link[side]["key"] in keys:
                far = client.issue(link[side]["key"]).raw["fields"]["issuelinks"]
                assert [li[other]["key"] for li in far if li["id"] == link["id"]] == [issue["key"]]
                pairs += 1
    assert pairs == 6


def test_contents_are_downloaded(recorded: list[dict[str, Any]], tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    sandbox.seed(SEED)
    sandbox.load_jira_issues({"issues": recorded}, lambda bean: f"№ {bean['id']}".encode())
    with sandbox:
        client = jira_as(sandbox, "bot")
        beans = [a for issue in recorded for a in issue["fields"].get("attachment") or []]
        assert beans
        for bean in beans:
            attachment = client.attachment(bean["id"])
            assert attachment.get() == f"№ {bean['id']}".encode()
            assert attachment.size == len(attachment.get())


def test_recorded_tickets_can_be_worked_on(loaded: Sandbox, recorded: list[dict[str, Any]]) -> None:
    client = jira_as(loaded, "bot")
    first, second = recorded[0]["key"], recorded[1]["key"]
    issue = client.issue(first)
    assert (client.transitions(issue), issue.fields.status.statusCategory.key) == ([], "new")
    component = next(c for i in recorded for c in i["fields"]["components"])["name"]
    issue.update(
        fields={"summary": "Été", "duedate": "2026-12-31", "components": [{"name": component}],
                "priority": {"name": "Haute"}, "assignee": {"name": "ana"}},
        update={"labels": [{"add": "x"}]},
    )  # fmt: skip
    client.add_comment(first, "neuf")
    client.create_issue_link("Blocks", first, second)
    got = client.issue(first).fields
    assert (got.summary, got.duedate, got.labels) == ("Été", "2026-12-31", ["x"])
    assert (got.priority.name, got.assignee.name) == ("Haute", "ana")
    assert [c.name for c in got.components] == [component]
    assert client.comments(first)[-1].body == "neuf"
    assert got.issuelinks[-1].outwardIssue.key == second
    assert client.issue(second).fields.issuelinks[-1].inwardIssue.key == first
    found = client.search_issues('project = "KAFKA" AND assignee = ana AND labels = x')
    assert [i.key for i in found] == [first]
    kind = recorded[0]["fields"]["issuetype"]["name"]
    added = client.create_issue(
        fields={"project": {"key": "KAFKA"}, "issuetype": {"name": kind}, "summary": "s"}
    )
    assert added.key not in {i["key"] for i in recorded}


def test_all_come_back_whole(loaded: Sandbox, recorded: list[dict[str, Any]]) -> None:
    client = jira_as(loaded, "bot")
    found = client.search_issues("project = KAFKA ORDER BY key", maxResults=False, fields="*all")
    assert len(found) == len(recorded)
    got = {issue.key: issue.raw["fields"] for issue in found}
    for issue in recorded:
        ours, theirs = got[issue["key"]], issue["fields"]
        assert essence(ours["comment"]["comments"]) == essence(theirs["comment"]["comments"])
        assert essence(ours["attachment"]) == essence(theirs.get("attachment") or [])
        assert links(ours) == links(theirs)
        for name in set(theirs) - {"comment", "attachment", "issuelinks", "project"}:
            assert ours[name] == theirs[name], (issue["key"], name)


def test_single_comments_answer_too(loaded: Sandbox, recorded: list[dict[str, Any]]) -> None:
    client = jira_as(loaded, "bot")
    issue = max(recorded, key=lambda i: len(i["fields"]["comment"]["comments"]))
    comments = client.comments(issue["key"])
    texts = [c["body"] for c in issue["fields"]["comment"]["comments"]]
    assert [comment.body for comment in comments] == texts
    assert client.comment(issue["key"], comments[0].id).body == texts[0]


def test_new_tickets_do_not_take_recorded_numbers(
    loaded: Sandbox, recorded: list[dict[str, Any]]
) -> None:
    client = jira_as(loaded, "bot")
    issue = client.create_issue(
        fields={"project": {"key": "DATA"}, "issuetype": {"name": "Demande de données"},
                "summary": "s"}
    )  # fmt: skip
    assert issue.id not in {i["id"] for i in recorded}


def test_recorded_status_and_date_are_searchable(
    loaded: Sandbox, recorded: list[dict[str, Any]]
) -> None:
    client = jira_as(loaded, "bot")
    wanted = {i["key"] for i in recorded if i["fields"]["status"]["name"] == "Resolved"}
    found = client.search_issues("project = KAFKA AND status = Resolved", maxResults=False)
    assert {issue.key for issue in found} == wanted != set()


def test_control_a_changed_comment_is_noticed(
    loaded: Sandbox, recorded: list[dict[str, Any]]
) -> None:
    bot: jira.JIRA = jira_as(loaded, "bot")
    issue = next(i for i in recorded if i["fields"]["comment"]["comments"])
    bot.comments(issue["key"])[0].update(body="changed")
    ours = bot.issue(issue["key"]).raw["fields"]["comment"]["comments"]
    assert essence(ours) != essence(issue["fields"]["comment"]["comments"])

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


def test_all_come_back_whole(loaded: Sandbox, recorded: list[dict[str, Any]]) -> None:
    client = jira_as(loaded, "bot")
    found = client.search_issues("project = KAFKA ORDER BY key", maxResults=False, fields="*all")
    assert len(found) == len(recorded)
    got = {issue.key: issue.raw["fields"] for issue in found}
    for issue in recorded:
        ours, theirs = got[issue["key"]], issue["fields"]
        assert essence(ours["comment"]["comments"]) == essence(theirs["comment"]["comments"])
        assert essence(ours["attachment"]) == essence(theirs.get("attachment") or [])
        assert ours["issuelinks"] == theirs["issuelinks"]
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

"""What happens to tickets in a Jira in use: moves, internal comments, redirects, clocks."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import jira
import pytest
import requests

from tests.contract.world import SEED, TYPE, jira_as, serve_world, ticket_fields
from wardbook.sandbox import Account, Fault, JiraProject, Sandbox, Seed

DESK = JiraProject("DESK", "Guichet", ["Incident", TYPE], ["Urgences"], service_desk=True)
GONE = Account("gone", "Guy Parti", "gone@example.org", "gone-token", active=False)
LIFE = Seed(
    accounts=[*SEED.accounts, GONE],
    jira_projects=[*SEED.jira_projects, DESK],
    gitlab_projects=SEED.gitlab_projects,
)


sandbox = serve_world(LIFE)


cloud = serve_world(LIFE, flavour="cloud")


@pytest.fixture(scope="module")
def bot(sandbox: Sandbox) -> jira.JIRA:
    return jira_as(sandbox, "bot")


def updated(client: jira.JIRA, key: str) -> str:
    return str(client.issue(key, fields="updated").fields.updated)


def found(client: jira.JIRA, jql: str) -> list[str]:
    return [issue.key for issue in client.search_issues(jql)]


def test_a_moved_ticket_keeps_everything_but_its_key(sandbox: Sandbox, bot: jira.JIRA) -> None:
    other = bot.create_issue(fields=ticket_fields("autre"))
    issue = bot.create_issue(
        fields=ticket_fields("part", components=[{"name": "Urgences"}, {"name": "Réanimation"}],
                             customfield_10103="modèle")
    )  # fmt: skip
    bot.add_comment(issue, "reste")
    bot.add_attachment(issue, io.BytesIO(b"x"), filename="a.txt")
    bot.create_issue_link("Blocks", issue.key, other.key)
    bot.add_remote_link(issue, {"url": "http://127.0.0.1/1", "title": "t"}, globalId="g")
    before = updated(bot, issue.key)
    new_key = sandbox.move_ticket(issue.key, "DESK")
    moved = bot.issue(issue.key, expand="changelog")
    assert (moved.key, moved.id, moved.fields.project.key) == (new_key, issue.id, "DESK")
    assert moved.raw == bot.issue(new_key, expand="changelog").raw
    assert moved.fields.updated > before
    assert [c.body for c in bot.comments(issue.key)] == ["reste"]
    assert [a.filename for a in moved.fields.attachment] == ["a.txt"]
    assert [c.name for c in moved.fields.components] == ["Urgences"]
    assert moved.fields.issuetype.name == TYPE
    assert not hasattr(moved.fields, "customfield_10103")
    assert bot.issue(other.key).fields.issuelinks[0].inwardIssue.key == new_key
    assert f"issue/{new_key}/remotelink" in bot.remote_links(new_key)[0].self
    items = {
        (i.field, i.fromString, i.toString) for h in moved.changelog.histories for i in h.items
    }
    assert ("Key", issue.key, new_key) in items


def test_a_moved_ticket_is_found_by_its_old_keys(sandbox: Sandbox, bot: jira.JIRA) -> None:
    old_key = bot.create_issue(fields=ticket_fields("deux fois")).key
    new_key = sandbox.move_ticket(old_key, "DESK")
    assert new_key not in found(bot, "project = DATA")
    assert new_key in found(bot, "project = DESK")
    assert found(bot, f"key = {old_key}") == [new_key]
    bot.add_comment(old_key, "par l’ancienne clé")
    assert bot.comments(new_key)[-1].body == "par l’ancienne clé"
    back = sandbox.move_ticket(new_key, "DATA")
    assert back not in (old_key, new_key)
    assert bot.issue(old_key).key == bot.issue(new_key).key == back
    for key, project in (("DATA-99999", "DESK"), (back, "NONE")):
        with pytest.raises(KeyError):
            sandbox.move_ticket(key, project)


def test_every_change_moves_updated(bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields()).key
    other = bot.create_issue(fields=ticket_fields()).key
    seen = [updated(bot, issue)]
    comment = bot.add_comment(issue, "a")
    seen.append(updated(bot, issue))
    changes = [
        lambda: comment.update(body="b"),
        lambda: comment.delete(),
        lambda: bot.add_attachment(issue, io.BytesIO(b"x"), filename="a"),
        lambda: bot.create_issue_link("Relates", issue, other),
        lambda: bot.delete_issue_link(bot.issue(issue).fields.issuelinks[0].id),
        lambda: bot.add_remote_link(issue, {"url": "http://127.0.0.1/", "title": "t"}),
        lambda: bot.transition_issue(issue, "11"),
        lambda: bot.assign_issue(issue, "ana"),
    ]
    for change in changes:
        change()
        seen.append(updated(bot, issue))
    assert seen == sorted(set(seen))


def test_updated_never_goes_back(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields()).key
    before = updated(bot, issue)
    sandbox.jira_skew_seconds = -3600
    try:
        bot.add_comment(issue, "hier")
        assert updated(bot, issue) > before
        assert bot.comments(issue)[0].created < before
    finally:
        sandbox.jira_skew_seconds = 0


def test_links_by_an_edit(bot: jira.JIRA) -> None:
    one, two, three = (bot.create_issue(fields=ticket_fields(str(n))) for n in range(3))

    def link(side: str, key: str) -> dict[str, Any]:
        return {"add": {"type": {"name": "Blocks"}, side: {"key": key}}}

    both = [link("outwardIssue", two.key), link("inwardIssue", three.key)]
    one.update(update={"issuelinks": both})
    got = bot.issue(one.key).fields.issuelinks
    assert (got[0].outwardIssue.key, got[1].inwardIssue.key) == (two.key, three.key)
    assert bot.issue(two.key).fields.issuelinks[0].inwardIssue.key == one.key
    wrong = [link("outwardIssue", three.key), link("outwardIssue", "DATA-99999")]
    with pytest.raises(jira.JIRAError) as caught:
        one.update(update={"issuelinks": wrong})
    assert caught.value.status_code == 404
    assert len(bot.issue(one.key).fields.issuelinks) == 2


def test_who_can_be_assigned(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    bot.assign_issue(issue, "ana")
    assert bot.issue(issue.key).fields.assignee.name == "ana"
    bot.assign_issue(issue, None)
    assert bot.issue(issue.key).fields.assignee is None
    url = f"{sandbox.jira_url}/rest/api/2/issue/{issue.key}/assignee"
    headers = {"Authorization": "Bearer bot-token"}
    for name, text in (("nobody", "does not exist"), ("gone", "cannot be assigned issues")):
        answer = requests.put(url, json={"name": name}, headers=headers, timeout=30)
        assert answer.status_code == 400
        assert text in answer.json()["errors"]["assignee"]
    assert requests.put(url, json={}, headers=headers, timeout=30).status_code == 400
    assert bot.user("gone").active is False
    gone = {"Authorization": "Bearer gone-token"}
    myself = f"{sandbox.jira_url}/rest/api/2/myself"
    assert requests.get(myself, headers=gone, timeout=30).status_code == 401


def test_due_date_priority_and_resolution(bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields(duedate="2026-12-31", priority={"name": "Haute"}))
    issue.update(fields={"duedate": None, "priority": {"name": "Basse"}, "labels": ["b", "a"]})
    bot.transition_issue(issue, "51", fields={"resolution": {"name": "Doublon"}})
    got = bot.issue(issue.key).fields
    assert (got.duedate, got.priority.name, got.labels) == (None, "Basse", ["a", "b"])
    assert (got.resolution.name, got.resolutiondate is None) == ("Doublon", False)


def test_internal_comments_of_a_service_desk(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields={**ticket_fields(), "project": {"key": "DESK"}})
    internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
    url = f"{sandbox.jira_url}/rest/api/2/issue/{issue.key}/comment"
    headers = {"Authorization": "Bearer bot-token"}
    made = requests.post(
        url, json={"body": "entre nous", "properties": internal}, headers=headers, timeout=30
    ).json()
    bot.add_comment(issue, "pour tous")
    assert [c.raw["jsdPublic"] for c in bot.comments(issue)] == [False, True]
    asked = {"expand": "properties"}
    listed = requests.get(url, params=asked, headers=headers, timeout=30).json()["comments"]
    assert [c["properties"] for c in listed] == [internal, []]
    edited = requests.put(f"{url}/{made['id']}", json={"body": "b"}, headers=headers, timeout=30)
    assert edited.json()["jsdPublic"] is False
    plain = bot.create_issue(fields=ticket_fields())
    assert "jsdPublic" not in bot.add_comment(plain, "c").raw


def cloud_client(sandbox: Sandbox) -> jira.JIRA:
    return jira.JIRA(
        sandbox.jira_url, basic_auth=("bot@example.org", "bot-token"), max_retries=0, timeout=30
    )


def test_cloud_search_shows_twenty_comments(cloud: Sandbox) -> None:
    client = cloud_client(cloud)
    issue = client.create_issue(fields=ticket_fields("vingt"))
    for number in range(103):
        client.add_comment(issue, str(number))
    answer = client.enhanced_search_issues(f"key = {issue.key}", fields="comment", json_result=True)
    page = answer["issues"][0]["fields"]["comment"]
    assert (len(page["comments"]), page["maxResults"], page["total"]) == (20, 20, 103)
    assert page["comments"][0]["jsdPublic"] is True
    listed = client._get_json(f"issue/{issue.key}/comment")
    assert (len(listed["comments"]), listed["total"]) == (100, 103)
    rest = client._get_json(f"issue/{issue.key}/comment", params={"startAt": 100})
    assert [c["body"] for c in rest["comments"]] == ["100", "101", "102"]


def test_server_search_shows_all_comments(bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    for number in range(25):
        bot.add_comment(issue, str(number))
    page = bot.search_issues(f"key = {issue.key}", fields="comment")[0].fields.comment
    assert (len(page.comments), page.total) == (25, 25)


def test_cloud_sends_downloads_to_another_host(cloud: Sandbox) -> None:
    client = cloud_client(cloud)
    issue = client.create_issue(fields=ticket_fields())
    added = client.add_attachment(issue, io.BytesIO(b"octets"), filename="a.bin")
    assert added.content == f"{cloud.jira_url}/rest/api/2/attachment/content/{added.id}"
    sent = client._session.get(added.content, allow_redirects=False)
    target = sent.headers["Location"]
    assert (sent.status_code, target.startswith("http://localhost:")) == (303, True)
    assert requests.get(target, timeout=30).content == b"octets"  # without credentials
    assert requests.get(f"{target}0", timeout=30).status_code == 403
    assert added.get() == b"octets"
    straight = client._session.get(f"{added.content}?redirect=false", allow_redirects=False)
    assert (straight.status_code, straight.content) == (200, b"octets")


def recorded_with_attachment(content: str) -> dict[str, Any]:
    when = "2026-01-31T12:00:00.000+0000"
    status = {"id": "1", "name": "Open", "statusCategory": {"id": 2, "key": "new", "name": "n"}}
    attachment = {
        "id": "7",
        "filename": "a.txt",
        "author": {"name": "ana"},
        "created": when,
        "size": 1,
        "mimeType": "text/plain",
        "content": content,
    }
    fields = {
        "project": {"id": "7", "key": "OLD", "name": "Vieux"},
        "issuetype": {"id": "1", "name": "Bug"},
        "status": status,
        "summary": "s",
        "created": when,
        "updated": when,
        "attachment": [attachment],
    }
    return {"issues": [{"id": "1", "key": "OLD-1", "fields": fields}]}


@pytest.mark.parametrize("keep", [True, False])
def test_a_foreign_address_is_kept_when_asked(tmp_path: Path, keep: bool) -> None:
    foreign = "http://127.0.0.2:9/secure/attachment/7/a.txt"
    sandbox = Sandbox(tmp_path)
    sandbox.seed(SEED)
    assert sandbox.load_jira_issues(recorded_with_attachment(foreign), keep_addresses=keep) == 1
    with sandbox:
        content = jira_as(sandbox, "bot").issue("OLD-1").fields.attachment[0].content
        assert (content == foreign) == keep
        assert content.startswith(sandbox.jira_url) != keep


def test_each_server_has_its_own_clock(sandbox: Sandbox, bot: jira.JIRA) -> None:
    sandbox.jira_skew_seconds, sandbox.gitlab_skew_seconds = 7200, -7200
    try:
        issue = bot.create_issue(fields=ticket_fields())
        stamps = [issue.fields.created, issue.fields.updated, bot.add_comment(issue, "x").created]
        answer = bot._session.get(f"{sandbox.jira_url}/rest/api/2/myself")
        seen = [datetime.strptime(s, "%Y-%m-%dT%H:%M:%S.%f%z") for s in stamps]
        seen.append(parsedate_to_datetime(answer.headers["Date"]))
        for moment in seen:
            assert timedelta(minutes=115) < moment - datetime.now(UTC) < timedelta(minutes=125)
        assert issue.key in found(bot, "created >= -5m")
        gitlab = requests.get(
            f"{sandbox.gitlab_url}/api/v4/user", headers={"PRIVATE-TOKEN": "bot-token"}, timeout=30
        )
        behind = parsedate_to_datetime(gitlab.headers["Date"]) - datetime.now(UTC)
        assert timedelta(minutes=-125) < behind < timedelta(minutes=-115)
    finally:
        sandbox.jira_skew_seconds = sandbox.gitlab_skew_seconds = 0


def test_a_server_that_is_away(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    before = len(sandbox.journal.writes("jira"))
    sandbox.faults.add(Fault(server="jira", effect="cut_before"))
    try:
        for call in (lambda: bot.issue(issue.key), lambda: bot.add_comment(issue.key, "perdu")):
            with pytest.raises(requests.ConnectionError):
                call()
        page = f"{sandbox.gitlab_url}/api/v4/user"
        assert requests.get(page, headers={"PRIVATE-TOKEN": "bot-token"}, timeout=30).ok
    finally:
        sandbox.faults.clear()
    assert len(sandbox.journal.writes("jira")) == before
    assert bot.comments(issue.key) == []

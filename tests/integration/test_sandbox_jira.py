"""What the sandbox's Jira does: searches, fields, workflow, restrictions, webhooks."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jira
import pytest
import requests

from tests.contract.world import SEED, Receiver, jira_as, receiving, serve_world, ticket_fields
from wardbook.sandbox import Sandbox

sandbox = serve_world()


@pytest.fixture(scope="module")
def bot(sandbox: Sandbox) -> jira.JIRA:
    return jira_as(sandbox, "bot")


def refused(call: Any, status: int = 400) -> str:
    """Return what a call was refused with."""
    with pytest.raises(jira.JIRAError) as caught:
        call()
    assert caught.value.status_code == status
    return str(caught.value.response.text)


def test_every_field_comes_back(sandbox: Sandbox, bot: jira.JIRA) -> None:
    marie = jira_as(sandbox, "marie")
    fields = ticket_fields(
        "Été « 2026 »",
        description="ligne 1\r\n<b>ligne 2</b> /close ${x} \u2028 ✓",
        components=[{"name": "Urgences"}],
        labels=["b", "a"],
        customfield_10100={"value": "Recherche"},
        customfield_10101={"name": "ana"},
        customfield_10102="2026-12-31",
        customfield_10103="hospital_epidemic",
        customfield_10104="début = 1\nfin = 2",
    )
    got = bot.issue(marie.create_issue(fields=fields).key).fields
    assert got.summary == fields["summary"]
    assert got.description == fields["description"]
    assert got.reporter.name == got.creator.name == "marie"
    assert got.customfield_10100.value == "Recherche"
    assert got.customfield_10101.name == "ana"
    assert (got.customfield_10102, got.labels) == ("2026-12-31", ["a", "b"])
    assert got.customfield_10104 == "début = 1\nfin = 2"
    assert got.status.name == "À traiter"


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"summary": "a\nb"}, "summary", "newline"),
        ({"summary": "x" * 256}, "summary", "255"),
        ({"description": "x" * 32_768}, "description", "32,767"),
        ({"customfield_10100": {"value": "Autre"}}, "customfield_10100", "is not valid"),
        ({"customfield_10101": {"name": "nobody"}}, "customfield_10101", "does not exist"),
        ({"customfield_10102": "31/12/2026"}, "customfield_10102", "Error parsing date"),
        ({"customfield_10103": "x" * 256}, "customfield_10103", "255"),
        ({"customfield_99999": "x"}, "customfield_99999", "cannot be set"),
        ({"labels": ["a b"]}, "labels", "contains spaces"),
        ({"components": [{"name": "Autre"}]}, "components", "is not valid"),
        ({"issuetype": {"name": "Bug"}}, "issuetype", "valid issue type"),
    ],
)
def test_wrong_fields_are_named(
    sandbox: Sandbox, change: dict[str, Any], field: str, text: str
) -> None:
    marie = jira_as(sandbox, "marie")
    fields = {**ticket_fields(), **change}
    errors = json.loads(refused(lambda: marie.create_issue(fields=fields)))["errors"]
    assert text in errors[field]


def test_only_administrators_file_for_others(sandbox: Sandbox, bot: jira.JIRA) -> None:
    fields = ticket_fields(reporter={"name": "ana"})
    assert bot.create_issue(fields=fields).fields.reporter.name == "ana"
    assert "reporter" in refused(lambda: jira_as(sandbox, "marie").create_issue(fields=fields))


def test_the_workflow_goes_only_its_ways(bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    names = {t["name"] for t in bot.transitions(issue)}
    assert names == {"Prendre en charge", "Demander un complément", "Résoudre"}
    refused(lambda: bot.transition_issue(issue, "61"))
    bot.transition_issue(issue, "Demander un complément", comment="Quelle période ?")
    assert bot.comments(issue)[0].body == "Quelle période ?"
    bot.transition_issue(issue, "Répondre")
    assert "resolution" in refused(lambda: bot.transition_issue(issue, "Résoudre"))
    assert bot.issue(issue.key).fields.status.name == "En cours"
    bot.transition_issue(issue, "Résoudre", fields={"resolution": {"name": "Terminé"}})
    done = bot.issue(issue.key).fields
    assert (done.status.statusCategory.key, done.resolution.name) == ("done", "Terminé")
    bot.transition_issue(issue, "Rouvrir")
    assert bot.issue(issue.key).fields.resolution is None
    assert "cannot be set" in refused(
        lambda: bot.transition_issue(issue, "Prendre en charge", fields={"summary": "x"})
    )


def keys(client: jira.JIRA, jql: str) -> list[str]:
    return [issue.key for issue in client.search_issues(jql, maxResults=False)]


def test_dates_are_read_in_the_askers_zone_to_the_minute(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields("heure"))
    created = datetime.strptime(issue.fields.created, "%Y-%m-%dT%H:%M:%S.%f%z")
    for name, zone in (("bot", "Europe/Paris"), ("marie", "America/Martinique")):
        minute = created.astimezone(ZoneInfo(zone)).strftime("%Y/%m/%d %H:%M")
        client = jira_as(sandbox, name)
        assert issue.key in keys(client, f'created >= "{minute}"')
        assert issue.key not in keys(client, f'created < "{minute}"')
    paris = created.astimezone(ZoneInfo("Europe/Paris")).strftime("%Y/%m/%d %H:%M")
    assert issue.key not in keys(jira_as(sandbox, "marie"), f'created >= "{paris}"')


def test_the_query_language(bot: jira.JIRA) -> None:
    one = bot.create_issue(fields=ticket_fields("un", labels=["urgent"])).key
    two = bot.create_issue(fields=ticket_fields("deux", customfield_10100={"value": "Soin"})).key
    both = f"key in ({one}, {two})"
    assert keys(bot, f"{both} ORDER BY key DESC") == [two, one]
    assert keys(bot, f"{both} AND labels = urgent") == [one]
    assert keys(bot, f"{both} AND labels is EMPTY") == [two]
    assert keys(bot, f"{both} AND NOT (labels = urgent OR key = {two})") == []
    assert keys(bot, f"{both} AND Finalité = Soin") == [two]
    assert keys(bot, f"{both} AND cf[10100] in (Soin, Recherche)") == [two]
    assert keys(bot, f'{both} AND summary ~ "deu" AND status = "À traiter"') == [two]
    assert keys(bot, f"{both} AND statusCategory != Terminé AND reporter = currentUser()") == [
        two, one,
    ]  # fmt: skip
    assert keys(bot, f'{both} AND updated >= -1d AND project = "Demandes de données"')


@pytest.mark.parametrize(
    ("jql", "text"),
    [
        ("projet = DATA", "Field 'projet' does not exist"),
        ("project = NONE", "does not exist for the field 'project'"),
        ('updated >= "hier"', "Date value 'hier'"),
        ('updated >= "2026-01-01T00:00"', "Date value"),
        ("project = DATA AND", "Error in the JQL Query"),
        ("project DATA", "Error in the JQL Query"),
        ("project = DATA ORDER key", "Error in the JQL Query"),
        ("project = DATA; drop", "reserved JQL character"),
        ("status = Autre", "does not exist for the field 'status'"),
        ("status ~ x", "not supported"),
        ("key = DATA-99999", "does not exist for field 'key'"),
    ],
)
def test_what_is_no_query_is_refused(bot: jira.JIRA, jql: str, text: str) -> None:
    assert text in json.loads(refused(lambda: bot.search_issues(jql)))["errorMessages"][0]


def test_pages_are_capped(sandbox: Sandbox, tmp_path: Path) -> None:
    made = Sandbox(tmp_path)
    made.seed(SEED)
    with made:
        client = jira_as(made, "bot")
        for number in range(103):
            client.create_issue(fields=ticket_fields(str(number)), prefetch=False)
        page = client._get_json("search", params={"jql": "project = DATA", "maxResults": 5000})
        assert (page["maxResults"], len(page["issues"]), page["total"]) == (100, 100, 103)
        assert len(client.search_issues("project = DATA", maxResults=False)) == 103
        for number in range(120):
            client.add_comment("DATA-1", str(number))
        first = client._get_json("issue/DATA-1/comment", params={"maxResults": 50})
        assert (len(first["comments"]), first["total"]) == (50, 120)
        assert len(client._get_json("issue/DATA-1/comment")["comments"]) == 120


def test_the_index_lags_and_direct_reading_does_not(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields("retard"))
    by_summary = 'summary ~ "retard"'
    assert keys(bot, by_summary) == [issue.key]
    sandbox.index_lag_seconds = 3600
    try:
        assert keys(bot, by_summary) == []
        fresh = bot.create_issue(fields=ticket_fields("retard neuf"))
        assert keys(bot, by_summary) == []
        assert bot.issue(fresh.key).fields.summary == "retard neuf"
        address = f"{sandbox.jira_url}/_sandbox/index-lag"
        assert requests.put(address, json={"seconds": 0}, timeout=30).ok
        assert set(keys(bot, by_summary)) == {issue.key, fresh.key}
    finally:
        sandbox.index_lag_seconds = 0


def test_restricted_comments(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    bot.add_comment(issue, "interne", visibility={"type": "group", "value": "analystes"})
    bot.add_comment(issue, "public")
    assert [c.body for c in jira_as(sandbox, "ana").comments(issue.key)] == ["interne", "public"]
    marie = jira_as(sandbox, "marie")
    assert [c.body for c in marie.comments(issue.key)] == ["public"]
    assert marie.issue(issue.key).fields.comment.total == 1
    refused(
        lambda: marie.add_comment(
            issue.key, "x", visibility={"type": "group", "value": "analystes"}
        )
    )


def test_remote_links_are_replaced_by_their_global_id(bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    for title in ("un", "deux"):
        bot.add_remote_link(issue, {"url": "http://127.0.0.1/1", "title": title}, globalId="g=1")
    links = bot.remote_links(issue)
    assert [link.object.title for link in links] == ["deux"]
    found = bot._get_json(f"issue/{issue.key}/remotelink", params={"globalId": "g=1"})
    assert found["id"] == links[0].id
    missing = {"globalId": "g=2"}
    refused(lambda: bot._get_json(f"issue/{issue.key}/remotelink", params=missing), 404)


def test_attachments(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    content = bytes(range(256))
    added = bot.add_attachment(issue, io.BytesIO(content), filename="../../liste é.bin")
    assert added.filename == "liste é.bin"
    assert bot.attachment(added.id).get() == content
    assert (
        requests.get(added.content, headers={"Authorization": "Bearer x"}, timeout=30).status_code
        == 401
    )
    api = f"{sandbox.jira_url}/rest/api/2/issue/{issue.key}/attachments"
    answer = requests.post(
        api,
        headers={"Authorization": "Bearer bot-token"},
        files={"file": ("a.txt", b"x")},
        timeout=30,
    )
    assert (answer.status_code, answer.text) == (403, "XSRF check failed")


def test_the_change_log(bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields("avant"))
    issue.update(fields={"summary": "après"}, update={"labels": [{"add": "x"}]})
    log = bot.issue(issue.key, expand="changelog").changelog
    items = {(i.field, i.fromString, i.toString) for h in log.histories for i in h.items}
    assert items == {("summary", "avant", "après"), ("labels", "", "x")}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def test_webhooks_are_signed(sandbox: Sandbox, bot: jira.JIRA, receiver: Receiver) -> None:
    url, got = receiver
    hook = requests.post(
        f"{sandbox.jira_url}/rest/webhooks/1.0/webhook",
        headers={"Authorization": "Bearer bot-token"},
        json={"name": "w", "url": url, "events": ["jira:issue_created"], "secret": "clé"},
        timeout=30,
    )
    assert hook.status_code == 201
    assert "secret" not in hook.json()
    issue = bot.create_issue(fields=ticket_fields("webhook"))
    headers, body = got.get(timeout=30)
    digest = hmac.new("clé".encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature"] == f"sha256={digest}"
    payload = json.loads(body)
    assert (payload["webhookEvent"], payload["issue"]["key"]) == ("jira:issue_created", issue.key)
    requests.delete(hook.json()["self"], headers={"Authorization": "Bearer bot-token"}, timeout=30)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name", ["webhook-server-issue-updated-commented-2", "webhook-server-issue-updated-resolved"]
)
def test_webhook_bodies_have_the_recorded_keys(
    shared: Path, sandbox: Sandbox, bot: jira.JIRA, receiver: Receiver, name: str
) -> None:
    folder = "contracts/jira/mattermost+mattermost-plugin-jira/server/testdata"
    recorded = json.loads((shared / folder / f"{name}.json").read_text())
    url, got = receiver
    issue = bot.create_issue(fields=ticket_fields())
    hook = requests.post(
        f"{sandbox.jira_url}/rest/webhooks/1.0/webhook",
        headers={"Authorization": "Bearer bot-token"},
        json={"name": "w", "url": url, "events": [recorded["webhookEvent"]]},
        timeout=30,
    )
    if "commented" in name:
        bot.add_comment(issue, "x")
    else:
        bot.transition_issue(issue, "Résoudre", fields={"resolution": {"name": "Terminé"}})
    payload = json.loads(got.get(timeout=30)[1])
    requests.delete(hook.json()["self"], headers={"Authorization": "Bearer bot-token"}, timeout=30)
    assert set(recorded) <= set(payload)
    for key in ("user", "issue", "comment", "changelog"):
        if key in recorded:
            assert set(recorded[key]) <= set(payload[key]), key

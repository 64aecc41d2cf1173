"""Every switchable fault really happens, seen through the real clients."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import jira
import pytest
import requests

from tests.contract.world import gitlab_as, jira_as, serve_world, ticket_fields
from wardbook.sandbox import Fault, Sandbox

running = serve_world()


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    running.journal.clear()
    yield running
    running.faults.clear()


@pytest.fixture
def bot(sandbox: Sandbox) -> jira.JIRA:
    return jira_as(sandbox, "bot")


@pytest.fixture
def project(sandbox: Sandbox) -> Any:
    return gitlab_as(sandbox, "bot").projects.get("uad/requests")


COMMENT = {"server": "jira", "method": "POST", "path": "/comment$"}


def comments(client: jira.JIRA, key: str) -> list[str]:
    return [comment.body for comment in client.comments(key)]


@pytest.mark.parametrize("effect", ["500", "502", "503", "429", "cut_before"])
def test_before_the_effect_nothing_is_written(
    sandbox: Sandbox, bot: jira.JIRA, effect: Any
) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    sandbox.faults.add(Fault(effect=effect, nth=1, **COMMENT))
    with pytest.raises((jira.JIRAError, requests.ConnectionError)) as caught:
        bot.add_comment(issue, "perdu")
    status = getattr(caught.value, "status_code", None)
    assert status == (None if effect == "cut_before" else int(effect))
    assert comments(bot, issue.key) == []
    bot.add_comment(issue, "gardé")
    assert comments(bot, issue.key) == ["gardé"]
    last = [e for e in sandbox.journal if e.path.endswith("/comment") and e.method == "POST"]
    assert [(e.wrote, e.fault) for e in last] == [(False, effect), (True, None)]


def test_after_the_effect_it_is_written_and_nobody_told(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    sandbox.faults.add(Fault(effect="cut_after", nth=1, **COMMENT))
    with pytest.raises((jira.JIRAError, requests.ConnectionError)):
        bot.add_comment(issue, "sans réponse")
    assert comments(bot, issue.key) == ["sans réponse"]
    cut = [e for e in sandbox.journal if e.fault == "cut_after"]
    assert [(e.status, e.wrote) for e in cut] == [(0, True)]


def test_the_same_with_gitlab(sandbox: Sandbox, project: Any) -> None:
    path = "/issues$"
    sandbox.faults.add(Fault("gitlab", "cut_before", method="POST", path=path, nth=1))
    sandbox.faults.add(Fault("gitlab", "cut_after", method="POST", path=path, nth=2))
    for title in ("avant", "après"):
        with pytest.raises(requests.ConnectionError):
            project.issues.create({"title": title})
    assert [issue.title for issue in project.issues.list(get_all=True)] == ["après"]


def test_a_commit_cut_after_is_in_the_repository(sandbox: Sandbox, project: Any) -> None:
    sandbox.faults.add(Fault("gitlab", "cut_after", method="POST", path="/commits$", nth=1))
    change = {
        "branch": "cut",
        "start_branch": "main",
        "commit_message": "m",
        "actions": [{"action": "create", "file_path": "cut.txt", "content": "x"}],
    }
    with pytest.raises(requests.ConnectionError):
        project.commits.create(change)
    assert project.files.raw("cut.txt", ref="cut") == b"x"
    with pytest.raises(gitlab.GitlabCreateError) as caught:
        project.commits.create({**change, "start_branch": "cut"})
    assert caught.value.response_code == 400
    assert "already exists" in str(caught.value.error_message)


def test_429_says_when_to_come_back(sandbox: Sandbox, project: Any) -> None:
    sandbox.faults.add(Fault("gitlab", "429", path="/issues$", retry_after=7))
    answer = requests.get(
        f"{sandbox.gitlab_url}/api/v4/projects/{project.id}/issues",
        headers={"PRIVATE-TOKEN": "bot-token"},
        timeout=30,
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


def test_rate_limit_counts_requests(sandbox: Sandbox, bot: jira.JIRA) -> None:
    sandbox.faults.add(Fault("jira", "rate_limit", path="/myself$", limit=2, per_seconds=3600))
    bot.myself()
    bot.myself()
    with pytest.raises(jira.JIRAError) as caught:
        bot.myself()
    assert caught.value.status_code == 429


@pytest.mark.parametrize(
    ("effect", "there_while_held"), [("hold_before", False), ("hold_after", True)]
)
@pytest.mark.parametrize("outcome", ["go", "drop"])
def test_held_requests_wait_for_release(
    sandbox: Sandbox, bot: jira.JIRA, effect: Any, there_while_held: bool, outcome: Any
) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    sandbox.faults.add(Fault(effect=effect, nth=1, **COMMENT))
    failed: list[Exception] = []

    def comment() -> None:
        try:
            bot.add_comment(issue, "tenu")
        except (jira.JIRAError, requests.ConnectionError) as error:
            failed.append(error)

    thread = threading.Thread(target=comment)
    thread.start()
    assert sandbox.faults.wait_held(1)
    assert [h["effect"] for h in sandbox.faults.held()] == [effect]
    other = jira_as(sandbox, "ana")
    assert comments(other, issue.key) == (["tenu"] if there_while_held else [])
    assert sandbox.faults.release(outcome=outcome) == 1
    thread.join(30)
    assert bool(failed) == (outcome == "drop")
    there = there_while_held or outcome == "go"
    assert comments(other, issue.key) == (["tenu"] if there else [])


def test_probability_is_reproducible(sandbox: Sandbox, bot: jira.JIRA) -> None:
    def run() -> list[bool]:
        sandbox.faults.clear()
        sandbox.faults.add(Fault("jira", "503", path="/myself$", probability=0.5, seed=4))
        outcomes = []
        for _ in range(12):
            try:
                bot.myself()
                outcomes.append(True)
            except jira.JIRAError:
                outcomes.append(False)
        return outcomes

    first = run()
    assert first == run()
    assert 0 < sum(first) < 12


def test_another_process_switches_faults_over_http(sandbox: Sandbox, bot: jira.JIRA) -> None:
    admin = f"{sandbox.gitlab_url}/_sandbox"
    rule = {"server": "jira", "effect": "500", "path": "/myself$", "nth": 1}
    assert requests.post(f"{admin}/faults", json=rule, timeout=30).status_code == 201
    assert requests.post(f"{admin}/faults", json={"effect": "500"}, timeout=30).status_code == 400
    broken = requests.post(f"{admin}/faults", json={**rule, "path": "("}, timeout=30)
    assert broken.status_code == 400
    with pytest.raises(jira.JIRAError):
        bot.myself()
    shown = requests.get(f"{admin}/faults", timeout=30).json()
    assert [(r["seen"], r["fired"]) for r in shown["rules"]] == [(1, 1)]
    journal = requests.get(f"{admin}/journal", timeout=30).json()
    assert journal[-1]["fault"] == "500"
    requests.delete(f"{admin}/faults", timeout=30)
    assert sandbox.faults.rules() == []


def test_reading_is_no_write(sandbox: Sandbox, bot: jira.JIRA, project: Any) -> None:
    bot.create_issue(fields=ticket_fields())
    sandbox.journal.clear()
    bot.search_issues("project = DATA", use_post=True)
    bot.fields()
    project.issues.list(get_all=True)
    project.branches.list(get_all=True)
    assert sandbox.journal.writes() == []
    assert len(sandbox.journal) >= 4
    project.branches.create({"branch": "b", "ref": "main"})
    assert [e.path for e in sandbox.journal.writes("gitlab")] == [
        f"/api/v4/projects/{project.id}/repository/branches"
    ]
    assert sandbox.journal.writes("jira") == []


def test_a_refused_request_changes_nothing(sandbox: Sandbox, bot: jira.JIRA) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    sandbox.journal.clear()
    with pytest.raises(jira.JIRAError):  # the comment is fine, the field is not
        issue.update(fields={"duedate": "soon"}, update={"comment": [{"add": {"body": "x"}}]})
    assert comments(bot, issue.key) == []
    assert sandbox.journal.writes() == []
    assert Path(sandbox.directory).is_dir()


@pytest.mark.parametrize(
    "rule", [{"effect": "cut"}, {"server": "mattermost"}, {"path": "("}, {"method": "["}]
)
def test_a_rule_that_could_never_strike_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises((ValueError, re.error)):
        Fault(**{"server": "jira", "effect": "500", **rule})


@pytest.mark.parametrize("effect", ["hold_before", "hold_after"])
def test_a_client_killed_while_held_has_written_after_the_release(
    sandbox: Sandbox, bot: jira.JIRA, effect: Any
) -> None:
    issue = bot.create_issue(fields=ticket_fields())
    sandbox.faults.add(Fault(effect=effect, nth=1, **COMMENT))
    code = (
        "import sys, requests; requests.post(sys.argv[1], json={'body': 'tué'},"
        " headers={'Authorization': 'Bearer bot-token'})"
    )
    address = f"{sandbox.jira_url}/rest/api/2/issue/{issue.key}/comment"
    client = subprocess.Popen([sys.executable, "-c", code, address])
    assert sandbox.faults.wait_held(1)
    client.kill()
    client.wait()
    sandbox.journal.clear()
    sandbox.faults.release()
    bot.add_comment(issue, "vivant")  # waits for the other writer, and finds the server well
    assert set(comments(bot, issue.key)) >= {"vivant"} | ({"tué"} if "after" in effect else set())
    while not any(e.fault == effect for e in sandbox.journal):
        threading.Event().wait(0.01)
    assert set(comments(bot, issue.key)) == {"tué", "vivant"}

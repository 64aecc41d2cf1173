"""The clients' recorded requests: the same calls send the same requests, and each is answered 2xx.

The recording was made against a stub that answered anything; ids in paths and multipart borders
differ from one site to the next, so both are set aside before the comparison.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gitlab
import jira
import pytest

from tests.contract.world import TYPE, gitlab_as, ticket_fields
from wardbook.sandbox import Sandbox

pytestmark = pytest.mark.shared_data
Step = Callable[[Any], object]
Request = tuple[str, str, str]
JQL = 'project = DATA AND updated >= "2026/01/01 00:00" ORDER BY updated ASC'


def connect(sandbox: Sandbox) -> jira.JIRA:
    return jira.JIRA(sandbox.jira_url, token_auth="bot-token", max_retries=0)


def connect_cloud(sandbox: Sandbox) -> jira.JIRA:
    return jira.JIRA(sandbox.jira_url, basic_auth=("bot@example.org", "bot-token"), max_retries=0)


JIRA_STEPS: dict[str, Step] = {
    "search_issues(jql,maxResults=False,fields=summary,updated)": lambda j: j.search_issues(
        JQL, maxResults=False, fields="summary,updated"
    ),
    "search_issues(use_post)": lambda j: j.search_issues("project=DATA", use_post=True),
    "issue(key)": lambda j: j.issue("DATA-1", fields="summary,comment", expand="renderedFields"),
    "comments": lambda j: j.comments("DATA-1", start_at=0, max_results=100),
    "add_comment": lambda j: j.add_comment("DATA-1", "hi"),
    "transitions": lambda j: j.transitions("DATA-1"),
    "transition_issue(name)": lambda j: j.transition_issue(
        "DATA-1", "Prendre en charge", comment="ok"
    ),
    "add_attachment": lambda j: j.add_attachment("DATA-1", io.BytesIO(b"abc"), filename="a.txt"),
    "attachment.get": lambda j: j.issue("DATA-1").fields.attachment[0].get(),
    "remote_links": lambda j: j.remote_links("DATA-1"),
    "add_remote_link(globalId)": lambda j: j.add_remote_link(
        "DATA-1", {"url": "http://g/1", "title": "t"}, globalId="system=gl&id=1"
    ),
    "myself": lambda j: j.myself(),
    "project_issue_types": lambda j: j.project_issue_types("DATA"),
    "create_issue(dict keys)": lambda j: j.create_issue(
        project={"key": "DATA"}, summary="s", issuetype={"name": TYPE}
    ),
    "issue.update": lambda j: j.issue("DATA-1").update(summary="z"),
}


def upload(project: Any, folder: Path) -> object:
    file = folder / "r.zip"
    file.write_bytes(b"abc")
    return project.generic_packages.upload("pkg", "1.0", "r.zip", path=str(file))


def play(project: Any) -> object:
    return project.pipelineschedules.get(1, lazy=True).play()


def merge(project: Any) -> object:
    request = project.mergerequests.list(state="opened")[0]
    return request.merge(
        sha=request.sha, should_remove_source_branch=True, merge_when_pipeline_succeeds=True
    )


def change_state(project: Any) -> object:
    issue = project.issues.get(1, lazy=True)
    issue.state_event, issue.labels = "close", ["a"]
    return issue.save()


COMMIT = {
    "branch": "f/x",
    "commit_message": "m",
    "author_email": "a@x",
    "actions": [
        {"action": "create", "file_path": "nb/a.ipynb", "content": "{}"},
        {"action": "update", "file_path": "README.md", "content": "YQ==", "encoding": "base64"},
    ],
}
HOOK = {
    "url": "http://127.0.0.1:9",
    "issues_events": True,
    "note_events": True,
    "confidential_issues_events": True,
    "push_events": False,
    "token": "s",
}
VARIABLE = {"key": "K", "value": "v"}
SCHEDULE = {
    "ref": "main",
    "description": "d",
    "cron": "0 6 * * 1",
    "cron_timezone": "Europe/Rome",
    "active": True,
}


def gitlab_steps(client: gitlab.Gitlab, project: Any, folder: Path) -> dict[str, Step]:
    """Return the recorded calls on a project, in order, by name."""
    group = client.groups.get(project.namespace["id"], lazy=True)
    zoe = client.users.list(username="zoe")[0].id
    return {
        "projects.get(path)": lambda _: client.projects.get("uad/requests"),
        "issues.list(updated_after,iterator)": lambda p: list(
            p.issues.list(
                updated_after="2026-01-01T00:00:00Z", state="all", order_by="updated_at",
                sort="asc", labels=["a", "b::c"], confidential=True, iterator=True,
            )
        ),
        "issues.create": lambda p: p.issues.create(
            {"title": "t", "description": "d", "labels": ["jira::DATA-1", "x"],
             "confidential": True, "iid": 7, "created_at": "2026-01-01T00:00:00Z"}
        ),
        "issue.save(state_event)": change_state,
        "issue.notes.list": lambda p: p.issues.get(1, lazy=True).notes.list(
            sort="asc", order_by="updated_at", get_all=True
        ),
        "issue.notes.create(internal)": lambda p: p.issues.get(1, lazy=True).notes.create(
            {"body": "b", "internal": True}
        ),
        "issue.links.create": lambda p: p.issues.get(1, lazy=True).links.create(
            {"target_project_id": p.id, "target_issue_iid": 2, "link_type": "relates_to"}
        ),
        "issue.discussions/resource label events": lambda p: p.issues.get(
            1, lazy=True
        ).resourcelabelevents.list(get_all=True),
        "branches.create": lambda p: p.branches.create({"branch": "f/x", "ref": "main"}),
        "branches.get(slash)": lambda p: p.branches.get("f/x"),
        "commits.create(actions)": lambda p: p.commits.create(COMMIT),
        "files.get": lambda p: p.files.get("nb/a.ipynb", ref="f/x"),
        "files.raw": lambda p: p.files.raw("nb/a.ipynb", ref="f/x"),
        "files.create": lambda p: p.files.create(
            {"file_path": "a/b", "branch": "main", "content": "x", "commit_message": "m"}
        ),
        "mergerequests.create": lambda p: p.mergerequests.create(
            {"source_branch": "f/x", "target_branch": "main", "title": "t"}
        ),
        "mr.merge": merge,
        "trigger_pipeline": lambda p: p.trigger_pipeline(
            "main", p.triggers.create({"description": "d"}).token, variables={"A": "1"}
        ),
        "pipelines.create": lambda p: p.pipelines.create(
            {"ref": "main", "variables": [{"key": "A", "value": "1"}]}
        ),
        "pipelineschedules.create": lambda p: p.pipelineschedules.create(SCHEDULE),
        "schedule.variables.create": lambda p: p.pipelineschedules.get(
            1, lazy=True
        ).variables.create(VARIABLE),
        "schedule.play": play,
        "job.artifacts": lambda p: p.jobs.get(1, lazy=True).artifacts(),
        "job.artifact(path)": lambda p: p.jobs.get(1, lazy=True).artifact("a/b.txt"),
        "generic_packages.upload": lambda p: upload(p, folder),
        "generic_packages.download": lambda p: p.generic_packages.download("pkg", "1.0", "r.zip"),
        "packages.list": lambda p: p.packages.list(package_name="pkg", get_all=True),
        "project.pages.get": lambda p: p.pages.get(),
        "users.list(username)": lambda _: client.users.list(username="ann", get_all=True),
        "user.gpgkeys.list": lambda _: client.users.get(1, lazy=True).gpgkeys.list(get_all=True),
        "gl.auth": lambda _: client.auth(),
        "group.members.list": lambda _: group.members.list(get_all=True),
        "group.members_all.list": lambda _: group.members_all.list(get_all=True),
        "group.members.create": lambda _: group.members.create(
            {"user_id": zoe, "access_level": 20}
        ),
        "hooks.create": lambda p: p.hooks.create(HOOK),
        "variables.create": lambda p: p.variables.create(
            {**VARIABLE, "masked": True, "protected": True}
        ),
        "project.upload": lambda p: p.upload("a.txt", filedata=b"abc"),
    }  # fmt: skip


def recorded(shared: Path, prefix: str) -> dict[str, list[Request]]:
    """Return the recorded requests of each call."""
    calls: dict[str, list[Request]] = {}
    for row in json.loads((shared / "contracts/client_wire_trace.json").read_text()):
        if row["call"].startswith(prefix) and "method" in row:
            name = row["call"].removeprefix(prefix)
            calls.setdefault(name, []).append(essence(row["method"], row["path"], row["query"]))
    return calls


def essence(method: str, path: str, query: str) -> Request:
    """Return what is compared of a request: method, path without ids, names of arguments."""
    names = parse_qs(query, keep_blank_values=True)
    return method, plain(path), " ".join(sorted(names))


def plain(path: str) -> str:
    """Return a path with its numbers set aside."""
    path = path.replace("%2F", "/").replace("/grp/proj", "/uad/requests")
    return re.sub(r"(?<=/)(?<!api/)(\d+|DATA-\d+)(?=/|$)", "N", path)


def sent(sandbox: Sandbox, step: Step, subject: Any) -> list[Request]:
    """Do a call; return its requests, each of which must have been answered 2xx."""
    sandbox.journal.clear()
    step(subject)
    entries = list(sandbox.journal)
    assert [e for e in entries if not 200 <= e.status < 300] == []
    return [essence(e.method, e.path, e.query) for e in entries]


def unite(requests: list[Request]) -> set[Request]:
    return set(requests)


@pytest.fixture
def ready(sandbox: Sandbox) -> Sandbox:
    client = connect(sandbox)
    client.create_issue(fields=ticket_fields("s"))
    return sandbox


def test_jira_server_calls(shared: Path, ready: Sandbox) -> None:
    calls = recorded(shared, "jira[Server] ")
    assert unite(sent(ready, lambda _: connect(ready), None)) == unite(calls.pop("JIRA()"))
    assert set(calls) == set(JIRA_STEPS), "every recorded call is replayed"
    client = connect(ready)
    for name, step in JIRA_STEPS.items():
        got = unite(sent(ready, step, client))
        if name == "attachment.get":  # its recording begins when the ticket has been read
            got = {request for request in got if request[1].startswith("/secure/")}
        assert unite(calls[name]) <= got, name
        extra = {path for _, path, _ in got - unite(calls[name])}
        assert extra <= {"/rest/api/2/issue/N"}, name


def test_jira_cloud_calls(shared: Path, cloud: Sandbox) -> None:
    calls = recorded(shared, "jira[Cloud] ")
    connect_cloud(cloud).create_issue(fields=ticket_fields("s"))
    assert unite(sent(cloud, lambda _: connect_cloud(cloud), None)) >= unite(calls.pop("JIRA()"))
    client = connect_cloud(cloud)
    for name, expected in calls.items():
        assert unite(sent(cloud, JIRA_STEPS[name], client)) == unite(expected), name


def test_gitlab_calls(shared: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    calls = recorded(shared, "gl ")
    client = gitlab_as(sandbox, "bot")
    client.per_page = 100
    project = client.projects.get("uad/requests")
    project.issues.create({"title": "un", "iid": 1})
    project.issues.create({"title": "deux", "iid": 2})
    steps = gitlab_steps(client, project, tmp_path)
    assert set(steps) == set(calls), "every recorded call is replayed"
    extra = {("GET", "/api/v4/projects/N/merge_requests"), ("POST", "/api/v4/projects/N/triggers")}
    for name, step in steps.items():
        if name == "job.artifacts":
            sandbox.finish_job(1, artifacts={"a/b.txt": b"x"})
        got = unite(sent(sandbox, step, project))
        assert {r for r in got if r[:2] not in extra} == unite(calls[name]), name


def test_control_an_unanswered_request_is_noticed(sandbox: Sandbox) -> None:
    client = gitlab_as(sandbox, "bot")

    def ask(_: object) -> None:
        with pytest.raises(gitlab.GitlabHttpError):
            client.http_get("/no/such/route")

    with pytest.raises(AssertionError):
        sent(sandbox, ask, None)

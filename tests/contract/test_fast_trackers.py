"""The fast trackers answer the synchronisation's calls with the shapes of the sandbox's answers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gitlab
import jira
import pytest
import requests

from pipelines.demo.world import PROJECTS
from tests.contract.contracts import Broken, shape
from tests.fast_trackers.patterns import ME, seed, ticket_fields
from wardbook.sandbox import Sandbox

TICKETS = 120


@dataclass
class Trackers:
    """Two addresses, and every answer that the clients got from them."""

    jira_url: str
    gitlab_url: str
    answers: list[tuple[str, int, Any]] = field(default_factory=list)

    def keep(self, answer: requests.Response, *_: object, **__: object) -> None:
        """Keep an answer, with its paging headers, without what names the server."""
        path = re.sub(r"^http://[^/]+", "", answer.url).partition("?")[0]
        pages = {n: v for n, v in answer.headers.items() if n.startswith("X-") and "Opt" not in n}
        is_json = answer.text and "json" in answer.headers.get("Content-Type", "")
        body = answer.json() if is_json else answer.text
        name = f"{answer.request.method} {path}"
        self.answers.append((name, answer.status_code, {"body": body, "pages": pages}))

    def jira(self) -> jira.JIRA:
        """Return the real client, whose answers are kept from now on."""
        client = jira.JIRA(self.jira_url, token_auth=f"{ME}-token", max_retries=0, timeout=30)
        client._session.hooks["response"].append(self.keep)
        return client

    def gitlab(self) -> gitlab.Gitlab:
        """Return the real client, whose answers are kept."""
        session = requests.Session()
        session.hooks["response"].append(self.keep)
        token = f"{ME}-token"
        return gitlab.Gitlab(
            self.gitlab_url, private_token=token, session=session, timeout=30, per_page=100
        )


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trackers]:
    sandbox = Sandbox(tmp_path_factory.mktemp("slow"))
    sandbox.seed(seed())
    with sandbox:
        made = Trackers(sandbox.jira_url, sandbox.gitlab_url)
        client = jira.JIRA(made.jira_url, token_auth=f"{ME}-token", max_retries=0, timeout=30)
        for number in range(1, TICKETS + 1):
            client.create_issue(fields=ticket_fields(number), prefetch=False)
        yield made


@pytest.fixture(scope="module")
def fast(root: Path) -> Iterator[Trackers]:
    command = [sys.executable, "-m", "tests.fast_trackers", "--latency-ms", "0"]
    process = subprocess.Popen(
        [*command, "--tickets", str(TICKETS)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        urls = [process.stdout.readline().split()[1] for _ in range(2)]
        yield Trackers(*urls)
    finally:
        process.terminate()
        process.wait(30)


def work(trackers: Trackers) -> list[tuple[str, int, Any]]:
    """Do what the synchronisation does, once, and return every answer."""
    client = trackers.jira()
    client.fields()
    client.myself()
    query = 'project = "DATA" ORDER BY key ASC'
    names = "summary,description,status,components,reporter,created,updated,comment,issuelinks"
    wanted = f"{names},customfield_10101,customfield_10105,customfield_10106"
    for start in (0, 100):
        client.search_issues(query, startAt=start, maxResults=100, fields=wanted, json_result=True)
    since = 'project = "DATA" AND updated >= "2020/01/01 00:00" ORDER BY updated DESC'
    client.search_issues(since, maxResults=100, fields=wanted, json_result=True)
    client.issue("DATA-7")
    client.add_comment("DATA-7", "un")
    client._get_json("issue/DATA-7/comment", params={"startAt": 0, "maxResults": 100})
    for title in ("un", "deux"):
        client.add_remote_link("DATA-7", {"url": "http://127.0.0.1/", "title": title}, globalId="g")
    client.remote_links("DATA-7")
    client.transitions("DATA-7", expand="transitions.fields")
    client.transition_issue("DATA-7", "11")
    for wrong in (lambda: client.transition_issue("DATA-7", "11"), lambda: client.issue("NO-1")):
        with pytest.raises(jira.JIRAError):
            wrong()
    client._session.put(client._get_url("issue/DATA-7/assignee"), json={"name": "rfaure"})
    client.transition_issue("DATA-7", "51", fields={"resolution": {"name": "Terminé"}})
    client.issue("DATA-7")
    client.search_issues(since, maxResults=1, fields=wanted, json_result=True)
    work_in_gitlab(trackers.gitlab())
    return trackers.answers


def work_in_gitlab(client: gitlab.Gitlab) -> None:
    """Do what the synchronisation does in GitLab."""
    client.auth()
    client.users.list(username="rfaure", get_all=True)
    path = next(iter(PROJECTS.values()))
    project = client.projects.get(path, lazy=True)
    text = "<!-- wardbook:request:DATA-7 10007 -->"
    for number in range(2):
        fields = {"title": f"t{number}", "description": text, "confidential": True}
        issue = project.issues.create({**fields, "labels": ["state::new", "a"]})
    project.issues.update(issue.iid, {"add_labels": "state::run", "state_event": "close"})
    project.issues.get(issue.iid)
    for order in ("created_at", "updated_at"):
        list(project.issues.list(iterator=True, scope="created_by_me", state="all", order_by=order,
                                 created_after="2020-01-01T00:00:00+00:00"))  # fmt: skip
    issue.notes.create({"body": "n"})
    list(issue.notes.list(iterator=True, sort="asc", order_by="created_at"))
    target = {"target_project_id": path, "target_issue_iid": 1}
    issue.links.create(target)
    list(issue.links.list(iterator=True))
    file = {"action": "create", "file_path": "nb/a.ipynb", "content": "é"}
    commit = {"branch": "r", "start_branch": "main", "commit_message": "m", "actions": [file]}
    project.commits.create(commit)
    project.branches.get("r")
    project.files.raw(file_path="nb/a.ipynb", ref="r")
    wanted = {"source_branch": "r", "target_branch": "main", "title": "t", "description": "d"}
    request = project.mergerequests.create(wanted)
    list(project.mergerequests.list(iterator=True, source_branch="r", state="all", scope="all"))
    project.mergerequests.get(request.iid).notes.create({"body": "n"})
    for wrong in (
        lambda: project.branches.get("none"),
        lambda: project.files.raw(file_path="none", ref="r"),
        lambda: project.issues.get(99),
        lambda: issue.links.create(target),
        lambda: project.mergerequests.create(wanted),
        lambda: project.commits.create(commit),
    ):
        with pytest.raises(gitlab.GitlabError):
            wrong()


def hold_to_shape(theirs: Any, ours: Any, where: str = "") -> None:
    """Check that two answers have the same keys and kinds; null says nothing about a kind."""
    if theirs is None or ours is None:
        return
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if set(theirs) != set(ours):
            raise Broken(f"{where}: {sorted(set(theirs) ^ set(ours))}")
        for key, value in theirs.items():
            hold_to_shape(value, ours[key], f"{where}/{key}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        for one, other in zip(theirs[:1], ours[:1], strict=False):
            hold_to_shape(one, other, f"{where}[]")
    elif shape(theirs) != shape(ours):
        raise Broken(f"{where}: {ours!r} where {theirs!r} is expected")


@pytest.fixture(scope="module")
def worked(fast: Trackers) -> Trackers:
    work(fast)
    return fast


def test_both_answer_alike(slow: Trackers, worked: Trackers) -> None:
    theirs, ours = work(slow), worked.answers
    assert [(name, status) for name, status, _ in ours] == [(n, s) for n, s, _ in theirs]
    for (name, _, expected), (_, _, answer) in zip(theirs, ours, strict=True):
        hold_to_shape(expected, answer, name)
        for total in ("total", "startAt"):
            if isinstance(expected["body"], dict) and total in expected["body"]:
                assert expected["body"][total] == answer["body"][total], name
        if not name.endswith("/notes"):  # the fast ones write no notes of the system's
            assert expected["pages"].get("X-Total") == answer["pages"].get("X-Total"), name


def test_they_count_calls_and_duplicates(worked: Trackers) -> None:
    state = requests.get(f"{worked.gitlab_url}/_state", timeout=30).json()
    assert (state["issues"], state["marks"], state["marks_twice"]) == (
        2, 1, ["wardbook:request:DATA-7 10007"],
    )  # fmt: skip
    assert (state["links"], state["branches"], state["merge_requests"]) == (1, 1, 1)
    assert state["labels"] == {"a": 2, "state::new": 1, "state::run": 1}
    state = requests.get(f"{worked.jira_url}/_state", timeout=30).json()
    assert (state["changed"], state["comments"], state["links"]) == (1, 1, 1)
    count = requests.get(f"{worked.jira_url}/_count?reset=true", timeout=30).json()
    assert (count["POST comment"], count["GET search"]) == (1, 4)
    assert requests.get(f"{worked.jira_url}/_count", timeout=30).json() == {}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"a": 1}, {}),
        ({"a": 1}, {"a": 1, "b": 1}),
        ({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}),
        ({"a": {}}, {"a": []}),
    ],
)
def test_control_other_shapes_are_noticed(theirs: Any, ours: Any) -> None:
    with pytest.raises(Broken):
        hold_to_shape(theirs, ours)

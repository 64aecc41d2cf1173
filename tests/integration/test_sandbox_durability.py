"""The state outlives `kill -9` at any moment, and the servers come back at the same addresses."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import gitlab
import jira
import pytest
import requests

from tests.contract.world import SEED, gitlab_as, jira_as, ticket_fields
from wardbook.sandbox import Sandbox


class Served:
    """A sandbox in another process."""

    def __init__(self, directory: Path) -> None:
        command = [sys.executable, "-m", "wardbook.sandbox", "--dir", str(directory)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        lines = [self.process.stdout.readline() for _ in range(2)]
        self.jira_url, self.gitlab_url = (re.search(r"http\S+", line)[0] for line in lines)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        self.process.stdout.close()
        return self.process.wait(30)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    Sandbox(tmp_path).seed(SEED)
    return tmp_path


@pytest.fixture
def served(directory: Path) -> Iterator[Served]:
    one = Served(directory)
    yield one
    if one.process.poll() is None:
        one.end(signal.SIGKILL)


def test_sigterm_ends_it_cleanly(served: Served) -> None:
    assert requests.get(f"{served.jira_url}/rest/api/2/serverInfo", timeout=30).ok
    assert served.end(signal.SIGTERM) == 0


def test_kill_while_writing(directory: Path, served: Served) -> None:
    """Every answered write is there afterwards; at most the one under way is there unanswered."""
    client = jira.JIRA(served.jira_url, token_auth="bot-token", max_retries=0)
    project = gitlab.Gitlab(served.gitlab_url, private_token="bot-token").projects.get(
        "uad/requests"
    )
    issue = client.create_issue(fields=ticket_fields())
    answered: dict[str, int] = {"jira": 0, "gitlab": 0}
    enough = threading.Event()

    def write(name: str, act: object) -> None:
        try:
            while True:
                act(answered[name])
                answered[name] += 1
                if min(answered.values()) >= 4:
                    enough.set()
        except (requests.RequestException, jira.JIRAError, gitlab.GitlabError):
            enough.set()

    def commit(number: int) -> None:
        action = {"action": "create", "file_path": f"f{number}", "content": str(number)}
        project.commits.create(
            {"branch": "main", "commit_message": f"n{number}", "actions": [action]}
        )

    acts = {"jira": lambda n: client.add_comment(issue, f"n{n}"), "gitlab": commit}
    threads = [threading.Thread(target=write, args=pair) for pair in acts.items()]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    served.end(signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    assert min(answered.values()) >= 4
    with Sandbox(directory) as again:
        assert (again.jira_url, again.gitlab_url) == (served.jira_url, served.gitlab_url)
        bodies = [c.body for c in jira_as(again, "bot").comments(issue.key)]
        assert bodies == [f"n{i}" for i in range(len(bodies))]
        assert len(bodies) - answered["jira"] in (0, 1)
        tree = gitlab_as(again, "bot").projects.get("uad/requests").repository_tree(get_all=True)
        files = [entry["name"] for entry in tree if entry["name"].startswith("f")]
        assert len(files) - answered["gitlab"] in (0, 1)
        jira_as(again, "bot").add_comment(issue.key, "encore")
    repository = next((directory / "repositories").glob("*.git"))
    checked = subprocess.run(
        ["git", "--git-dir", str(repository), "fsck", "--strict"], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_seeding_again_changes_nothing(directory: Path) -> None:
    with Sandbox(directory) as sandbox:
        jira_as(sandbox, "marie").create_issue(fields=ticket_fields())
        sandbox.seed(SEED)
        assert len(jira_as(sandbox, "bot").search_issues("project = DATA")) == 1
        assert len(gitlab_as(sandbox, "bot").projects.list(get_all=True)) == 2


def test_a_seeding_killed_half_way_is_completed(tmp_path: Path) -> None:
    Sandbox(tmp_path).seed(SEED)
    head = next((tmp_path / "repositories").glob("*.git")) / "refs" / "heads" / "main"
    (tmp_path / "sandbox.sqlite").unlink()
    for name in ("sandbox.sqlite-wal", "sandbox.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    assert head.exists()
    with Sandbox(tmp_path) as sandbox:
        sandbox.seed(SEED)
        assert gitlab_as(sandbox, "bot").projects.get("uad/requests").branches.get("main")


def test_two_workers_at_once(directory: Path) -> None:
    """Numbers are given once, and no commit is lost, when several clients write together."""
    keys: list[str] = []
    failures: list[BaseException] = []

    def work(sandbox: Sandbox, worker: int) -> None:
        try:
            client = jira_as(sandbox, "bot")
            project = gitlab_as(sandbox, "bot").projects.get("uad/requests")
            for number in range(5):
                keys.append(client.create_issue(fields=ticket_fields()).key)
                name = f"w{worker}-{number}"
                action = {"action": "create", "file_path": name, "content": name}
                project.commits.create(
                    {"branch": "main", "commit_message": name, "actions": [action]}
                )
        except BaseException as error:
            failures.append(error)

    with Sandbox(directory) as sandbox:
        threads = [threading.Thread(target=work, args=(sandbox, n)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert sorted(keys) == sorted(f"DATA-{n}" for n in range(1, 21))
        project = gitlab_as(sandbox, "bot").projects.get("uad/requests")
        assert len(project.repository_tree(get_all=True)) == 1 + 20
        assert len(project.commits.list(get_all=True)) == 1 + 20


def test_importing_is_cheap() -> None:
    code = "import sys, wardbook.sandbox; print({'flask', 'werkzeug'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "set()"

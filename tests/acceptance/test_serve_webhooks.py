"""`wardbook serve` is woken by webhooks: a ticket is taken up long before the next pass is due."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gitlab
import pytest
import requests
from jira import JIRA
from webhook_calls import SIGNING_SECRET

from pipelines.demo.demo import opened_world
from pipelines.demo.tickets import DemoTicket, care_fields, fields_of
from pipelines.demo.world import BOT, DIRECTION, PROJECTS, World
from wardbook.files import write_atomically
from wardbook.sandbox import Sandbox

pytestmark = pytest.mark.xdist_group("serve")

AN_HOUR = "3600"
JIRA_SECRET = "secret-du-webhook-jira"
Served = tuple[World, Sandbox, subprocess.Popen[str], int]


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def let_webhooks_in(world: World, port: int) -> None:
    """Add the section to the settings, with both secrets in private files."""
    for name, secret in (("jira", JIRA_SECRET), ("gitlab", SIGNING_SECRET)):
        write_atomically(world.folder / f"{name}.secret", secret)
    section = (
        f'\n[webhooks]\nport = {port}\njira_secret_file = "jira.secret"\n'
        'gitlab_signing_secret_file = "gitlab.secret"\n'
    )
    world.settings.write_text(world.settings.read_text(encoding="utf-8") + section)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """An hourly `wardbook serve` whose first pass is over."""
    with opened_world(tmp_path / "world", None) as (world, sandbox, _):
        port = free_port()
        let_webhooks_in(world, port)
        first = file_ticket(world, sandbox, "first")
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "--settings", world.settings, "serve",
             "--every", AN_HOUR],
            stderr=subprocess.PIPE, text=True, env=dict(os.environ),
        )  # fmt: skip
        try:
            # Its refusal is written after the pass has read all tickets.
            wait_until(lambda: is_refused(world, sandbox, first), "the first pass")
            yield world, sandbox, process, port
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            assert process.returncode == 0
        finally:
            process.kill()
            process.communicate()


def client(world: World, sandbox: Sandbox) -> JIRA:
    return JIRA(server=sandbox.jira_url, token_auth=world.token("cmoreau"), max_retries=0)


def file_ticket(world: World, sandbox: Sandbox, summary: str) -> str:
    """File a ticket that the gate refuses, which is quickly seen."""
    fields = care_fields("hospital_epidemic", reference="")
    ticket = DemoTicket("t", "cmoreau", DIRECTION, summary, "", fields)
    return str(client(world, sandbox).create_issue(fields=fields_of(ticket, "t")).key)


def is_refused(world: World, sandbox: Sandbox, key: str) -> bool:
    issue = client(world, sandbox).issue(key, fields="status")
    return str(issue.fields.status.name) == "En attente du demandeur"


def test_a_ticket_is_taken_up_when_jira_calls(served: Served) -> None:
    world, sandbox, _, port = served
    made = requests.post(
        f"{sandbox.jira_url}/rest/webhooks/1.0/webhook",
        headers={"Authorization": f"Bearer {world.token(BOT)}"},
        json={"name": "wardbook", "url": f"http://127.0.0.1:{port}/jira", "secret": JIRA_SECRET,
              "events": ["jira:issue_created", "jira:issue_updated"]},
        timeout=30,
    )  # fmt: skip
    assert made.status_code == 201
    for number in range(2):  # the second shows that it listens again after a pass
        key = file_ticket(world, sandbox, f"woken {number}")
        wait_until(lambda key=key: is_refused(world, sandbox, key), f"ticket {number}")  # type: ignore[misc]


def test_a_ticket_is_taken_up_when_gitlab_calls(served: Served) -> None:
    world, sandbox, _, port = served
    key = file_ticket(world, sandbox, "seen by the way")
    bot = gitlab.Gitlab(sandbox.gitlab_url, private_token=world.token(BOT))
    project = bot.projects.get(PROJECTS[DIRECTION])
    project.hooks.create(
        {"url": f"http://127.0.0.1:{port}/gitlab", "signing_token": SIGNING_SECRET,
         "issues_events": True, "confidential_issues_events": True}
    )  # fmt: skip
    project.issues.create({"title": "Une issue"})
    wait_until(lambda: is_refused(world, sandbox, key), "the ticket")

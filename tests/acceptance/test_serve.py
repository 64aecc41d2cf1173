"""`wardbook serve`: works for good, and stops when told to, leaving nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from jira import JIRA

from pipelines.demo.demo import opened_world
from pipelines.demo.tickets import DemoTicket, care_fields, fields_of
from pipelines.demo.world import DIRECTION, World
from wardbook.sandbox import Sandbox

pytestmark = pytest.mark.xdist_group("serve")


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[World, Sandbox, subprocess.Popen[str]]]:
    with opened_world(tmp_path / "world", None) as (world, sandbox, _):
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "--settings", world.settings, "serve",
             "--every", "0.5"],
            stderr=subprocess.PIPE, text=True, env=dict(os.environ),
        )  # fmt: skip
        try:
            yield world, sandbox, process
        finally:
            process.kill()
            process.communicate()


def client(world: World, sandbox: Sandbox) -> JIRA:
    return JIRA(server=sandbox.jira_url, token_auth=world.token("cmoreau"), max_retries=0)


def file(world: World, sandbox: Sandbox, **fields: str) -> str:
    ticket = DemoTicket(
        "t", "cmoreau", DIRECTION, "Question", "", care_fields("hospital_epidemic", **fields)
    )
    return str(client(world, sandbox).create_issue(fields=fields_of(ticket, "t")).key)


def test_tickets_are_answered_as_they_come(
    served: tuple[World, Sandbox, subprocess.Popen[str]],
) -> None:
    world, sandbox, process = served
    jira = client(world, sandbox)

    def status(key: str) -> str:
        return str(jira.issue(key, fields="status").fields.status.name)

    good = file(world, sandbox)
    wait_until(lambda: status(good) == "Résolu", "the answer")
    bad = file(world, sandbox, reference="")
    wait_until(lambda: status(bad) == "En attente du demandeur", "the refusal")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_stopping_in_the_middle_of_a_run_leaves_no_process(
    served: tuple[World, Sandbox, subprocess.Popen[str]],
) -> None:
    world, sandbox, process = served
    file(world, sandbox)
    family = psutil.Process(process.pid)
    wait_until(lambda: len(family.children(recursive=True)) >= 2, "the notebook's kernel")
    children = family.children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []

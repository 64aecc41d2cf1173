"""The small world in which the sandbox is tried: three people, one Jira project, one GitLab one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import Any

import gitlab
import jira
import pytest

from wardbook.sandbox import Account, CustomField, GitLabProject, JiraProject, Sandbox, Seed
from wardbook.sandbox.seed import Flavour

TYPE = "Demande de données"
SEED = Seed(
    accounts=[
        Account("bot", "Robot", "bot@example.org", "bot-token",
                groups=("jira-administrators", "analystes")),
        Account("ana", "Ana Liste", "ana@example.org", "ana-token", groups=("analystes",)),
        Account("marie", "Marie Dupré", "marie@example.org", "marie-token",
                time_zone="America/Martinique"),
        Account("zoe", "Zoé Externe", "zoe@example.org", "zoe-token"),
    ],
    jira_projects=[
        JiraProject(
            "DATA", "Demandes de données", [TYPE], ["Réanimation", "Urgences"],
            [
                CustomField("customfield_10100", "Finalité", "select", ["Soin", "Recherche"]),
                CustomField("customfield_10101", "Approbateur", "user"),
                CustomField("customfield_10102", "Échéance", "date"),
                CustomField("customfield_10103", "Modèle", "text"),
                CustomField("customfield_10104", "Paramètres", "textarea"),
            ],
        )
    ],
    gitlab_projects=[
        GitLabProject("uad/requests", {"bot": 50, "ana": 30, "marie": 10}),
        GitLabProject("uad/site", {"bot": 40}),
    ],
)  # fmt: skip


def serve_world(seed: Seed = SEED, flavour: Flavour = "server") -> Any:
    """Return a fixture: a running sandbox with this world, fresh for each module."""

    @pytest.fixture(scope="module")
    def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
        made = Sandbox(tmp_path_factory.mktemp(flavour), flavour=flavour)
        made.seed(seed)
        with made:
            yield made

    return serve


def jira_as(sandbox: Sandbox, username: str, **options: object) -> jira.JIRA:
    """Return the real Jira client, signed in, that tries nothing twice."""
    return jira.JIRA(
        sandbox.jira_url, token_auth=f"{username}-token", max_retries=0, timeout=30, **options
    )


def gitlab_as(sandbox: Sandbox, username: str) -> gitlab.Gitlab:
    """Return the real GitLab client."""
    return gitlab.Gitlab(sandbox.gitlab_url, private_token=f"{username}-token", timeout=30)


def ticket_fields(summary: str = "Suivi", **more: object) -> dict[str, object]:
    """Return the fields of a ticket that can be filed."""
    return {
        "project": {"key": "DATA"},
        "issuetype": {"name": TYPE},
        "summary": summary,
        **more,
    }


Receiver = tuple[str, Queue[tuple[dict[str, str], bytes]]]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a server on loopback that keeps the headers and body of everything it is sent."""
    got: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.put((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?x=1", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

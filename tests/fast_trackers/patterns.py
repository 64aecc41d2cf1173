"""What answers are made of, learnt from the sandbox by asking it once for each."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import requests

from pipelines.demo.world import DIRECTION, FIELDS, PEOPLE, PROJECTS
from wardbook.sandbox import Account, GitLabProject, JiraProject, Sandbox, Seed

Bean = dict[str, Any]
TYPE = "Demande de données"
ME = "wardbook"


def seed() -> Seed:
    """Return the demonstration's world, with tokens that need not be secret."""
    return Seed(
        accounts=[Account(u, n, f"{u}@hopital.example", f"{u}-token") for u, n in PEOPLE.items()],
        jira_projects=[
            JiraProject(
                "DATA", "Demandes de données", [TYPE], list(PROJECTS), list(FIELDS.values())
            )
        ],
        gitlab_projects=[GitLabProject(path, {ME: 40, "rfaure": 40}) for path in PROJECTS.values()],
    )


def ticket_fields(number: int, service: str = DIRECTION) -> Bean:
    """Return the fields with which a ticket is filed that the gate lets pass."""
    values = {
        "purpose": {"value": "Soins"},
        "legal_basis": {"value": "Accord du chef de service"},
        "reference": f"NOTE-{number}",
        "expires": date(date.today().year + 1, 12, 31).isoformat(),  # noqa: DTZ011
        "approver": {"name": "hbernard"},
        "template": "hospital_epidemic",
        "language": {"value": "Français"},
    }
    return {
        "project": {"key": "DATA"},
        "issuetype": {"name": TYPE},
        "summary": f"Suivi {number}",
        "description": f"Où en sont les hospitalisations du groupe {number} ?",
        "components": [{"name": service}],
        **{FIELDS[name].id: value for name, value in values.items()},
    }


@dataclass(frozen=True)
class Patterns:
    """One answer of each kind. Addresses are already those of the fast servers."""

    jira: dict[str, Any]
    gitlab: dict[str, Any]


def learn_patterns(jira_url: str, gitlab_url: str) -> Patterns:
    """Ask a sandbox for one answer of each kind."""
    with tempfile.TemporaryDirectory(prefix="wbfast") as folder:
        sandbox = Sandbox(Path(folder))
        sandbox.seed(seed())
        with sandbox:
            jira = learn_jira(asker(f"{sandbox.jira_url}/rest/api/2", sandbox.jira_url, jira_url))
            gitlab = learn_gitlab(
                asker(f"{sandbox.gitlab_url}/api/v4", sandbox.gitlab_url, gitlab_url)
            )
    return Patterns(jira, gitlab)


Ask = Callable[..., Any]


def asker(api: str, theirs: str, ours: str) -> Ask:
    """Return a function that asks and reads the answer with our address in place of theirs."""
    headers = {"Authorization": f"Bearer {ME}-token"}

    def ask(method: str, path: str, body: Bean | None = None) -> Any:
        answer = requests.request(method, api + path, json=body, headers=headers, timeout=30)
        return json.loads(answer.text.replace(theirs, ours)) if answer.text else None

    return ask


def learn_jira(ask: Ask) -> dict[str, Any]:
    """Learn what Jira answers; `transitions` is by the name of the status they leave."""
    tickets = {service: ask("POST", "/issue", {"fields": ticket_fields(1, service)})["key"]
               for service in PROJECTS}  # fmt: skip
    key = next(iter(tickets.values()))
    learnt = {
        "serverInfo": ask("GET", "/serverInfo"),
        "myself": ask("GET", "/myself"),
        "field": ask("GET", "/field"),
        "users": {name: ask("GET", f"/user?username={name}") for name in PEOPLE},
        "missing": ask("GET", "/issue/NO-1"),
        "tickets": [ask("GET", f"/issue/{key}") for key in tickets.values()],
        "transitions": {},
    }
    for way in ("", "11", "21", "41", "51", "61"):
        if way:
            needs = {"fields": {"resolution": {"name": "Terminé"}}} if way == "51" else {}
            ask("POST", f"/issue/{key}/transitions", {"transition": {"id": way}, **needs})
        status = ask("GET", f"/issue/{key}?fields=status")["fields"]["status"]["name"]
        offered = ask("GET", f"/issue/{key}/transitions?expand=transitions.fields")
        learnt["transitions"][status] = offered["transitions"]
    learnt["refused"] = ask("POST", f"/issue/{key}/transitions", {"transition": {"id": "11"}})
    learnt["comment"] = ask("POST", f"/issue/{key}/comment", {"body": "x"})
    link = {"globalId": "g", "object": {"url": "http://127.0.0.1/", "title": "t"}}
    learnt["linked"] = ask("POST", f"/issue/{key}/remotelink", link)
    learnt["link"] = ask("GET", f"/issue/{key}/remotelink")[0]
    return learnt


def learn_gitlab(ask: Ask) -> dict[str, Any]:
    """Learn what GitLab answers."""
    path = f"/projects/{next(iter(PROJECTS.values())).replace('/', '%2F')}"
    issue = ask("POST", f"{path}/issues", {"title": "t"})
    other = ask("POST", f"{path}/issues", {"title": "u"})
    file = {"action": "create", "file_path": "a", "content": "b"}
    commit = {"branch": "x", "start_branch": "main", "commit_message": "m", "actions": [file]}
    wanted = {"source_branch": "x", "target_branch": "main", "title": "t"}
    target = {"target_project_id": other["project_id"], "target_issue_iid": other["iid"]}
    return {
        "user": ask("GET", "/user"),
        "users": ask("GET", "/users?per_page=100"),
        "issue": issue,
        "note": ask("POST", f"{path}/issues/1/notes", {"body": "n"}),
        "commit": ask("POST", f"{path}/repository/commits", commit),
        "branch": ask("GET", f"{path}/repository/branches/x"),
        "request": ask("POST", f"{path}/merge_requests", wanted),
        "request_note": ask("POST", f"{path}/merge_requests/1/notes", {"body": "n"}),
        "linked": ask("POST", f"{path}/issues/1/links", target),
        "link": ask("GET", f"{path}/issues/1/links")[0],
        "no_branch": ask("GET", f"{path}/repository/branches/none"),
        "no_file": ask("GET", f"{path}/repository/files/none/raw?ref=x"),
        "no_issue": ask("GET", f"{path}/issues/99"),
        "second_link": ask("POST", f"{path}/issues/1/links", target),
        "second_request": ask("POST", f"{path}/merge_requests", wanted),
        "second_branch": ask("POST", f"{path}/repository/commits", commit),
    }

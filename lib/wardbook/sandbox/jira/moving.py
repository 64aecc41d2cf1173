"""Moves tickets between projects, which an administrator does in Jira's pages: REST has no way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from wardbook.sandbox.house import stamp
from wardbook.sandbox.jira.tickets import find_by_key, keep_version, later_than
from wardbook.sandbox.store import Body, Records


def move_ticket(records: Records, key: str, project_key: str, now: datetime, lag: float) -> str:
    """Give a ticket the next key of another project; return it.

    Its type and components become those of the same name there; what the project has no field
    for is lost, as in Jira.

    Raises:
        KeyError: there is no such ticket or project.
    """
    issue, project = find_by_key(records, key), records.find("jira.project", project_key.upper())
    if issue is None or project is None:
        raise KeyError(f"{key} cannot be moved to {project_key}: no such ticket or project")
    old_key, old_project = issue["key"], records.get("jira.project", issue["project"]) or {}
    number = records.number(f"jira.key.{project['id']}")
    issue |= {"key": f"{project['key']}-{number}", "project": project["id"]}
    fit_fields(records, issue["fields"], project["id"])
    issue["fields"]["updated"] = later_than(issue["fields"]["updated"], stamp(now))
    issue["changelog"].append(
        {
            "id": records.number("jira.history", 10_000),
            "author": None,
            "created": issue["fields"]["updated"],
            "items": [
                change_item("project", old_project.get("name"), project["name"]),
                change_item("Key", old_key, issue["key"]),
            ],
        }
    )
    records.insert("jira.moved", {"issue": issue["id"]}, key=old_key)
    records.save("jira.issue", issue, key=issue["key"], owner=project["id"])
    keep_version(records, issue, lag)
    return str(issue["key"])


def fit_fields(records: Records, fields: Body, project: int) -> None:
    """Change the fields of a ticket to what a project has."""
    types = records.all("jira.issuetype", project)
    own = name_of(records, "jira.issuetype", fields["issuetype"])
    if types:
        fields["issuetype"] = next((t["id"] for t in types if t["name"] == own), types[0]["id"])
    wanted = [name_of(records, "jira.component", c) for c in fields.get("components") or []]
    known = records.all("jira.component", project)
    fields["components"] = [c["id"] for c in known if c["name"] in wanted]
    kept = {f["field"] for f in records.all("jira.field", project)}
    for name in [n for n in fields if n.startswith("customfield_") and n not in kept]:
        del fields[name]


def name_of(records: Records, kind: str, stored: int | Body) -> str:
    """Return the name of an issue type or component, ours or a recorded one."""
    body = stored if isinstance(stored, dict) else records.get(kind, stored) or {}
    return str(body.get("name", ""))


def change_item(field: str, before: Any, after: Any) -> Body:
    """Return one line of the change log."""
    return {
        "field": field,
        "fieldtype": "jira",
        "from": None,
        "fromString": before,
        "to": None,
        "toString": after,
    }

"""Finding, creating and changing tickets, whoever asks: the REST routes and the pages."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from flask import g

from wardbook.sandbox.house import house, instant, moment, records, stamp
from wardbook.sandbox.jira import fields as reading
from wardbook.sandbox.jira import workflow
from wardbook.sandbox.jira.refusals import Refused, no_issue, unsettable
from wardbook.sandbox.jira.ticket_beans import field_value, links_of
from wardbook.sandbox.jira.webhooks import announce
from wardbook.sandbox.store import Body, Records


def find_by_key(all_records: Records, key: str) -> Body | None:
    """Return a ticket by its key, or by one that it had before it was moved."""
    issue = all_records.find("jira.issue", key.upper())
    if issue is None and (moved := all_records.find("jira.moved", key.upper())):
        issue = all_records.get("jira.issue", moved["issue"])
    return issue


def find_issue(key_or_id: str) -> Body:
    """Return a ticket by key, by a key that it had before, or by id.

    Raises:
        Refused: 404.
    """
    issue = find_by_key(records(), key_or_id)
    if issue is None and key_or_id.isdigit():
        issue = records().get("jira.issue", int(key_or_id))
    if issue is None:
        raise no_issue()
    return issue


def find_project(reference: Any) -> Body:
    """Return a project by `{"key": …}` or `{"id": …}`.

    Raises:
        Refused: 400.
    """
    reference = reference if isinstance(reference, dict) else {}
    project = records().find("jira.project", str(reference.get("key")))
    if project is None and str(reference.get("id", "")).isdigit():
        project = records().get("jira.project", int(reference["id"]))
    if project is None:
        raise Refused(400, fields={"project": "project is required"})
    return project


def create_issue(given: Body) -> Body:
    """File a ticket from the `fields` of a create call and return it.

    Raises:
        Refused: 400, naming each wrong field.
    """
    given = dict(given)
    project = find_project(given.pop("project", None))
    missing = {
        "summary": "You must specify a summary of the issue.",
        "issuetype": "issue type is required",
    }
    refused = {name: text for name, text in missing.items() if not given.get(name)}
    if refused:
        raise Refused(400, fields=refused)
    stored = reading.read_fields(project["id"], given)
    now = instant()
    number = records().number(f"jira.key.{project['id']}")
    key = f"{project['key']}-{number}"
    body = {
        "key": key,
        "project": project["id"],
        "fields": {
            "priority": workflow.FIRST_PRIORITY,
            "reporter": g.account["id"],
            **stored,
            "creator": g.account["id"],
            "status": workflow.FIRST_STATUS,
            "created": now,
            "updated": now,
        },
        "changelog": [],
    }
    issue = records().insert("jira.issue", body, owner=project["id"], key=key)
    keep_version(records(), issue, house().index_lag_seconds)
    announce("jira:issue_created", issue, issue_event_type_name="issue_created")
    return issue


def change_issue(issue: Body, changes: Body, event: str = "issue_updated") -> None:
    """Set stored field values, write the change log, tell the webhooks."""
    items = []
    for name, value in changes.items():
        before = field_value(issue, name)
        if issue["fields"].get(name) == value:
            continue
        issue["fields"][name] = value
        items.append(change_item(name, before, field_value(issue, name)))
    history = None
    if items:
        history = {
            "id": records().number("jira.history", 10_000),
            "author": g.account["id"],
            "created": instant(),
            "items": items,
        }
        issue["changelog"].append(history)
    touch(issue)
    announce(
        "jira:issue_updated",
        issue,
        issue_event_type_name=event,
        **({"changelog": {"id": str(history["id"]), "items": items}} if history else {}),
    )


def change_item(name: str, before: Any, after: Any) -> Body:
    """Return one line of a change log."""
    custom = name.startswith("customfield_")
    return {
        "field": name,
        "fieldtype": "custom" if custom else "jira",
        "from": identify(before),
        "fromString": describe(before),
        "to": identify(after),
        "toString": describe(after),
    }


def identify(value: Any) -> str | None:
    """Return the id of a field's value, where it has one."""
    if isinstance(value, dict):
        return str(value.get("id") or value.get("name") or value.get("accountId"))
    return None


def describe(value: Any) -> str:
    """Return a field's value as the change log words it."""
    match value:
        case None:
            return ""
        case dict():
            return str(value.get("displayName") or value.get("value") or value.get("name") or value)
        case list():
            return " ".join(describe(item) for item in value)
    return str(value)


def touch(issue: Body) -> None:
    """Save a ticket as changed now, and never at the same instant as before or earlier."""
    issue["fields"]["updated"] = later_than(issue["fields"]["updated"], instant())
    records().save("jira.issue", issue)
    keep_version(records(), issue, house().index_lag_seconds)


def later_than(before: str, present: str) -> str:
    """Return `present`, or a millisecond after `before` where that is not later."""
    return max(present, stamp(moment(before) + timedelta(milliseconds=1)))


def keep_version(all_records: Records, issue: Body, lag: float) -> None:
    """Keep what the lagging search index still has to show, and drop what it never will again."""
    now = time.time()
    for version in seen_versions(all_records, issue["id"], now - lag)[:-1]:
        all_records.delete("jira.version", version["id"])
    snapshot = {k: v for k, v in issue.items() if k != "changelog"}
    all_records.insert("jira.version", {"at": now, "issue": snapshot}, owner=issue["id"])


def seen_versions(all_records: Records, issue_id: int, horizon: float) -> list[Body]:
    """Return the versions of a ticket that were there at `horizon` (epoch seconds), in order."""
    return [v for v in all_records.all("jira.version", issue_id) if v["at"] <= horizon]


def delete_issue(issue: Body) -> None:
    """Remove a ticket with everything that belongs to it."""
    announce("jira:issue_deleted", issue, issue_event_type_name="issue_deleted")
    for kind in ("jira.comment", "jira.attachment", "jira.remotelink", "jira.version"):
        for body in records().all(kind, issue["id"]):
            records().delete(kind, body["id"])
    for link in links_of(issue):
        records().delete("jira.link", link["id"])
    records().delete("jira.issue", issue["id"])


def do_transition(issue: Body, transition_id: str, given: Body) -> None:
    """Move a ticket along its workflow.

    Raises:
        Refused: 400, the transition is not available or its screen's fields are wrong.
    """
    transition = workflow.find_transition(transition_id)
    if transition is None or issue["fields"]["status"] not in transition.origins:
        name = transition.name if transition else transition_id
        raise Refused(
            400,
            "It seems that you have tried to perform a workflow operation "
            f"({name}) that is not valid for the current state of this issue {issue['key']}. "
            "The likely cause is that somebody has changed the issue recently, please look at "
            "the issue history for details.",
        )
    offscreen = {n: unsettable(n) for n in given if n not in transition.screen}
    if offscreen:
        raise Refused(400, fields=offscreen)
    changes: Body = {"status": transition.target}
    if "resolution" in transition.screen:
        changes["resolution"] = reading.read_resolution(given.get("resolution"))
        changes["resolutiondate"] = instant()
    elif workflow.STATUSES[transition.target].category != workflow.DONE:
        changes |= {"resolution": None, "resolutiondate": None}
    change_issue(issue, changes, event="issue_generic")

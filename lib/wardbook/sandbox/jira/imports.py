"""Takes in the issues of a recorded Jira search answer, field by field as they were answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from wardbook.sandbox.house import stamp
from wardbook.sandbox.jira.tickets import keep_version
from wardbook.sandbox.store import Body, Records

OWN_RECORDS = frozenset({"project", "comment", "attachment"})
INSTANTS = frozenset({"created", "updated", "resolutiondate"})


def take_in_issues(records: Records, search: Body) -> int:
    """Store every issue that is not there yet, with comments and attachments; return how many."""
    new = [i for i in search["issues"] if not records.find("jira.issue", i["key"])]
    for issue in new:
        take_in_issue(records, issue)
    return len(new)


def take_in_issue(records: Records, issue: Body) -> None:
    """Store one issue: known field names keep their meaning, the rest is kept as it is."""
    fields = issue["fields"]
    project = take_in_project(records, fields["project"])
    body = records.insert(
        "jira.issue",
        {
            "id": int(issue["id"]),
            "key": issue["key"],
            "project": project["id"],
            "fields": {n: read_value(n, v) for n, v in fields.items() if n not in OWN_RECORDS},
            "changelog": [],
        },
        owner=project["id"],
        key=issue["key"],
    )
    records.raise_number(f"jira.key.{project['id']}", int(issue["key"].rpartition("-")[2]))
    keep_version(records, body, 0.0)
    for comment in (fields.get("comment") or {}).get("comments", []):
        take_in_comment(records, body["id"], comment)
    for attachment in fields.get("attachment") or []:
        take_in_attachment(records, body["id"], attachment)


def take_in_project(records: Records, project: Body) -> Body:
    """Return the project of an issue, created when it is not there."""
    known = records.find("jira.project", project["key"])
    return known or records.insert(
        "jira.project",
        {"id": int(project["id"]), "key": project["key"], "name": project["name"]},
        key=project["key"],
    )


def read_value(name: str, value: Any) -> Any:
    """Return a field's value as it is stored: instants in our form, all else as recorded."""
    return read_instant(value) if name in INSTANTS and value else value


def read_instant(text: str) -> str:
    """Return Jira's `2026-01-31T12:00:00.123+0000` in UTC as we store it."""
    return stamp(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC))


def take_in_comment(records: Records, issue_id: int, comment: Body) -> None:
    """Store one comment; its author stays as recorded."""
    records.insert(
        "jira.comment",
        {
            "id": int(comment["id"]),
            "issue": issue_id,
            "author": comment.get("author"),
            "update_author": comment.get("updateAuthor"),
            "body": comment["body"],
            "created": read_instant(comment["created"]),
            "updated": read_instant(comment["updated"]),
            "visibility": comment.get("visibility"),
            "properties": {},
        },
        owner=issue_id,
    )


def take_in_attachment(records: Records, issue_id: int, attachment: Body) -> None:
    """Store one attachment's metadata; its content is not in the recorded answer."""
    records.insert(
        "jira.attachment",
        {
            "id": int(attachment["id"]),
            "issue": issue_id,
            "filename": attachment["filename"],
            "author": attachment.get("author"),
            "created": read_instant(attachment["created"]),
            "size": attachment["size"],
            "mime_type": attachment["mimeType"],
        },
        owner=issue_id,
    )

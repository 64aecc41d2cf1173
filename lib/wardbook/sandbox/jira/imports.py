"""Takes in the issues of a recorded Jira search answer, field by field as they were answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wardbook.sandbox.house import stamp
from wardbook.sandbox.jira.attachments import content_path
from wardbook.sandbox.jira.links import store_link
from wardbook.sandbox.jira.ticket_beans import INTERNAL
from wardbook.sandbox.jira.tickets import keep_version
from wardbook.sandbox.store import Body, Records
from wardbook.sandbox.writing import write_whole

OWN_RECORDS = frozenset({"project", "comment", "attachment", "issuelinks"})
INSTANTS = frozenset({"created", "updated", "resolutiondate"})


@dataclass(frozen=True)
class Takeover:
    """One taking in: where to, and what the recorded answer does not hold."""

    records: Records
    directory: Path
    contents: Callable[[Body], bytes | None] | None
    keep_addresses: bool

    def take_in_issues(self, search: Body) -> int:
        """Store every issue that is not there yet, with all that belongs to it; return how many."""
        new = [i for i in search["issues"] if not self.records.find("jira.issue", i["key"])]
        for issue in new:
            self.take_in_issue(issue)
        for issue in new:
            self.take_in_links(issue)
        return len(new)

    def take_in_issue(self, issue: Body) -> None:
        """Store one issue: known field names keep their meaning, the rest is kept as it is."""
        fields = issue["fields"]
        project = self.take_in_project(fields)
        self.records.insert(
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
        number = int(issue["key"].rpartition("-")[2])
        self.records.raise_number(f"jira.key.{project['id']}", number)
        for comment in (fields.get("comment") or {}).get("comments", []):
            self.take_in_comment(int(issue["id"]), comment)
        for attachment in fields.get("attachment") or []:
            self.take_in_attachment(int(issue["id"]), attachment)

    def take_in_project(self, fields: Body) -> Body:
        """Return the project of an issue, created when missing, with its type and components."""
        project = fields["project"]
        known = self.records.find("jira.project", project["key"]) or self.records.insert(
            "jira.project",
            {"id": int(project["id"]), "key": project["key"], "name": project["name"]},
            key=project["key"],
        )
        self.take_in_named("jira.issuetype", known["id"], [fields["issuetype"]])
        self.take_in_named("jira.component", known["id"], fields.get("components") or [])
        return known

    def take_in_named(self, kind: str, project: int, recorded: Iterable[Body]) -> None:
        """Store types or components that a project does not have, so that others may use them."""
        known = {body["name"] for body in self.records.all(kind, project)}
        for item in recorded:
            if item["name"] in known:
                continue
            body: Body = {"name": item["name"]}
            if self.records.get(kind, int(item["id"])) is None:
                body["id"] = int(item["id"])
            self.records.insert(kind, body, owner=project)

    def take_in_links(self, issue: Body) -> None:
        """Store the links of an issue: between two tickets that are here, one link seen from both.

        A link to a ticket that is not here stays as it was recorded.
        """
        elsewhere = []
        for link in issue["fields"].get("issuelinks") or []:
            side = "outwardIssue" if "outwardIssue" in link else "inwardIssue"
            other = self.records.find("jira.issue", link[side]["key"])
            if other is None:
                elsewhere.append(link)
            elif self.records.get("jira.link", int(link["id"])) is None:
                ends = (int(issue["id"]), other["id"])
                inward, outward = ends if side == "outwardIssue" else ends[::-1]
                store_link(self.records, link["type"], inward, outward, int(link["id"]))
        body = self.records.get("jira.issue", int(issue["id"])) or {}
        body["fields"]["issuelinks"] = elsewhere
        self.records.save("jira.issue", body)
        keep_version(self.records, body, 0.0)

    def take_in_comment(self, issue_id: int, comment: Body) -> None:
        """Store one comment; its author stays as recorded."""
        is_internal = comment.get("jsdPublic") is False
        self.records.insert(
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
                "properties": {INTERNAL: {"internal": True}} if is_internal else {},
            },
            owner=issue_id,
        )

    def take_in_attachment(self, issue_id: int, attachment: Body) -> None:
        """Store one attachment, and its content where it is given."""
        content = self.contents(attachment) if self.contents else None
        body = {
            "id": int(attachment["id"]),
            "issue": issue_id,
            "filename": attachment["filename"],
            "author": attachment.get("author"),
            "created": read_instant(attachment["created"]),
            "size": attachment["size"] if content is None else len(content),
            "mime_type": attachment["mimeType"],
        }
        if self.keep_addresses:
            body["content"] = attachment["content"]
        self.records.insert("jira.attachment", body, owner=issue_id)
        if content is not None:
            write_whole(content_path(self.directory, body["id"]), content)


def read_value(name: str, value: Any) -> Any:
    """Return a field's value as it is stored: instants in our form, all else as recorded."""
    return read_instant(value) if name in INSTANTS and value else value


def read_instant(text: str) -> str:
    """Return Jira's `2026-01-31T12:00:00.123+0000` in UTC as we store it."""
    return stamp(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC))

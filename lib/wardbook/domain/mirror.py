"""What the two trackers hold of one request, side by side, and what they were last brought to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Side(StrEnum):
    """A tracker."""

    JIRA = "jira"
    GITLAB = "gitlab"


class TwinKind(StrEnum):
    """What is mirrored besides the fields: each has one original and one copy."""

    COMMENT = "comment"  # of the ticket, copied as a note
    NOTE = "note"  # of the issue, copied as a comment
    ATTACHMENT = "attachment"  # of the ticket, uploaded and shown by a note
    LINK = "link"  # between tickets, made between their issues


@dataclass(frozen=True)
class Remark:
    """A comment or note as a person wrote it; `at` is ISO 8601, in that tracker's own clock."""

    id: str
    author: str
    at: str
    text: str

    @property
    def stamp(self) -> str:
        """A digest that changes when the copy has to change."""
        return digest_of(asdict(self))


@dataclass(frozen=True)
class Attachment:
    """A file on the ticket; `size` in bytes."""

    id: str
    name: str
    author: str
    at: str
    size: int
    media_type: str
    address: str


@dataclass(frozen=True)
class TicketLink:
    """A link to another ticket: `relation` as Jira words it from this end."""

    id: str
    relation: str
    key: str
    ticket_id: str
    title: str


@dataclass(frozen=True)
class Thread:
    """What people attached to one side, in that side's order."""

    remarks: tuple[Remark, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    links: tuple[TicketLink, ...] = ()


@dataclass(frozen=True)
class Twin:
    """An original and its copy.

    `theirs` is the original's id; `stamp` tells which version of it was copied; `ours` is the
    copy's id, empty where the copy was refused for the reason in `skipped`.
    """

    kind: TwinKind
    theirs: str
    stamp: str
    ours: str
    skipped: str = ""


@dataclass(frozen=True)
class IssueView:
    """The GitLab issue as last read, or as our last write answered it.

    `shown` is a digest of the fields that we keep, `said` of what people wrote on it; an empty
    `updated` means that it must be read.
    """

    updated: str = ""
    said: str = ""
    closed: bool = False
    assignee: str = ""
    shown: str = ""


@dataclass(frozen=True)
class Agreed:
    """What both sides were last brought to, so that a later change on either side shows.

    `assignee` is the issue's, `ticket_assignee` the ticket's, both by GitLab's usernames.
    `wanted` is a digest of the fields that we asked for, of the ticket in the version `wanted_for`,
    and `shown` of those that the issue then had.
    """

    ticket_done: bool = False
    issue_closed: bool = False
    assignee: str = ""
    ticket_assignee: str = ""
    wanted: str = ""
    wanted_for: str = ""
    shown: str = ""


def digest_of(value: Mapping[str, Any]) -> str:
    """Return a short digest of plain values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

"""What all copies share: an original on the other side, the mark that names it, a twin here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from requests_sync.gitlab_port import GitLabPort
from requests_sync.issue_fields import version_after_note
from requests_sync.marks import copy_mark
from requests_sync.places import REFUSED_FOR_GOOD, may_exist, place_of
from requests_sync.sight import Sight
from wardbook.domain.mirror import Twin, TwinKind
from wardbook.domain.record import Intent, Outcome, Record, Untwin
from wardbook.errors import ForeignFault


@dataclass(frozen=True)
class CopyEffect(ABC):
    """A copy that its mark tells, of an original on the other side."""

    sight: Sight

    @abstractmethod
    def locate(self, intent: Intent, record: Record) -> Mapping[str, Any] | None:
        """Look for the copy by its mark."""

    @abstractmethod
    def delete(self, record: Record, ours: str) -> None:
        """Delete the copy; one that is gone already is no error."""

    @abstractmethod
    def counted(self, outcome: Outcome, record: Record, more: int) -> Outcome:
        """Add to an outcome what our writing (1) or deleting (-1) did to the other side's view."""

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the copy as it should read, or that it is gone."""
        found = self.locate(intent, record)
        if intent.payload.get("gone"):
            return None if found else untwinned(intent)
        text = intent.payload.get("text")
        if found is None or (text is not None and found["body"].strip() != text.strip()):
            return None
        return twinned(intent, found["id"])

    def ours(self, intent: Intent, record: Record) -> str:
        """Return the id of the copy, empty where there is none."""
        if intent.payload["ours"]:
            return str(intent.payload["ours"])
        found = self.locate(intent, record) if may_exist(intent, record) else None
        return str(found["id"]) if found else ""

    def remove(self, intent: Intent, record: Record) -> Outcome:
        """Remove the copy."""
        ours = self.ours(intent, record)
        if ours:
            self.delete(record, ours)
        return self.counted(untwinned(intent), record, -1 if ours else 0)


@dataclass(frozen=True)
class NoteCopy(CopyEffect):
    """A copy that is a note on the issue."""

    gitlab: GitLabPort

    def locate(self, intent: Intent, record: Record) -> Mapping[str, Any] | None:
        """Look for it in our notes on the issue."""
        project, iid = place_of(record)
        return self.sight.note(project, "issues", iid, copy_mark(*original_of(intent)))

    def delete(self, record: Record, ours: str) -> None:
        """Delete the note."""
        self.gitlab.delete_note(*place_of(record), int(ours))

    def counted(self, outcome: Outcome, record: Record, more: int) -> Outcome:
        """Count a note that we wrote or deleted: the issue's version tells their number."""
        return replace(outcome, view={"updated": version_after_note(record.view.updated, more)})


def original_of(intent: Intent) -> tuple[TwinKind, str]:
    """Return what an intent copies: its kind and id."""
    return TwinKind(intent.payload["twin"]["kind"]), str(intent.payload["twin"]["theirs"])


def twinned(intent: Intent, ours: object, skipped: str = "") -> Outcome:
    """Return the outcome of a copy that exists now, or was refused for the reason in `skipped`."""
    kind, theirs = original_of(intent)
    twin = Twin(kind, theirs, str(intent.payload["twin"]["stamp"]), str(ours), skipped)
    detail = {"skipped": skipped} if skipped else {"ours": str(ours)}
    return Outcome(detail=detail, twin=twin)


def untwinned(intent: Intent) -> Outcome:
    """Return the outcome of a copy that is gone."""
    if intent.payload.get("double"):
        return Outcome(detail={"gone": True})  # the other one is the copy
    return Outcome(detail={"gone": True}, twin=Untwin(*original_of(intent)))


def given_up(
    intent: Intent, fault: ForeignFault, for_good: Collection[int] = REFUSED_FOR_GOOD
) -> Outcome:
    """Give up what a server refuses for good; anything else is raised, to be tried again."""
    if fault.status not in for_good:
        raise fault
    return twinned(intent, "", str(fault))

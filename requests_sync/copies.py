"""Effects that copy between both sides: fields, analyst, comments, attachments, links.

Each copy carries a mark that names its original, so that it is found again without the ledger.
What a server refuses for good is written down as skipped and shown by `wardbook status`; it holds
up nothing else.
"""

from __future__ import annotations

import re
import tempfile
from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from requests_sync.field_effects import GitLabAssign, GitLabFields, JiraAssign
from requests_sync.gitlab_port import GitLabPort
from requests_sync.jira_port import JiraPort, NotOurs
from requests_sync.marks import copy_anchor, copy_mark
from requests_sync.places import REFUSED_FOR_GOOD, may_exist, place_of
from requests_sync.sight import Sight
from requests_sync.twins import CopyEffect, NoteCopy, given_up, original_of, twinned, untwinned
from wardbook.domain.mirror import Attachment
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.errors import Fault, ForeignFault
from wardbook.messages import Language, say

COPIES = frozenset(
    {
        "gitlab.fields",
        "gitlab.assign",
        "gitlab.comment",
        "gitlab.attachment",
        "gitlab.link",
        "jira.note",
        "jira.assign",
    }
)
"""The kinds of effect of this module: they wait for each other, and hold up no run."""
_UNSAFE_IN_NAMES = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class _TextCopy(CopyEffect):
    """The copy of what somebody wrote, kept as its original is."""

    refused_for_good: ClassVar[Collection[int]] = REFUSED_FOR_GOOD

    @abstractmethod
    def add(self, record: Record, text: str) -> object:
        """Write it; returns its id."""

    @abstractmethod
    def edit(self, record: Record, ours: str, text: str) -> None:
        """Rewrite it."""

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Write, rewrite or remove it."""
        if intent.payload.get("gone"):
            return self.remove(intent, record)
        ours, text = self.ours(intent, record), intent.payload["text"]
        try:
            if ours and self._rewrite(record, ours, text):
                return twinned(intent, ours)
            return self.counted(twinned(intent, self.add(record, text)), record, 1)
        except ForeignFault as fault:
            return given_up(intent, fault, self.refused_for_good)

    def _rewrite(self, record: Record, ours: str, text: str) -> bool:
        """Rewrite it; False when somebody deleted it."""
        try:
            self.edit(record, ours, text)
        except ForeignFault as fault:
            if fault.status != 404:
                raise
            return False
        return True


@dataclass(frozen=True)
class GitLabComment(NoteCopy, _TextCopy):
    """The copy of a ticket's comment: a note."""

    def add(self, record: Record, text: str) -> object:
        """Write the note."""
        project, iid = place_of(record)
        return self.gitlab.add_note(project, "issues", iid, text)

    def edit(self, record: Record, ours: str, text: str) -> None:
        """Rewrite the note."""
        self.gitlab.edit_note(*place_of(record), int(ours), text)


@dataclass(frozen=True)
class JiraNote(_TextCopy):
    """The copy of an analyst's note: a comment."""

    jira: JiraPort
    # The ticket itself may be gone: then nothing is to be copied, and it is looked for.
    refused_for_good = REFUSED_FOR_GOOD - {404}

    def locate(self, intent: Intent, record: Record) -> Mapping[str, Any] | None:
        """Look for it in our comments on the ticket."""
        return self.sight.comment(record.ticket.key, copy_anchor(*original_of(intent)))

    def add(self, record: Record, text: str) -> object:
        """Write the comment."""
        return self.jira.add_comment(record.ticket.key, text)

    def edit(self, record: Record, ours: str, text: str) -> None:
        """Rewrite the comment."""
        self.jira.edit_comment(record.ticket.key, ours, text)

    def delete(self, record: Record, ours: str) -> None:
        """Delete the comment."""
        self.jira.delete_comment(record.ticket.key, ours)

    def counted(self, outcome: Outcome, record: Record, more: int) -> Outcome:
        """Nothing is counted: Jira stamps a ticket for each."""
        del record, more
        return outcome


@dataclass(frozen=True)
class GitLabAttachment(NoteCopy):
    """The copy of a ticket's attachment: an upload, and the note that shows it."""

    jira: JiraPort
    language: Language

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the note that shows it; one that goes is not looked for, but its uploads."""
        return None if intent.payload.get("gone") else super().find(intent, record)

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Fetch it from Jira, upload it, write the note; or remove both."""
        project, iid = place_of(record)
        _, theirs = original_of(intent)
        removed = intent.payload.get("gone") and not intent.payload.get("double")
        if may_exist(intent, record) or removed:
            self._drop_uploads(project, f"{theirs}-")  # of an attempt that broke off
        if intent.payload.get("gone"):
            return self.remove(intent, record)
        file = Attachment(**intent.payload["file"])
        try:
            link, digest = self._upload(project, file, intent.payload["limit"])
        except NotOurs as refusal:
            return twinned(intent, "", str(refusal))
        except ForeignFault as fault:
            return given_up(intent, fault)
        text = say(
            self.language, "mirror.file", link=link, digest=digest, **intent.payload["head"]
        ).strip()
        body = f"{text}\n\n{copy_mark(*original_of(intent))}"
        note = self.gitlab.add_note(project, "issues", iid, body)
        return self.counted(twinned(intent, note), record, 1)

    def _upload(self, project: str, file: Attachment, limit: int) -> tuple[str, str]:
        name = f"{file.id}-{_UNSAFE_IN_NAMES.sub('_', file.name)[-80:]}"
        try:
            with tempfile.TemporaryFile() as held:
                digest = self.jira.download(file, limit, held)
                held.seek(0)
                answer = self.gitlab.upload(project, name, held)
        except OSError as error:
            raise Fault(
                f"Attachment {file.id} could not be held in {tempfile.gettempdir()} "
                f"({error.strerror}). It is tried again; check the room on that disk."
            ) from None
        return f"[{name}]({answer['url']})", digest

    def _drop_uploads(self, project: str, prefix: str) -> None:
        for upload in list(self.gitlab.uploads(project)):
            by = upload.get("uploaded_by") or {}
            ours = by.get("username", self.gitlab.account) == self.gitlab.account
            if ours and str(upload["filename"]).startswith(prefix):
                self.gitlab.delete_upload(project, int(upload["id"]))


@dataclass(frozen=True)
class GitLabLink:
    """The link between the issues of two tickets; GitLab keeps one for each pair."""

    gitlab: GitLabPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Nothing to look for: GitLab refuses a second link of the same pair."""
        del intent, record
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Link or unlink."""
        project, iid = place_of(record)
        if intent.payload.get("gone"):
            if intent.payload["ours"]:
                self.gitlab.unlink_issues(project, iid, int(intent.payload["ours"]))
            return untwinned(intent)
        try:
            link = self.gitlab.link_issues(
                project, iid, intent.payload["project"], intent.payload["issue"]
            )
        except ForeignFault as fault:
            return given_up(intent, fault)
        return twinned(intent, link)


def copy_effects(
    jira: JiraPort, gitlab: GitLabPort, sight: Sight, language: Language
) -> dict[str, Any]:
    """Return the effects of this module, by the kind that intents name."""
    return {
        "gitlab.fields": GitLabFields(gitlab),
        "gitlab.assign": GitLabAssign(gitlab),
        "gitlab.comment": GitLabComment(sight, gitlab),
        "gitlab.attachment": GitLabAttachment(sight, gitlab, jira, language),
        "gitlab.link": GitLabLink(gitlab),
        "jira.note": JiraNote(sight, jira),
        "jira.assign": JiraAssign(jira),
    }

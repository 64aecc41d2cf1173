"""Effects that copy between both sides: fields, analyst, comments, attachments, links.

Each copy carries a mark that names its original, so that it is found again without the ledger.
What a server refuses for good is written down as skipped and shown by `wardbook status`; it holds
up nothing else.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from requests_sync.field_effects import GitLabAssign, GitLabFields, JiraAssign
from requests_sync.gitlab_port import GitLabPort
from requests_sync.issue_fields import version_after_note
from requests_sync.jira_port import JiraPort, NotOurs
from requests_sync.marks import copy_anchor, copy_mark
from requests_sync.places import REFUSED_FOR_GOOD, place_of
from requests_sync.sight import Sight
from wardbook.domain.mirror import Attachment, Twin, TwinKind
from wardbook.domain.record import Intent, Outcome, Record, Untwin
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
class GitLabComment:
    """The copy of a ticket's comment: a note, kept as its original is."""

    gitlab: GitLabPort
    sight: Sight

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the note of this comment, as it should read."""
        found = self._locate(intent, record)
        if intent.payload.get("gone"):
            return None if found else _untwin(intent)
        if found is None or found["body"].strip() != intent.payload["text"].strip():
            return None
        return _twin(intent, found["id"])

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Write, rewrite or remove the note."""
        project, iid = place_of(record)
        ours = self._known(intent, record)
        if intent.payload.get("gone"):
            if ours:
                self.gitlab.delete_note(project, iid, ours)
            return _counted(_untwin(intent), record, -1 if ours else 0)
        text = intent.payload["text"]
        try:
            if ours and self._rewrite(project, iid, ours, text):
                return _twin(intent, ours)
            note = self.gitlab.add_note(project, "issues", iid, text)
            return _counted(_twin(intent, note), record, 1)
        except ForeignFault as fault:
            return _skipped(intent, fault)

    def _rewrite(self, project: str, iid: int, note: int, text: str) -> bool:
        """Rewrite a note; False when somebody deleted it."""
        try:
            self.gitlab.edit_note(project, iid, note, text)
        except ForeignFault as fault:
            if fault.status != 404:
                raise
            return False
        return True

    def _known(self, intent: Intent, record: Record) -> int:
        if intent.payload["ours"]:
            return int(intent.payload["ours"])
        found = self._locate(intent, record) if may_exist(intent, record) else None
        return int(found["id"]) if found else 0

    def _locate(self, intent: Intent, record: Record) -> Mapping[str, Any] | None:
        project, iid = place_of(record)
        return self.sight.note(project, "issues", iid, copy_mark(*_original(intent)))


@dataclass(frozen=True)
class JiraNote:
    """The copy of an analyst's note: a comment, kept as its original is."""

    jira: JiraPort
    sight: Sight

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the comment of this note, as it should read."""
        found = self._locate(intent, record)
        if intent.payload.get("gone"):
            return None if found else _untwin(intent)
        if found is None or found["body"].strip() != intent.payload["text"].strip():
            return None
        return _twin(intent, found["id"])

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Write, rewrite or remove the comment."""
        key, ours = record.ticket.key, self._known(intent, record)
        if intent.payload.get("gone"):
            if ours:
                self.jira.delete_comment(key, ours)
            return _untwin(intent)
        text = intent.payload["text"]
        try:
            if ours and self._rewrite(key, ours, text):
                return _twin(intent, ours)
            return _twin(intent, self.jira.add_comment(key, text))
        except ForeignFault as fault:
            if fault.status == 404:
                raise  # the ticket itself may be gone: then nothing is to be copied
            return _skipped(intent, fault)

    def _rewrite(self, key: str, comment: str, text: str) -> bool:
        """Rewrite a comment; False when somebody deleted it."""
        try:
            self.jira.edit_comment(key, comment, text)
        except ForeignFault as fault:
            if fault.status != 404:
                raise
            return False
        return True

    def _known(self, intent: Intent, record: Record) -> str:
        if intent.payload["ours"]:
            return str(intent.payload["ours"])
        found = self._locate(intent, record) if may_exist(intent, record) else None
        return str(found["id"]) if found else ""

    def _locate(self, intent: Intent, record: Record) -> Mapping[str, Any] | None:
        return self.sight.comment(record.ticket.key, copy_anchor(*_original(intent)))


@dataclass(frozen=True)
class GitLabAttachment:
    """The copy of a ticket's attachment: an upload, and the note that shows it."""

    jira: JiraPort
    gitlab: GitLabPort
    sight: Sight
    language: Language

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the note that shows it."""
        found = self._locate(intent, record)
        if intent.payload.get("gone"):
            return None
        return _twin(intent, found["id"]) if found else None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Fetch it from Jira, upload it, write the note; or remove both."""
        project, iid = place_of(record)
        _, theirs = _original(intent)
        removed = intent.payload.get("gone") and not intent.payload.get("double")
        if may_exist(intent, record) or removed:
            self._drop_uploads(project, f"{theirs}-")  # of an attempt that broke off
        if intent.payload.get("gone"):
            found = intent.payload["ours"] or (self._locate(intent, record) or {}).get("id")
            if found:
                self.gitlab.delete_note(project, iid, int(found))
            return _counted(_untwin(intent), record, -1 if found else 0)
        file = Attachment(**intent.payload["file"])
        try:
            link, digest = self._upload(project, file, intent.payload["limit"])
        except NotOurs as refusal:
            return _twin(intent, "", str(refusal))
        except ForeignFault as fault:
            return _skipped(intent, fault)
        text = say(
            self.language, "mirror.file", link=link, digest=digest, **intent.payload["head"]
        ).strip()
        body = f"{text}\n\n{copy_mark(*_original(intent))}"
        note = self.gitlab.add_note(project, "issues", iid, body)
        return _counted(_twin(intent, note), record, 1)

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

    def _locate(self, intent: Intent, record: Record) -> Mapping[str, Any] | None:
        project, iid = place_of(record)
        return self.sight.note(project, "issues", iid, copy_mark(*_original(intent)))


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
            return _untwin(intent)
        try:
            link = self.gitlab.link_issues(
                project, iid, intent.payload["project"], intent.payload["issue"]
            )
        except ForeignFault as fault:
            return _skipped(intent, fault)
        return _twin(intent, link)


def may_exist(intent: Intent, record: Record) -> bool:
    """Tell whether an effect may exist without the ledger's knowing."""
    return bool(intent.attempts or record.known_before)


def _original(intent: Intent) -> tuple[TwinKind, str]:
    return TwinKind(intent.payload["twin"]["kind"]), str(intent.payload["twin"]["theirs"])


def _twin(intent: Intent, ours: object, skipped: str = "") -> Outcome:
    kind, theirs = _original(intent)
    twin = Twin(kind, theirs, str(intent.payload["twin"]["stamp"]), str(ours), skipped)
    detail = {"skipped": skipped} if skipped else {"ours": str(ours)}
    return Outcome(detail=detail, twin=twin)


def _untwin(intent: Intent) -> Outcome:
    if intent.payload.get("double"):
        return Outcome(detail={"gone": True})  # the other one is the copy
    return Outcome(detail={"gone": True}, twin=Untwin(*_original(intent)))


def _counted(outcome: Outcome, record: Record, more: int) -> Outcome:
    """Add to an outcome that we wrote or deleted a note on the issue."""
    return replace(outcome, view={"updated": version_after_note(record.view.updated, more)})


def _skipped(intent: Intent, fault: ForeignFault) -> Outcome:
    """Give up what a server refuses for good; anything else is raised, to be tried again."""
    if fault.status not in REFUSED_FOR_GOOD:
        raise fault
    return _twin(intent, "", str(fault))


def copy_effects(
    jira: JiraPort, gitlab: GitLabPort, sight: Sight, language: Language
) -> dict[str, Any]:
    """Return the effects of this module, by the kind that intents name."""
    return {
        "gitlab.fields": GitLabFields(gitlab),
        "gitlab.assign": GitLabAssign(gitlab),
        "gitlab.comment": GitLabComment(gitlab, sight),
        "gitlab.attachment": GitLabAttachment(jira, gitlab, sight, language),
        "gitlab.link": GitLabLink(gitlab),
        "jira.note": JiraNote(jira, sight),
        "jira.assign": JiraAssign(jira),
    }

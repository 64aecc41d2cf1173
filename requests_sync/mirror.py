"""What is to be done so that both sides of a request agree: a pure comparison.

Each field has one owner (docs/synchronisation.md); comments are copied both ways; attachments and
links go from Jira to GitLab. Nothing is read or written here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from requests_sync.foreign_text import inline_code, quote_for_jira
from requests_sync.issue_fields import (
    QUESTION_LENGTH,
    analyst_of,
    is_copied,
    jira_user_of,
    shown_digest,
    split_text,
    tell_moment,
    tell_size,
    wanted_fields,
)
from requests_sync.marks import copy_anchor, copy_mark
from requests_sync.markup import to_markdown, to_wiki
from wardbook.domain.mirror import Attachment, Remark, Thread, Twin, TwinKind, digest_of
from wardbook.domain.record import Intent, Record
from wardbook.domain.states import State
from wardbook.messages import say
from wardbook.settings import Settings

_NOTE_PIECE, _COMMENT_PIECE = 100_000, 12_000
"""Longest piece of a foreign text, in characters: escaped, it stays below the other side's limit
(GitLab 1,000,000 characters, Jira 32,767)."""

Twins = Mapping[tuple[TwinKind, str], Twin]
IssueOf = Callable[[str], tuple[str, int] | None]


@dataclass(frozen=True)
class Sides:
    """One request as both trackers have it."""

    record: Record
    ticket: Thread
    issue: Thread
    twins: Twins


def compare(sides: Sides, settings: Settings, issue_of: IssueOf) -> list[Intent]:
    """Return what has to happen on either side.

    Args:
        sides: what was last read, and which copies there are.
        settings: owners of names, limits, language.
        issue_of: gives the project and number of another ticket's issue, by the ticket's id.
    """
    plan = _Plan(sides, settings)
    return [
        *plan.fields(),
        *plan.state(),
        *plan.assignee(),
        *plan.comments(),
        *plan.attachments(),
        *plan.links(issue_of),
        *plan.notes(),
    ]


class _Plan:
    def __init__(self, sides: Sides, settings: Settings) -> None:
        self._sides = sides
        self._record = sides.record
        self._settings = settings
        self._language = settings.unit.language

    def fields(self) -> Iterator[Intent]:
        record = self._record
        same_ticket = record.agreed.wanted_for == record.ticket.updated
        if same_ticket and record.view.shown == record.agreed.shown:
            return
        fields = wanted_fields(record.ticket, self._sides.ticket, record.key, self._settings)
        wanted, shown = shown_digest(fields), record.view.shown
        # A server may store a field otherwise than it was asked to: what was settled once so stays.
        settled = (record.agreed.wanted, record.agreed.shown) == (wanted, shown)
        if wanted != shown and not settled:
            yield self._intent(
                "gitlab.fields",
                "fields",
                fields=fields,
                wanted=wanted,
                wanted_for=record.ticket.updated,
            )

    def state(self) -> Iterator[Intent]:
        """Open the issue of a request that goes on, though both sides once agreed on its end.

        So it stands when the ledger was lost after a ticket was opened again.
        """
        over = {State.ACCEPTED, State.ANSWERED, State.CLOSED}  # an accepted one opens it itself
        record = self._record
        closed = record.view.closed and record.agreed.issue_closed
        if closed and not record.ticket.done and record.state not in over:
            yield self._intent("gitlab.state", "state", closed=False)

    def assignee(self) -> Iterator[Intent]:
        """Whoever changed last decides; where both did, the analysts."""
        record, people = self._record, self._settings.gitlab.people
        ticket = analyst_of(record.ticket.assignee, people)
        issue = record.view.assignee
        if ticket == issue:
            return
        if issue != record.agreed.assignee:
            username = jira_user_of(issue, people)
            yield self._intent("jira.assign", "assignee", username=username, analyst=issue)
        elif ticket != record.agreed.ticket_assignee:
            yield self._intent("gitlab.assign", "assignee", username=ticket)

    def comments(self) -> Iterator[Intent]:
        remarks = [*self._overflow(), *self._sides.ticket.remarks]
        for piece in pieces_of(remarks, _NOTE_PIECE):
            yield from self._copy(
                "gitlab.comment",
                TwinKind.COMMENT,
                piece,
                lambda piece: self._words(
                    "comment",
                    author=inline_code(piece.author),
                    at=tell_moment(piece.at, self._settings.unit.time_zone),
                    text=to_markdown(piece.text, gitlab_host=self._settings.gitlab.host),
                ),
            )
        yield from self._gone("gitlab.comment", TwinKind.COMMENT, ids_of(remarks, _NOTE_PIECE))

    def _overflow(self) -> list[Remark]:
        """The rest of a question that is too long for a description goes on as notes."""
        ticket = self._record.ticket
        _, rest = split_text(ticket.description, QUESTION_LENGTH)
        if not rest:
            return []
        return [Remark("description", ticket.reporter.name, ticket.updated, rest)]

    def notes(self) -> Iterator[Intent]:
        remarks = self._sides.issue.remarks
        for piece in pieces_of(remarks, _COMMENT_PIECE):
            yield from self._copy(
                "jira.note",
                TwinKind.NOTE,
                piece,
                lambda piece: self._words(
                    "note",
                    author=quote_for_jira(piece.author),
                    at=tell_moment(piece.at, self._settings.unit.time_zone),
                    text=to_wiki(piece.text),
                ),
            )
        yield from self._gone("jira.note", TwinKind.NOTE, ids_of(remarks, _COMMENT_PIECE))

    def _copy(
        self, kind: str, twin_kind: TwinKind, piece: Remark, compose: Callable[[Remark], str]
    ) -> Iterator[Intent]:
        twin = self._sides.twins.get((twin_kind, piece.id))
        if twin is not None and twin.stamp == piece.stamp:
            return
        mark = copy_mark if twin_kind is TwinKind.COMMENT else copy_anchor
        yield self._intent(
            kind,
            f"{twin_kind}:{piece.id}",
            text=f"{compose(piece)}\n\n{mark(twin_kind, piece.id)}",
            twin={"kind": twin_kind, "theirs": piece.id, "stamp": piece.stamp},
            ours=twin.ours if twin else "",
        )

    def _gone(self, kind: str, twin_kind: TwinKind, there: Collection[str]) -> Iterator[Intent]:
        """A copy whose original was deleted, or hidden from some, goes too."""
        for (known, theirs), twin in self._sides.twins.items():
            if known is twin_kind and theirs not in there:
                yield self._intent(
                    kind,
                    f"{twin_kind}:{theirs}",
                    gone=True,
                    twin={"kind": twin_kind, "theirs": theirs, "stamp": ""},
                    ours=twin.ours,
                )

    def attachments(self) -> Iterator[Intent]:
        limits = self._settings.attachments
        wanted = {a.id: a for a in self._sides.ticket.attachments if is_copied(a, limits)}
        for one in wanted.values():
            if (TwinKind.ATTACHMENT, one.id) not in self._sides.twins:
                yield self._intent(
                    "gitlab.attachment",
                    f"attachment:{one.id}",
                    head=self._head_of(one),
                    file=asdict(one),
                    limit=limits.max_bytes,
                    twin={
                        "kind": TwinKind.ATTACHMENT,
                        "theirs": one.id,
                        "stamp": digest_of(asdict(one)),
                    },
                )
        yield from self._gone("gitlab.attachment", TwinKind.ATTACHMENT, wanted)

    def _head_of(self, one: Attachment) -> dict[str, str]:
        return {
            "author": inline_code(one.author),
            "at": tell_moment(one.at, self._settings.unit.time_zone),
            "name": inline_code(one.name),
            "size": tell_size(one.size, self._language),
        }

    def links(self, issue_of: IssueOf) -> Iterator[Intent]:
        present = {link.ticket_id for link in self._sides.ticket.links}
        for other in sorted(present):
            place = issue_of(other)
            if place is not None and (TwinKind.LINK, other) not in self._sides.twins:
                yield self._intent(
                    "gitlab.link",
                    f"link:{other}",
                    project=place[0],
                    issue=place[1],
                    twin={"kind": TwinKind.LINK, "theirs": other, "stamp": ""},
                )
        yield from self._gone("gitlab.link", TwinKind.LINK, present)

    def _words(self, code: str, **values: object) -> str:
        return say(self._language, f"mirror.{code}", **values).strip()

    def _intent(self, kind: str, part: str, **payload: Any) -> Intent:
        return Intent(f"{self._record.key.lower()}/mirror/{part}", kind, payload)


def pieces_of(remarks: Collection[Remark], limit: int) -> Iterator[Remark]:
    """Yield remarks short enough for the other side; the parts of a long one get numbers."""
    for remark in remarks:
        for number, part in enumerate(_cut(remark.text, limit), 1):
            name = remark.id if number == 1 else f"{remark.id}#{number}"
            yield replace(remark, id=name, text=part)


def _cut(text: str, limit: int) -> Iterator[str]:
    part, rest = split_text(text, limit)
    yield part
    while rest:
        part, rest = split_text(rest, limit)
        yield part


def ids_of(remarks: Collection[Remark], limit: int) -> set[str]:
    """Return the ids of all pieces."""
    return {piece.id for piece in pieces_of(remarks, limit)}

"""The ledger's part on both trackers: tickets, issues and reviews as last read; their copies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, select, update

from wardbook.audit.entry import Fact
from wardbook.audit.log import note
from wardbook.domain.mirror import IssueView, Side, Thread, Twin, TwinKind
from wardbook.domain.record import Record, Review
from wardbook.ledger import schema
from wardbook.ledger.columns import JSON_COLUMNS, key_order
from wardbook.ledger.records import Records
from wardbook.ledger.rows import (
    THREAD,
    TakenTicket,
    add_thread,
    add_tickets,
    add_twin,
    dump,
    in_utc,
    is_newer_view,
    issue_reference,
    merge,
    stamp,
    view_columns,
)

_REVIEW = JSON_COLUMNS["review"]
GONE = ""
"""What stands in place of a ticket's version once Jira no longer has it."""


class Sides(Records):
    """What was last read of both sides of the requests."""

    def ticket_versions(self, ids: Collection[str]) -> dict[str, str]:
        """Return Jira's stamp of the last change that was read, for those of `ids` known here."""
        table = schema.requests
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.ticket_id, table.c.ticket_updated).where(table.c.ticket_id.in_(ids))
            ).all()
        return {row.ticket_id: row.ticket_updated for row in rows}

    def take_tickets(self, taken: Iterable[TakenTicket], *, census: int, now: datetime) -> set[str]:
        """Write down tickets as just read, in one transaction.

        Returns the keys of those left out: each is the name of another ticket's request.
        """
        with self._writing() as connection:
            return add_tickets(connection, taken, census, now)

    def count_in_census(self, ids: Collection[str], census: int) -> None:
        """Write down that the census numbered `census` met these tickets."""
        table = schema.requests
        with self._writing() as connection:
            connection.execute(
                update(table).where(table.c.ticket_id.in_(ids)).values(census=census)
            )

    def missed_by_census(self, census: int) -> list[str]:
        """Return the keys of the requests whose ticket the census did not meet."""
        table = schema.requests
        missed = and_(table.c.census < census, table.c.ticket_updated != GONE)
        with self._reader.connect() as connection:
            return list(connection.execute(select(table.c.key).where(missed)).scalars())

    def see(self, key: str, **changes: Mapping[str, Any]) -> Record | None:
        """Write down single fields of `ticket` or `view` that were read directly."""
        with self._writing() as connection:
            merge(connection, key, **changes)
        return self.record(key)

    def lose_ticket(self, key: str) -> None:
        """Write down that a request's ticket is no longer there: it has no version any more."""
        self.see(key, ticket={"updated": GONE, "done": True})

    def keys_of_issues(self, project: str, iids: Collection[int]) -> dict[int, tuple[str, str]]:
        """Return, by number of the issue, its request's key and the version that was read."""
        table = schema.requests
        by_reference = {issue_reference(project, iid): iid for iid in iids}
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.issue, table.c.key, table.c.issue_updated).where(
                    table.c.issue.in_(by_reference)
                )
            ).all()
        return {by_reference[row.issue]: (row.key, row.issue_updated) for row in rows}

    def take_view(
        self, key: str, view: IssueView, thread: Thread | None, look_at: datetime | None
    ) -> None:
        """Write down an issue as just read, and what people wrote there where that was read.

        Args:
            key: the request's.
            view: the issue.
            thread: None where it was not read.
            look_at: when it is to be read once more, whatever its version says.
        """
        table = schema.requests
        values = {
            "view": dump("view", view),
            **view_columns(view),
            "look_at": look_at and in_utc(look_at),
        }
        with self._writing() as connection:
            known = connection.execute(
                select(table.c.issue_updated).where(table.c.key == key)
            ).scalar_one()
            if is_newer_view(known, view.updated):
                return  # another worker has listed it since
            connection.execute(update(table).where(table.c.key == key).values(values))
            if thread is not None:
                add_thread(connection, key, Side.GITLAB, thread)

    def to_look_at(self, now: datetime) -> list[str]:
        """Return the keys of the requests whose issue is to be read once more by now."""
        table = schema.requests
        with self._reader.connect() as connection:
            keys = connection.execute(select(table.c.key).where(table.c.look_at <= in_utc(now)))
            return sorted(keys.scalars(), key=key_order)

    def take_review(self, key: str, review: Review, now: datetime) -> None:
        """Write down a merge request as just read."""
        table = schema.requests
        with self._writing() as connection:
            known = connection.execute(select(table.c.review).where(table.c.key == key)).scalar()
            connection.execute(
                update(table).where(table.c.key == key).values(review=dump("review", review))
            )
            _note_approvals(connection, key, _REVIEW.validate_python(known), review, now)

    def thread(self, key: str, side: Side) -> Thread:
        """Return what people attached to one side, as last read."""
        table = schema.threads
        with self._reader.connect() as connection:
            found = connection.execute(
                select(table.c.thread).where(table.c.request_key == key, table.c.side == side)
            ).scalar_one_or_none()
        return THREAD.validate_python(found) if found else Thread()

    def twins(self, key: str) -> dict[tuple[TwinKind, str], Twin]:
        """Return the copies that exist of a request, by kind and id of the original."""
        table = schema.twins
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(table.c.request_key == key)).all()
        twins = [_twin_of(row) for row in rows]
        return {(twin.kind, twin.theirs): twin for twin in twins}

    def replace_twins(self, key: str, twins: Iterable[Twin]) -> None:
        """Write down which copies really exist of a request."""
        table = schema.twins
        with self._writing() as connection:
            connection.execute(delete(table).where(table.c.request_key == key))
            for twin in twins:
                add_twin(connection, key, twin)

    def skipped_twins(self) -> list[tuple[str, Twin]]:
        """Return what could not be copied, with its request's key."""
        table = schema.twins
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(table.c.skipped != "")).all()
        return [(row.request_key, _twin_of(row)) for row in rows]


def _note_approvals(
    connection: Connection, key: str, known: Review, review: Review, now: datetime
) -> None:
    """Have the audit log say who gave or took back an approval, when we first see it."""
    before = {(one.username, one.at) for one in known.approvals}
    after = {(one.username, one.at) for one in review.approvals}
    for event, people in (("approval.given", after - before), ("approval.gone", before - after)):
        for username, at in sorted(people):
            note(connection, Fact(stamp(now), username, event, key, {"given": at}))


def _twin_of(row: Row[Any]) -> Twin:
    return Twin(TwinKind(row.kind), row.theirs, row.stamp, row.ours, row.skipped)

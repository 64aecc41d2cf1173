"""What a move tells the outside: intents for the ticket's status, a comment, the state label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.house import House
from wardbook.domain.record import Intent, Record
from wardbook.domain.states import State, move_between
from wardbook.messages import Language, say


def language_of(house: House, record: Record) -> Language:
    """Return the language in which the requester is answered."""
    return record.request.language if record.request else house.settings.unit.language


def intend(record: Record, target: State, kind: str, part: str = "", **payload: Any) -> Intent:
    """Return an intent whose key says what it is for: this ticket's content or this run.

    So a ledger that was lost and made again gives the same keys, and finds the marks that the
    effects left under them. What happens again to the same content gets a number from the ledger.
    """
    name = kind if not part else f"{kind}:{part}"
    about = record.work.run or f"{record.key.lower()}-{record.asked[:16]}"
    return Intent(f"{about}/{target}/{name}", kind, payload)


def intend_notices(
    house: House, record: Record, target: State, comment: str | None = None
) -> Iterator[Intent]:
    """Yield what the table of states asks for this move: comment, ticket status, label.

    Args:
        house: for the names of Jira's statuses.
        record: the request before the move.
        target: the state it moves to.
        comment: the notice in Jira's wiki markup; needed exactly where the table names one.
    """
    move = move_between(record.state, target)
    if (comment is None) != (move.notice is None):
        raise ValueError(f"the move to {target} has notice {move.notice}, but the text differs")
    if comment is not None:
        yield intend(record, target, "jira.comment", text=comment)
    if move.notice == "refused":
        yield from intend_mail(house, record, target, move.notice)
    if move.ticket is not None:
        yield intend_status(house, record, target, house.settings.jira.workflow.status(move.ticket))
    closed = _closed(record, target)
    shown = target.label != record.state.label or closed is not None
    if record.links.issue is not None and shown:  # a new issue is born with its label
        yield intend(record, target, "gitlab.state", closed=closed)


def intend_mail(
    house: House, record: Record, target: State, notice: str, **values: str
) -> Iterator[Intent]:
    """Yield a mail to the requester, where the unit sends any; it leads to the ticket.

    Args:
        house: for its settings.
        record: the request before the move.
        target: the state it moves to.
        notice: the messages are `notice.mail_NOTICE` and `notice.mail_NOTICE_subject`.
        values: what the message needs besides the ticket.
    """
    if house.settings.mail is None:
        return
    language, key = language_of(house, record), record.ticket.key
    address = f"{house.settings.jira.url.rstrip('/')}/browse/{key}"
    text = say(language, f"notice.mail_{notice}", key=key, ticket=address, **values)
    yield intend(
        record,
        target,
        "mail.send",
        to=record.ticket.reporter.username,
        subject=say(language, f"notice.mail_{notice}_subject", key=key),
        text=text.strip(),
        language=language,
    )


def intend_status(
    house: House, record: Record, target: State, status: str, resolution: str = ""
) -> Intent:
    """Return the intent for the ticket's status, by the unit's own names.

    Args:
        house: for its workflow.
        record: the request before the move.
        target: the state it moves to.
        status: where the ticket is to stand.
        resolution: what is set if that closes it; that of an answered ticket unless given.
    """
    workflow = house.settings.jira.workflow
    return intend(
        record,
        target,
        "jira.transition",
        status=status,
        resolution=resolution or workflow.resolution,
        todo=workflow.todo,
    )


def _closed(record: Record, target: State) -> bool | None:
    """Close the issue with the answer; open it when work begins, or the requester has to act.

    Only one that was closed by agreement is opened: what somebody closed since is followed.
    """
    if target is State.ANSWERED:
        return True
    goes_on = target in {State.PREPARED, State.REFUSED, State.PAUSED}
    return False if goes_on and record.agreed.issue_closed else None

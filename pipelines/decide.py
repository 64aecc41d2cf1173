"""The next step of a request: a pure decision over what the ledger knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from wardbook.domain.catch_up import find_due
from wardbook.domain.periods import day_begins
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.domain.states import State
from wardbook.review.approving import Panel, find_refusal, is_approved


class Step(StrEnum):
    """What is to be done next; `rest` means that somebody else has to act first."""

    CLOSE = "close"
    REOPEN = "reopen"
    GATE = "gate"
    COMPARE = "compare"
    PREPARE = "prepare"
    START = "start"
    FOLLOW = "follow"
    MEND = "mend"
    RELEASE = "release"
    REVIEW = "review"
    TURN_DOWN = "turn_down"
    DELIVER = "deliver"
    ANSWER = "answer"
    AGAIN = "again"
    WARN = "warn"
    PAUSE = "pause"
    REST = "rest"


_FORWARD = {
    State.RECEIVED: Step.GATE,
    State.ACCEPTED: Step.PREPARE,
    State.PREPARED: Step.START,
    State.CHECKED: Step.RELEASE,
    State.RELEASED: Step.DELIVER,
    State.DELIVERED: Step.ANSWER,
    State.ANSWERED: Step.REST,
    State.REFUSED: Step.REST,
    State.CLOSED: Step.REST,
    State.PAUSED: Step.REST,
}
SYNC_STEPS = frozenset({Step.CLOSE, Step.REOPEN, Step.GATE, Step.COMPARE, Step.PREPARE})
"""The steps that bring both sides to agree; none of them runs a notebook."""


# On an expired basis nothing of these goes on; what is released already is brought to its end.
_UNRELEASED = frozenset(
    {
        State.ACCEPTED,
        State.PREPARED,
        State.RUNNING,
        State.FAILED,
        State.CHECKED,
        State.HELD,
    }
)
_AT_ONCE = datetime.fromtimestamp(0, UTC)
"""When one is due of which no period is known: its ledger was lost."""
_WITHOUT_ISSUE = frozenset({State.RECEIVED, State.ACCEPTED})
"""Where a step of the request's own way comes first, and brings its issue with it."""
_WAITING = frozenset({State.FAILED, State.HELD, State.REJECTED, State.ANSWERED})


def next_step(
    record: Record,
    panel: Panel,
    *,
    now: datetime,
    zone: ZoneInfo,
    notice_days: int,
    cause_gone: bool = False,
    copies_wait: bool = False,
) -> Step:
    """Decide the next step of a request.

    Args:
        record: the request as the ledger knows it, the effects of its own way all confirmed.
        panel: who may review the request, and how many have to.
        now: the moment.
        zone: the unit's.
        notice_days: how long before its basis ends a recurring request says so.
        cause_gone: whether something changed that can have made its run fail.
        copies_wait: whether copies of an earlier comparison are still to be made: until they are,
            another comparison would miss them, and ask for them twice.
    """
    by_hand = step_by_hand(record)
    if by_hand is not None:
        return by_hand
    if record.asked != record.gated and record.state is not State.CLOSED:
        return Step.GATE
    touched = record.compared != record.version and record.state not in _WITHOUT_ISSUE
    if touched and not copies_wait:
        return Step.COMPARE
    if record.request is not None:
        step = step_of_calendar(record, record.request, now, zone, notice_days)
        if step is not None:
            return step
    if record.state in _FORWARD:
        return _FORWARD[record.state]
    if record.review.head and record.work.commit and record.review.head != record.work.commit:
        return Step.MEND
    match record.state:
        case State.RUNNING:
            return Step.FOLLOW
        case State.FAILED if cause_gone:
            return Step.MEND
        case State.HELD if find_refusal(record, panel):
            return Step.TURN_DOWN
        case State.HELD if is_approved(record, panel):
            return Step.REVIEW
        case _:
            return Step.REST


def step_by_hand(record: Record) -> Step | None:
    """Decide what somebody's closing or opening of the ticket or of the issue asks for.

    It shows against what both sides were last brought to. Where both were changed at once, the
    ticket decides: it is the requester's.
    """
    if record.state is State.RECEIVED:
        return None  # the gate looks at the ticket first
    over = record.state in {State.ANSWERED, State.CLOSED}
    if not record.ticket.updated:  # the ticket is gone, and whatever was asked with it
        return None if over else Step.CLOSE
    ticket_changed = record.ticket.done != record.agreed.ticket_done
    issue_changed = (
        record.links.issue is not None and record.view.closed != record.agreed.issue_closed
    )
    if not (ticket_changed or issue_changed):
        return None
    closed = record.ticket.done if ticket_changed else record.view.closed
    if closed and not over:
        return Step.CLOSE
    if not closed and over:
        return Step.REOPEN
    return None


def step_of_calendar(
    record: Record, request: Request, now: datetime, zone: ZoneInfo, notice_days: int
) -> Step | None:
    """Decide what the calendar alone asks: pause, warn, go on with the schedule, or nothing.

    The last day of a legal basis is a good day. A recurring request pauses wherever it waits; one
    that runs once only while something of it could still be released.
    """
    today, last = now.astimezone(zone).date(), date.fromisoformat(request.expires)
    schedule = request.schedule(zone)
    recurring = schedule is not None
    if today > last and (record.state in _UNRELEASED or (recurring and record.state in _WAITING)):
        return Step.PAUSE
    if schedule is None or record.state not in _WAITING:
        return None
    if record.warned != request.expires and today >= last - timedelta(days=notice_days):
        return Step.WARN
    if record.state is not State.ANSWERED:
        return None
    return Step.AGAIN if find_due(schedule, record.work.settled, now) else None


def wakes_at(record: Record, zone: ZoneInfo, notice_days: int) -> datetime | None:
    """Return the moment at which the calendar next asks something of an answered request.

    Args:
        record: as it will be: answered for its period, or that passed over.
        zone: the unit's.
        notice_days: how long before its basis ends it says so.
    """
    request = record.request
    schedule = request.schedule(zone) if request else None
    if request is None or schedule is None:
        return None
    last = date.fromisoformat(request.expires)
    settled = record.work.settled
    moments = [schedule.start_after(settled) if settled else _AT_ONCE]
    if record.warned != request.expires:
        moments.append(day_begins(last - timedelta(days=notice_days), zone))
    if last < date.max:
        moments.append(day_begins(last + timedelta(days=1), zone))
    return min((moment for moment in moments if moment), default=None)

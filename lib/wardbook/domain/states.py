"""The states of a request, and the table of moves between them.

The table is the truth: which moves exist, who may make each, the audit event it leaves, and the
notice that the requester gets. GitLab's scoped label `state::…` shows the state; the ledger
drives it. `docs/states.md` is drawn from this table by `make docs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wardbook.errors import Fault


class State(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    PREPARED = "prepared"
    RUNNING = "running"
    FAILED = "failed"
    CHECKED = "checked"
    HELD = "held"
    REJECTED = "rejected"
    RELEASED = "released"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"
    PAUSED = "paused"

    @property
    def label(self) -> str:
        """The scoped label that shows this state in GitLab.

        A prepared request runs a moment later and is shown as running: one write less for each.
        """
        return f"state::{State.RUNNING if self is State.PREPARED else self}"


SETTLED = frozenset(
    {
        State.REFUSED,
        State.FAILED,
        State.REJECTED,
        State.ANSWERED,
        State.CLOSED,
        State.REOPENED,
        State.PAUSED,
    }
)
"""States in which the platform waits for a person, or for nothing."""


class Actor(StrEnum):
    """Who may make a move."""

    REQUESTER = "requester"
    PLATFORM = "platform"
    ANALYST = "analyst"
    REVIEWER = "reviewer"


class TicketStatus(StrEnum):
    """What a move asks of the ticket; the settings name the Jira status for each."""

    WORKING = "working"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True)
class Move:
    """One allowed move. `notice` is a message of topic `notice`, told to the requester."""

    source: State
    target: State
    actor: Actor
    event: str
    notice: str | None = None
    ticket: TicketStatus | None = None


_WORK = (
    Move(
        State.RECEIVED,
        State.REFUSED,
        Actor.PLATFORM,
        "gate.refused",
        "refused",
        TicketStatus.WAITING,
    ),
    Move(State.RECEIVED, State.ACCEPTED, Actor.PLATFORM, "gate.accepted"),
    Move(
        State.ACCEPTED,
        State.PREPARED,
        Actor.PLATFORM,
        "request.prepared",
        None,
        TicketStatus.WORKING,
    ),
    Move(State.PREPARED, State.RUNNING, Actor.PLATFORM, "run.started"),
    Move(State.RUNNING, State.CHECKED, Actor.PLATFORM, "run.checked"),
    Move(State.RUNNING, State.FAILED, Actor.PLATFORM, "run.failed", "failed", TicketStatus.WAITING),
    Move(State.CHECKED, State.RELEASED, Actor.PLATFORM, "release.standing"),
    Move(State.CHECKED, State.HELD, Actor.PLATFORM, "release.held"),
    Move(State.CHECKED, State.REJECTED, Actor.PLATFORM, "release.refused", "rejected"),
    Move(State.HELD, State.RELEASED, Actor.REVIEWER, "release.approved"),
    Move(State.HELD, State.REJECTED, Actor.REVIEWER, "release.rejected", "rejected"),
    Move(State.RELEASED, State.DELIVERED, Actor.PLATFORM, "deliverable.delivered"),
    Move(
        State.DELIVERED,
        State.ANSWERED,
        Actor.PLATFORM,
        "request.answered",
        "answered",
        TicketStatus.DONE,
    ),
)
# An analyst who mends the notebook on the request's branch makes it run again.
_MENDED = tuple(
    Move(state, State.PREPARED, Actor.ANALYST, "request.mended", None, TicketStatus.WORKING)
    for state in (State.RUNNING, State.FAILED, State.HELD, State.REJECTED, State.REOPENED)
)
# Between its check and its release another table left that tells on this one: it is judged anew.
_OVERTAKEN = tuple(
    Move(state, State.CHECKED, Actor.PLATFORM, "release.overtaken")
    for state in (State.CHECKED, State.HELD)
)
# Somebody closes the ticket or the issue by hand, or opens it again.
_BY_HAND = (
    *(
        Move(state, State.CLOSED, Actor.REQUESTER, "request.closed")
        for state in State
        if state not in {State.ANSWERED, State.CLOSED}
    ),
    Move(State.ANSWERED, State.REOPENED, Actor.REQUESTER, "request.reopened"),
)
# The ledger was lost after the answer: the label tells so.
_ADOPTED = (Move(State.RECEIVED, State.ANSWERED, Actor.PLATFORM, "request.adopted"),)
# A recurring request runs again when its next period begins. The ticket stays as it is: it would
# only go to and fro.
_AGAIN = (Move(State.ANSWERED, State.PREPARED, Actor.PLATFORM, "request.due"),)
# Somebody has it run again although nothing changed.
_FORCED = tuple(
    Move(state, State.PREPARED, Actor.ANALYST, "run.forced", None, ticket)
    for state, ticket in (
        (State.FAILED, TicketStatus.WORKING),
        (State.REJECTED, TicketStatus.WORKING),
        (State.ANSWERED, None),
    )
)
# While it waits, a recurring request tells ahead of time that its legal basis ends.
_WARNED = tuple(
    Move(state, state, Actor.PLATFORM, "basis.ends_soon", "ends_soon")
    for state in (State.FAILED, State.HELD, State.REJECTED, State.ANSWERED)
)
# Nothing runs or is released on a legal basis that has expired.
_PAUSED = tuple(
    Move(state, State.PAUSED, Actor.PLATFORM, "basis.expired", "paused", TicketStatus.WAITING)
    for state in (
        State.ACCEPTED,
        State.PREPARED,
        State.RUNNING,
        State.FAILED,
        State.CHECKED,
        State.HELD,
        State.REJECTED,
        State.ANSWERED,
    )
)
# An edited ticket passes the gate again, wherever its request stands.
_EDITED = tuple(
    Move(state, State.RECEIVED, Actor.REQUESTER, "ticket.edited")
    for state in State
    if state is not State.RECEIVED
)
MOVES: tuple[Move, ...] = (
    _WORK
    + _OVERTAKEN
    + _MENDED
    + _BY_HAND
    + _ADOPTED
    + _AGAIN
    + _FORCED
    + _WARNED
    + _PAUSED
    + _EDITED
)
_BY_ENDS = {(move.source, move.target): move for move in MOVES if move not in _FORCED}
_FORCED_BY_ENDS = {(move.source, move.target): move for move in _FORCED}


class ForbiddenMove(Fault):
    """A move that the table does not hold: a defect of ours, nothing is written."""


def move_between(source: State, target: State, *, forced: bool = False) -> Move:
    """Return the move from `source` to `target`: of itself, or because a person forces it.

    Raises:
        ForbiddenMove: there is none.
    """
    try:
        return (_FORCED_BY_ENDS if forced else _BY_ENDS)[source, target]
    except KeyError:
        raise ForbiddenMove(
            f"no move leads from {source} to {target}; see docs/states.md"
        ) from None

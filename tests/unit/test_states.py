"""The table of states: complete, closed and told."""

from __future__ import annotations

import pytest

from wardbook.domain.states import (
    MOVES,
    SETTLED,
    ForbiddenMove,
    State,
    TicketStatus,
    move_between,
)
from wardbook.messages import topic_texts


def test_every_state_is_reached_and_left() -> None:
    assert {move.target for move in MOVES} == set(State)
    assert {move.source for move in MOVES} == set(State)


def test_two_states_are_joined_by_one_move_at_most() -> None:
    ends = [(move.source, move.target) for move in MOVES if move.event != "run.forced"]
    assert len(ends) == len(set(ends))


def test_every_settled_state_tells_the_requester() -> None:
    """What people do by hand is told by its step; of what is judged anew, what comes of it."""
    by_hand = {"request.closed", "request.reopened", "request.adopted"}
    anew = {"release.overtaken"}
    for move in MOVES:
        told_before = move.source is move.target  # this move tells what is to come
        if move.event not in by_hand | anew:
            assert (told_before or move.target in SETTLED) == (move.notice is not None)
    assert {move.event for move in MOVES if move.notice} & by_hand == set()


def test_every_notice_has_its_message() -> None:
    assert {move.notice for move in MOVES if move.notice} <= set(topic_texts("fr", "notice"))


def test_a_ticket_waits_for_its_requester_only_where_they_can_do_something() -> None:
    waiting = {move.target for move in MOVES if move.ticket is TicketStatus.WAITING}
    assert waiting == {State.REFUSED, State.FAILED, State.PAUSED}


def test_nothing_is_delivered_without_a_release() -> None:
    into = {move.source for move in MOVES if move.target is State.DELIVERED}
    assert into == {State.RELEASED}
    assert {m.source for m in MOVES if m.target is State.RELEASED} == {State.CHECKED, State.HELD}


def test_a_move_outside_the_table_is_refused() -> None:
    with pytest.raises(ForbiddenMove, match="states"):
        move_between(State.RECEIVED, State.DELIVERED)

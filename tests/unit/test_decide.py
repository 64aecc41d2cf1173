"""The next step of a request, over every state and the facts that matter in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from factories import make_record, make_request

from pipelines.decide import (
    Step,
    next_step,
    step_by_hand,
    wakes_at,
)
from pipelines.story import STEPS
from wardbook.domain.record import Approval, Record, Review, TurnDown, Work
from wardbook.domain.states import State
from wardbook.review.approving import Panel, valid_approvals

REVIEWERS = Panel(
    reviewers=frozenset({"rfaure", "cmoreau"}), requester=frozenset({"cmoreau", "claire moreau"})
)
TODAY = date(2026, 3, 2)
PARIS = ZoneInfo("Europe/Paris")
NOON = datetime.combine(TODAY, time(12), PARIS)
NOTICE = 30
FAURE = Approval("rfaure", "Rémi Faure", "2026-03-02T12:00:00.000Z")
REFUSED = TurnDown("rfaure", "Rémi Faure", (1,), "trop fin")


def step_of(record: Record, panel: Panel, today: date = TODAY) -> Step:
    noon = datetime.combine(today, time(12), PARIS)
    return next_step(record, panel, now=noon, zone=PARIS, notice_days=NOTICE)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (State.RECEIVED, Step.GATE),
        (State.REFUSED, Step.REST),
        (State.ACCEPTED, Step.PREPARE),
        (State.PREPARED, Step.START),
        (State.RUNNING, Step.FOLLOW),
        (State.FAILED, Step.REST),
        (State.CHECKED, Step.RELEASE),
        (State.HELD, Step.REST),
        (State.REJECTED, Step.REST),
        (State.RELEASED, Step.DELIVER),
        (State.DELIVERED, Step.ANSWER),
        (State.ANSWERED, Step.REST),
        (State.PAUSED, Step.REST),
    ],
)
def test_each_state_has_its_step(state: State, step: Step) -> None:
    assert step_of(make_record(state), REVIEWERS) is step


def test_every_state_is_covered() -> None:
    for state in State:
        assert step_of(make_record(state), REVIEWERS) in Step


def test_every_step_but_rest_is_done_by_somebody() -> None:
    assert set(STEPS) == set(Step) - {Step.REST}


@pytest.mark.parametrize("state", list(State))
def test_an_edited_ticket_passes_the_gate_again(state: State) -> None:
    edited = replace(make_record(state), asked="new")
    # A request that was closed by hand waits until somebody opens it again.
    expected = Step.REST if state is State.CLOSED else Step.GATE
    assert step_of(edited, REVIEWERS) is expected


def test_sides_are_not_compared_before_all_earlier_copies_are_made() -> None:
    touched = replace(make_record(State.PREPARED), compared="an earlier version")
    for copies_wait, step in ((False, Step.COMPARE), (True, Step.START)):
        found = next_step(
            touched, REVIEWERS, now=NOON, zone=PARIS, notice_days=NOTICE, copies_wait=copies_wait
        )
        assert found is step


@pytest.mark.parametrize("updated", ["2026-03-02T11:59:00.000+0000", ""])
def test_an_opened_issue_is_taken_up_again_unless_its_ticket_is_gone(updated: str) -> None:
    closed = make_record(State.CLOSED)
    ticket = replace(closed.ticket, done=True, updated=updated)
    agreed = replace(closed.agreed, ticket_done=True, issue_closed=True)
    links = replace(closed.links, project="unite/direction", issue=1)
    opened = replace(closed, ticket=ticket, agreed=agreed, links=links)
    assert step_by_hand(opened) is (Step.REOPEN if updated else None)


def test_a_request_whose_ticket_is_gone_is_closed_wherever_it_stands() -> None:
    for state in set(State) - {State.RECEIVED, State.ANSWERED, State.CLOSED}:
        record = make_record(state)
        agreed = replace(record.agreed, ticket_done=True)
        ticket = replace(record.ticket, done=True, updated="")
        assert step_of(replace(record, ticket=ticket, agreed=agreed), REVIEWERS) is Step.CLOSE


@pytest.mark.parametrize("state", [State.RUNNING, State.FAILED, State.HELD, State.REJECTED])
def test_a_new_commit_on_the_branch_runs_again(state: State) -> None:
    record = replace(make_record(state), review=Review(head="c2"), work=Work(commit="c1"))
    assert step_of(record, REVIEWERS) is Step.MEND
    same = replace(record, review=Review(head="c1"))
    assert step_of(same, REVIEWERS) is not Step.MEND


def held(**review: object) -> Record:
    return replace(make_record(State.HELD), review=Review(**review))  # type: ignore[arg-type]


def test_a_reviewers_approval_releases() -> None:
    assert step_of(held(approvals=(FAURE,)), REVIEWERS) is Step.REVIEW


def test_a_closed_merge_request_turns_down_even_when_approved() -> None:
    assert step_of(held(approvals=(FAURE,), state="closed"), REVIEWERS) is Step.TURN_DOWN


def test_a_reviewers_refusal_is_stronger_than_approvals() -> None:
    assert step_of(held(approvals=(FAURE,), refusals=(REFUSED,)), REVIEWERS) is Step.TURN_DOWN
    stranger = replace(REFUSED, username="alopes")
    assert step_of(held(approvals=(FAURE,), refusals=(stranger,)), REVIEWERS) is Step.REVIEW


@pytest.mark.parametrize(
    "record",
    [
        held(approvals=(Approval("alopes", "Ana Lopes", FAURE.at),)),
        held(approvals=(FAURE,), authors=("Wardbook", "Rémi Faure")),
        held(approvals=(Approval("cmoreau", "Claire Moreau", FAURE.at),)),
        held(),
    ],
    ids=["not a reviewer", "wrote a commit", "is the requester", "nobody"],
)
def test_an_approval_that_does_not_count_changes_nothing(record: Record) -> None:
    assert valid_approvals(record, REVIEWERS) == ()
    assert step_of(record, REVIEWERS) is Step.REST


def basis(state: State, expires: date, every: str = "once", **changes: object) -> Record:
    request = make_request(expires=expires.isoformat(), every=every)
    return replace(make_record(state), request=request, **changes)  # type: ignore[arg-type]


DAY = timedelta(days=1)
UNRELEASED = ("accepted", "prepared", "running", "failed", "checked", "held")
WAITING = ("failed", "held", "rejected", "answered")


@pytest.mark.parametrize("state", UNRELEASED)
def test_nothing_goes_on_after_the_last_day_of_its_basis(state: str) -> None:
    record = basis(State(state), TODAY)
    assert step_of(record, REVIEWERS) is not Step.PAUSE, "the last day counts"
    assert step_of(record, REVIEWERS, TODAY + DAY) is Step.PAUSE


def test_an_expired_basis_is_stronger_than_an_approval() -> None:
    record = basis(State.HELD, TODAY, review=Review(approvals=(FAURE,)))
    assert step_of(record, REVIEWERS) is Step.REVIEW
    assert step_of(record, REVIEWERS, TODAY + DAY) is Step.PAUSE


@pytest.mark.parametrize("state", ["refused", "rejected", "released", "delivered", "answered"])
def test_what_is_decided_already_is_not_paused(state: str) -> None:
    record = basis(State(state), TODAY)
    assert step_of(record, REVIEWERS, TODAY + DAY) is step_of(record, REVIEWERS)


@pytest.mark.parametrize("state", WAITING)
def test_a_recurring_request_pauses_wherever_it_waits(state: str) -> None:
    record = basis(State(state), TODAY, "weekly")
    assert step_of(record, REVIEWERS, TODAY + DAY) is Step.PAUSE


def test_an_edited_ticket_passes_the_gate_again_even_when_its_basis_has_expired() -> None:
    for state in (State.HELD, State.PAUSED):
        record = basis(state, TODAY - DAY, "weekly", asked="new")
        assert step_of(record, REVIEWERS) is Step.GATE
    assert step_of(basis(State.PAUSED, TODAY - DAY, "weekly"), REVIEWERS) is Step.REST


@pytest.mark.parametrize("state", WAITING)
def test_notice_is_given_once_for_an_expiry(state: str) -> None:
    last = TODAY + NOTICE * DAY
    record = basis(State(state), last, "weekly", work=Work(period="2026-W10"))
    assert step_of(record, REVIEWERS, TODAY - DAY) is Step.REST
    assert step_of(record, REVIEWERS) is Step.WARN
    assert step_of(replace(record, warned=last.isoformat()), REVIEWERS) is Step.REST
    earlier = replace(record, warned=(last - DAY).isoformat())
    assert step_of(earlier, REVIEWERS) is Step.WARN, "the ticket says another day now"


@pytest.mark.parametrize("state", WAITING)
def test_what_runs_once_gives_no_notice(state: str) -> None:
    assert step_of(basis(State(state), TODAY), REVIEWERS) is Step.REST


def test_an_answered_request_runs_again_when_its_next_period_begins() -> None:
    sunday, monday = date(2026, 3, 8), date(2026, 3, 9)
    far = date(2027, 12, 31)
    record = basis(State.ANSWERED, far, "weekly", work=Work(period="2026-W10"))
    assert step_of(record, REVIEWERS, sunday) is Step.REST
    assert step_of(record, REVIEWERS, monday) is Step.AGAIN
    for state in ("failed", "held", "rejected"):
        waiting = replace(record, state=State(state))
        assert step_of(waiting, REVIEWERS, monday) is Step.REST, "a person has to act first"


@pytest.mark.parametrize(
    ("every", "period", "expires", "warned", "expected"),
    [
        ("once", "", "2026-03-10", False, None),
        ("weekly", "", "2027-12-31", False, "1970-01-01T00:00:00+00:00"),
        ("0 6 * * 1", "2026-03-23T06:00", "2027-12-31", False, "2026-03-30T04:00:00+00:00"),
        ("weekly", "2026-W10", "2027-12-31", False, "2026-03-08T23:00:00+00:00"),
        ("weekly", "2026-W13", "2027-12-31", False, "2026-03-29T22:00:00+00:00"),
        ("monthly", "2026-03", "2026-04-20", False, "2026-03-20T23:00:00+00:00"),
        ("monthly", "2026-03", "2026-04-20", True, "2026-03-31T22:00:00+00:00"),
        ("monthly", "2026-03", "2026-03-15", True, "2026-03-15T23:00:00+00:00"),
        ("monthly", "2026-03", "9999-12-31", True, "2026-03-31T22:00:00+00:00"),
        ("daily", "9999-12-31", "9999-12-31", True, None),
    ],
    ids=[
        "once",
        "unknown",
        "cron",
        "winter",
        "to summer",
        "notice",
        "noticed",
        "expiry",
        "never",
        "end of time",
    ],
)
def test_an_answered_request_wakes_at_the_next_date_of_its_calendar(
    every: str, period: str, expires: str, warned: bool, expected: str | None
) -> None:
    record = basis(
        State.ANSWERED,
        date.fromisoformat(expires),
        every,
        work=Work(period=period),
        warned=expires if warned else "",
    )
    moment = wakes_at(record, PARIS, NOTICE)
    assert (moment and moment.isoformat()) == expected

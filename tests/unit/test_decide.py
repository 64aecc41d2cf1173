"""The next step of a request, over every state and the facts that matter in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from factories import make_record

from pipelines.decide import Step, may_leave_standing, next_step, valid_approvals, worst_verdict
from pipelines.story import STEPS
from wardbook.domain.output import Check, Verdict
from wardbook.domain.record import Approval, Record, Review, Work
from wardbook.domain.states import State
from wardbook.settings import StandingApproval

REVIEWERS = ("rfaure", "cmoreau")
TODAY = date(2026, 3, 2)
NOTICE = 30
FAURE = Approval("rfaure", "Rémi Faure", "2026-03-02T12:00:00.000Z")


def step_of(record: Record, reviewers: tuple[str, ...], today: date = TODAY) -> Step:
    return next_step(record, reviewers, today=today, notice_days=NOTICE)


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
    assert step_of(replace(make_record(state), asked="new"), REVIEWERS) is Step.GATE


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


def with_checks(*verdicts: Verdict, unchanged: bool = True) -> Record:
    checks = tuple(Check(str(n), "rule", verdict, "why") for n, verdict in enumerate(verdicts))
    return replace(make_record(State.CHECKED), work=Work(checks=checks, unchanged=unchanged))


def test_the_strictest_verdict_counts_and_nothing_checked_is_held() -> None:
    assert worst_verdict(with_checks(Verdict.PASS, Verdict.HOLD)) is Verdict.HOLD
    assert worst_verdict(with_checks(Verdict.HOLD, Verdict.REFUSE)) is Verdict.REFUSE
    assert worst_verdict(with_checks(Verdict.PASS)) is Verdict.PASS
    assert worst_verdict(with_checks()) is Verdict.HOLD


STANDING = StandingApproval(reviewer="rfaure", until=TODAY, digest="a" * 64)


def test_a_standing_approval_lets_an_unchanged_report_out_until_its_last_day() -> None:
    assert may_leave_standing(with_checks(Verdict.PASS), STANDING, "a" * 64, TODAY)


@pytest.mark.parametrize(
    ("record", "standing", "digest", "today"),
    [
        (with_checks(Verdict.PASS), None, "a" * 64, TODAY),
        (with_checks(Verdict.PASS, Verdict.HOLD), STANDING, "a" * 64, TODAY),
        (with_checks(Verdict.PASS, unchanged=False), STANDING, "a" * 64, TODAY),
        (with_checks(Verdict.PASS), STANDING, "b" * 64, TODAY),
        (with_checks(Verdict.PASS), STANDING, "a" * 64, TODAY + timedelta(days=1)),
    ],
    ids=["none", "a check holds", "notebook changed", "template changed", "run out"],
)
def test_otherwise_a_reviewer_looks(
    record: Record, standing: StandingApproval | None, digest: str, today: date
) -> None:
    assert not may_leave_standing(record, standing, digest, today)

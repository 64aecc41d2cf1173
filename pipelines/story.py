"""The story: a ticket becomes a deliverable. Read this file first.

`tick` is one reconcile pass. It looks at what is (Jira, GitLab, runs), takes it into the ledger,
and leads each request as far as it can go now:

    read → gate → prepare → run → check → release → deliver → answer

What comes next is decided in `decide.py` from the ledger alone; each step is one module of
`steps/`. A step ends in one move of the ledger, which writes the new state together with the
intents of all that is to happen outside; `settle_effects` then makes those happen, once, whatever
crashes in between. So the pass may be killed anywhere and started again, by several workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pipelines.audit_heads import seal_log_when_due
from pipelines.decide import SYNC_STEPS, Step
from pipelines.executors.interface import RunState
from pipelines.house import House
from pipelines.settle import settle_effects
from pipelines.steps.answer import answer_ticket
from pipelines.steps.by_hand import close_request, reopen_request
from pipelines.steps.calendar import pause_request, run_again, warn_of_expiry
from pipelines.steps.compare import compare_sides
from pipelines.steps.deliver import deliver_outputs
from pipelines.steps.gate import pass_gate
from pipelines.steps.prepare import prepare_request
from pipelines.steps.release import accept_review, release_outputs, turn_down
from pipelines.steps.run import follow_run, mend_request, start_run
from pipelines.unit_metrics import keep_unit_metrics
from pipelines.workers import spread
from requests_sync.read import read_tickets
from requests_sync.read_gitlab import read_issues, read_reviews
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.errors import ForeignFault, WardbookError
from wardbook.ledger.ledger import StaleRecord

log = logging.getLogger(__name__)

ALL_STEPS = frozenset(Step)
STEPS: dict[Step, Callable[[House, Record], Record | None]] = {
    Step.CLOSE: close_request,
    Step.REOPEN: reopen_request,
    Step.GATE: pass_gate,
    Step.COMPARE: compare_sides,
    Step.PREPARE: prepare_request,
    Step.START: start_run,
    Step.FOLLOW: follow_run,
    Step.MEND: mend_request,
    Step.RELEASE: release_outputs,
    Step.REVIEW: accept_review,
    Step.TURN_DOWN: turn_down,
    Step.DELIVER: deliver_outputs,
    Step.ANSWER: answer_ticket,
    Step.AGAIN: run_again,
    Step.WARN: warn_of_expiry,
    Step.PAUSE: pause_request,
}
"""Each takes the request as it stands and returns it as it stands then, or None to wait."""


@dataclass
class Pass:
    """What one pass came to: which requests moved, and what went wrong where."""

    moved: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    def add(self, other: Pass) -> None:
        """Take in what a part of the pass came to."""
        self.moved += other.moved
        self.faults |= other.faults


def tick(house: House) -> Pass:
    """Look at everything once and lead each request as far as it can go now."""
    outcome = read_both(house)
    sync_all(house, outcome)
    advance_all(house, outcome)
    look_after(house, outcome)
    return outcome


def look_after(house: House, outcome: Pass) -> None:
    """Do what is no request's: seal the audit log, bring the unit's own metrics up to date."""
    for name, look in (("audit", seal_log_when_due), ("metrics", keep_unit_metrics)):
        try:
            look(house)
        except (WardbookError, OSError) as error:
            outcome.faults[name] = str(error)
            log.warning("%s", error)


def read_both(house: House) -> Pass:
    """Take what changed on either side into the ledger."""
    house.look_again()
    outcome = Pass()
    for name, read in (("jira", _read_jira), ("gitlab", _read_gitlab)):
        try:
            read(house)
        except ForeignFault as fault:
            # One side being away must not hold up what can be done without it.
            outcome.faults[name] = str(fault)
            log.warning("%s", fault)
    return outcome


def sync(house: House) -> Pass:
    """Bring both sides to agree as they are now, without running anything."""
    outcome = read_both(house)
    sync_all(house, outcome)
    return outcome


def tick_until_quiet(house: House) -> Pass:
    """Tick, then follow the runs that this process started until all of them have ended."""
    outcome = tick(house)
    waiting = house.executor_started and not house.executor.outlives
    while waiting:
        # One more pass after the last run: it may have ended since its request was looked at.
        waiting = runs_under_way(house)
        if waiting:
            house.executor.wait(timeout=1.0)
        advance_all(house, outcome)
        if not waiting:
            look_after(house, outcome)
            waiting = runs_under_way(house)  # that pass may have begun the run of a next period
    return outcome


def runs_under_way(house: House) -> bool:
    """Tell whether runs are under way that would end with this process."""
    if not house.executor_started or house.executor.outlives:
        return False
    folders = [
        house.run_folder(str(record.work.run)) for record in house.ledger.records([State.RUNNING])
    ]
    states = house.executor.status(folders).values()
    return any(state in {RunState.QUEUED, RunState.RUNNING} for state in states)


def _read_jira(house: House) -> None:
    read_tickets(house.ledger, house.jira, house.settings, house.now())


def _read_gitlab(house: House) -> None:
    read_issues(house.ledger, house.gitlab, house.settings, house.now())
    read_reviews(house.ledger, house.gitlab, house.now())


def sync_all(house: House, outcome: Pass) -> None:
    """Bring both sides of every request to agree, several requests at a time; nothing is run."""
    for done in spread(house, house.ledger.due_keys(house.now()), sync_one):
        outcome.add(done)


def sync_one(house: House, key: str) -> Pass:
    """Bring both sides of one request to agree."""
    return _advance_claimed(house, key, SYNC_STEPS)


def advance_all(house: House, outcome: Pass) -> None:
    """Lead every request that may have a next step as far as it can go now."""
    for key in house.ledger.due_keys(house.now()):
        outcome.add(_advance_claimed(house, key, ALL_STEPS))
    if house.executor_started:
        hand_over_runs(house, outcome)


def hand_over_runs(house: House, outcome: Pass) -> None:
    """Let the executor hand over the runs of this pass, together where it can."""
    try:
        house.executor.flush()
    except WardbookError as error:
        # The runs are as they were, and so are their requests: the next pass looks again.
        outcome.faults["executor"] = str(error)
        log.warning("%s", error)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        outcome.faults["executor"] = f"Runs could not be handed over ({reason}: {error.filename})."
        log.warning("%s", outcome.faults["executor"])


def _advance_claimed(house: House, key: str, steps: frozenset[Step]) -> Pass:
    outcome = Pass()
    with house.ledger.claim(key) as mine:
        if mine:
            _advance_safely(house, key, outcome, steps)
    return outcome


def _advance_safely(house: House, key: str, outcome: Pass, steps: frozenset[Step]) -> None:
    try:
        for _ in advance(house, key, steps):
            outcome.moved.append(key)
    except StaleRecord:
        log.info("%s moved on meanwhile; the next pass looks again", key)
    except WardbookError as error:
        outcome.faults[key] = str(error)
        log.warning("%s: %s", key, error)
    except Exception as error:
        # A defect of ours must not stop other requests. Its message may hold anything, a patient's
        # value included, so only its class and place are told.
        place = _place_of(error)
        outcome.faults[key] = f"{type(error).__name__} at {place}: a defect, please report it."
        log.error("%s: %s at %s", key, type(error).__name__, place)


def advance(house: House, key: str, steps: frozenset[Step] = ALL_STEPS) -> Iterator[Record]:
    """Lead one request step by step, as far as these steps go; yields it after each move."""
    record = house.ledger.record(key)
    while record is not None:
        settled = settle_effects(house, record)
        if settled.way_waits:
            return
        record = settled.record
        step = house.circumstances.decide(record, copies_wait=settled.copies_wait)
        if step is Step.REST or step not in steps:
            return
        record = STEPS[step](house, record)
        if record is not None and step is not Step.COMPARE:
            yield record


def _place_of(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    code = trace.tb_frame.f_code
    return f"{code.co_name}, line {trace.tb_lineno}"

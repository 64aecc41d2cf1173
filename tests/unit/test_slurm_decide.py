"""What is done about a run, and that every state of Slurm's means something."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipelines.executors.slurm.batches import Submission
from pipelines.executors.slurm.decide import (
    CANCEL_SECONDS,
    SETTLING_SECONDS,
    Act,
    Decision,
    Facts,
    decide,
)
from pipelines.executors.slurm.queue import Job
from pipelines.executors.slurm.states import MEANINGS, Phase, find_meaning
from wardbook.domain.run import FailureKind

FIRST = Submission("b", 0, 1, "", "layout")
SECOND = Submission("b", 0, 2, "n1", "layout")


def job(state: str) -> Job:
    return Job(7, 0, 7, state, "n2")


def facts(state: str | None, note: Submission = FIRST, **known: object) -> Facts:
    given = {"submission": note, "taken": True, "job": job(state) if state else None}
    return Facts(**(given | known))  # type: ignore[arg-type]


LOST = [state for state, meaning in MEANINGS.items() if meaning.phase is Phase.LOST]
OVER = [state for state, meaning in MEANINGS.items() if meaning.phase is Phase.OVER]
GOES_ON = [s for s, m in MEANINGS.items() if m.phase in {Phase.QUEUED, Phase.RUNNING}]


def test_the_states_of_slurms_manual_are_all_known() -> None:
    if shutil.which("man") is None or shutil.which("squeue") is None:
        pytest.skip("the manual of squeue is not installed (Debian packages man-db, slurm-client)")
    manual = subprocess.run(["man", "squeue"], capture_output=True, text=True, check=False)
    if manual.returncode != 0:
        pytest.skip("the manual of squeue is not installed (Debian packages man-db, slurm-client)")
    part = re.search(r"^JOB STATE CODES\n(.*?)^\S", manual.stdout, re.M | re.S)
    assert part is not None
    told = set(re.findall(r"^ {7}[A-Z]{1,3} +([A-Z_]{4,})\b", part[1], re.M))
    assert {"RUNNING", "OUT_OF_MEMORY"} <= told
    assert told <= MEANINGS.keys()


def test_the_states_that_are_over_tell_a_failure_and_no_others() -> None:
    for state, meaning in MEANINGS.items():
        ended = meaning.phase in {Phase.OVER, Phase.LOST}
        assert (meaning.failure is not None) == ended, state


def test_a_state_is_known_by_its_first_word() -> None:
    assert find_meaning("CANCELLED by 1000") is MEANINGS["CANCELLED"]
    assert find_meaning("OUT_OF_MEMORY") is MEANINGS["OUT_OF_MEMORY"]
    assert find_meaning("NAPPING") is None


def test_a_run_that_nobody_has_is_handed_over() -> None:
    assert decide(Facts()) == Decision(Act.SUBMIT)


@pytest.mark.parametrize("state", GOES_ON)
def test_a_job_that_goes_on_is_left_alone(state: str) -> None:
    for note in (FIRST, SECOND):
        for fresh in (True, False):
            assert decide(facts(state, note, fresh=fresh)).act is Act.LEAVE


@pytest.mark.parametrize("state", LOST)
def test_a_lost_run_is_tried_once_more(state: str) -> None:
    again = decide(facts(state))
    assert (again.act, again.attempt) == (Act.SUBMIT, 2)
    assert again.exclude == ("" if state in {"PREEMPTED", "REVOKED"} else "n2")
    assert decide(facts(state, SECOND)) == Decision(Act.END, FailureKind.NODE_LOST)


@pytest.mark.parametrize("state", OVER)
def test_a_job_that_is_over_without_a_result_ends_the_run_by_name(state: str) -> None:
    assert decide(facts(state)) == Decision(Act.END, MEANINGS[state].failure)


def test_slurms_log_tells_memory_where_its_state_does_not() -> None:
    told = decide(facts("FAILED", memory_exceeded=True))
    assert told.failure is FailureKind.OUT_OF_MEMORY
    assert decide(facts("TIMEOUT", memory_exceeded=True)).failure is FailureKind.OUT_OF_TIME


@pytest.mark.parametrize("state", [*OVER, *LOST, None])
def test_a_run_that_was_laid_out_anew_begins_anew(state: str | None) -> None:
    assert decide(facts(state, SECOND, fresh=False)) == Decision(Act.SUBMIT)


def test_a_state_that_we_do_not_know_changes_nothing() -> None:
    assert decide(facts("NAPPING")).act is Act.ASK


def test_a_batch_may_arrive_for_a_while_and_is_then_handed_over_again() -> None:
    waiting = facts(None, SECOND, taken=False, age=SETTLING_SECONDS - 1)
    assert decide(waiting).act is Act.LEAVE
    gone = facts(None, SECOND, taken=False, age=SETTLING_SECONDS)
    assert decide(gone) == Decision(Act.SUBMIT, attempt=2, exclude="n1")


def test_a_job_that_slurm_has_forgotten_counts_as_lost() -> None:
    assert decide(facts(None)) == Decision(Act.SUBMIT, attempt=2)
    assert decide(facts(None, SECOND)) == Decision(Act.END, FailureKind.NODE_LOST)


def test_a_task_without_a_trace_beside_others_was_cancelled_unless_it_had_begun() -> None:
    assert decide(facts(None, others=True)) == Decision(Act.END, FailureKind.CANCELLED)
    assert decide(facts(None, others=True, begun=True)).act is Act.SUBMIT


@pytest.mark.parametrize("state", [*MEANINGS, "NAPPING", None])
def test_while_an_engine_lives_nothing_is_done(state: str | None) -> None:
    assert decide(facts(state, claimed=True)) == Decision(Act.LEAVE, running=True)


@pytest.mark.parametrize("state", [*MEANINGS, None])
def test_an_unwanted_run_ends_without_being_executed(state: str | None) -> None:
    wanted = Decision(Act.END, FailureKind.CANCELLED)
    assert decide(facts(state, wish_age=0.0)) == wanted
    assert decide(Facts(wish_age=0.0)) == wanted


def test_an_engine_has_its_time_to_end_an_unwanted_run() -> None:
    young = facts("RUNNING", claimed=True, wish_age=CANCEL_SECONDS)
    assert decide(young).act is Act.LEAVE
    old = facts("RUNNING", claimed=True, wish_age=CANCEL_SECONDS + 1)
    assert decide(old).act is Act.KILL


def test_the_page_about_slurm_has_every_state_with_its_meaning(root: Path) -> None:
    page = (root / "docs" / "slurm.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+) \|$", page, re.M))
    meant = {
        state: f"{meaning.phase} | {meaning.failure or ''}".strip()
        for state, meaning in MEANINGS.items()
    }
    assert {state: " ".join(text.split()) for state, text in told.items()} == meant

"""What is noted of batches and runs, and when it is forgotten."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from trial_runs import make_run

from pipelines.executors.slurm.batches import NOTE, Batches, Submission, read_layout
from pipelines.executors.slurm.ending import end_run, was_memory_exceeded
from pipelines.executors.slurm.queue import Job
from pipelines.executors.slurm.sight import Sight
from wardbook.domain.run import FailureKind, RunResult, RunSpec
from wardbook.engines.claim import LOCK, claim, claim_if_free
from wardbook.errors import Fault

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path, "run", "1")


@pytest.fixture
def batches(tmp_path: Path) -> Batches:
    batches = Batches(tmp_path / "slurm")
    with batches.lock():
        return batches


def hand_over(batches: Batches, run: Path) -> Path:
    batch = batches.make([run])
    Submission(batch.name, 0, 1, "", read_layout(run)).write(run)
    return batch


def test_a_batch_is_kept_until_its_run_has_ended(batches: Batches, run: Path) -> None:
    batch = hand_over(batches, run)
    batches.drop_finished(set())
    assert (batch / "0" / "spec.json").is_file()
    RunResult("run", "2026-03-01T12:00:00+00:00", 1.0).write(run)
    batches.drop_finished({batch.name})
    assert batch.exists()  # Slurm has jobs of it
    batches.drop_finished(set())
    assert not batch.exists()
    assert (run / "spec.json").is_file()


def test_a_batch_is_dropped_when_its_run_has_moved_on(batches: Batches, run: Path) -> None:
    first, second = hand_over(batches, run), hand_over(batches, run)
    batches.drop_finished(set())
    assert not first.exists()
    assert second.exists()


def test_a_number_is_noted_once_and_not_for_a_batch_that_is_gone(
    batches: Batches, run: Path
) -> None:
    batch = hand_over(batches, run)
    batches.note_number(batch.name, 7)
    batches.note_number(batch.name, 8)
    batches.note_number("0" * 32, 9)
    assert batches.numbers() == {batch.name: 7}


def test_a_damaged_note_is_told_and_keeps_its_batch(batches: Batches, run: Path) -> None:
    batch = hand_over(batches, run)
    (run / NOTE).write_text('{"batch": ')
    with pytest.raises(Fault, match="is damaged"):
        Submission.read(run)
    batches.drop_finished(set())
    assert batch.exists()


def test_a_run_that_is_laid_out_anew_is_another_layout(run: Path) -> None:
    before = read_layout(run)
    assert read_layout(run) == before
    RunSpec.read(run).write(run)
    assert read_layout(run) != before


def test_an_engine_that_takes_up_a_run_leaves_a_trace(batches: Batches, run: Path) -> None:
    """However the lock is taken: what `begun` is read from."""
    (run / LOCK).touch()
    os.utime(run / LOCK, (0, 0))
    batch = hand_over(batches, run)
    sight = Sight({}, set(), {batch.name})
    os.utime(run / NOTE, (1000, 1000))
    assert not sight.facts(run).begun
    with claim_if_free(run) as mine:  # ours, to look or to end it
        assert mine
    assert not sight.facts(run).begun
    with claim(run):
        assert sight.facts(run).claimed
    assert sight.facts(run).begun
    assert not sight.facts(run).claimed


def test_a_run_that_ended_meanwhile_keeps_its_own_result(run: Path) -> None:
    RunResult("run", "2026-03-01T12:00:00+00:00", 1.0).write(run)
    end_run(run, FailureKind.NODE_LOST, None, NOW)
    result = RunResult.read(run)
    assert result is not None
    assert result.failure is None


def test_a_run_that_an_engine_is_at_is_not_ended(run: Path) -> None:
    with claim(run):
        end_run(run, FailureKind.NODE_LOST, None, NOW)
        assert RunResult.read(run) is None
    end_run(run, FailureKind.NODE_LOST, Job(1, 0, 1, "NODE_FAIL", "n1", 30.0), NOW)
    result = RunResult.read(run)
    assert result is not None
    assert result.failure is not None
    assert result.failure.kind is FailureKind.NODE_LOST
    assert (result.started, result.seconds) == ("2026-03-01T11:59:30+00:00", 30.0)


LOG = """\
slurmstepd-n1: error: StepId=18.batch exceeded memory limit (534597632 > 314572800), being killed
slurmstepd-n1: error: Exceeded job memory limit
slurmstepd-n1: error: *** JOB 18 ON n1 CANCELLED AT 2026-11-22T02:30:34 ***
"""


@pytest.mark.parametrize(
    ("log", "identity", "exceeded"),
    [
        (LOG, 18, True),
        (LOG, 8, False),
        (LOG, 19, False),
        ("my notebook says: StepId=18.batch exceeded memory limit\n", 18, False),
        ("", 18, False),
    ],
)
def test_slurms_own_line_about_this_job_tells_memory(
    run: Path, log: str, identity: int, exceeded: bool
) -> None:
    (run / "slurm.log").write_text(log)
    assert was_memory_exceeded(run, Job(1, 0, identity, "FAILED")) is exceeded


def test_without_a_log_nothing_is_said_about_memory(run: Path) -> None:
    assert not was_memory_exceeded(run, Job(1, 0, 18, "FAILED"))

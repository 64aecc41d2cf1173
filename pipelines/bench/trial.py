"""Run as production: the notebook as it stands on the disk, by production's engine and checks.

A trial is a run's folder among the bench's own; what the bench knows of it stands in the folder
`bench` inside. Who works on it holds the lock there, which the system lets go of when that process
dies: so the state is derived of what is, and a server that was killed leaves a trial that was cut
off and can be started again. What was tried decides the id: the same thing started twice is one.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipelines.bench.desk import BenchRefusal, Desk, Place
from pipelines.bench.kernels import find_kernel_problem
from pipelines.bench.out_of_room import (
    ran_out_of_room,
    tell_error,
    tell_no_room,
    telling_no_room,
)
from pipelines.bench.progress import Progress, code_cells_on_disk
from pipelines.bench.session import data_of, describe, make_given
from pipelines.bench.subject import Data, Subject, subject_of
from pipelines.bench.trial_record import (
    NOTE,
    Note,
    Trial,
    TrialFailure,
    forget_older,
    identify,
    is_current,
    keep_work,
    read_problem,
    read_stripped,
    state_of,
)
from pipelines.bench.tries import TryPlace, find_place
from pipelines.sources import keep_findings
from pipelines.steps.run import judge_outputs
from wardbook.domain.made_from import run_key
from wardbook.domain.record import Work
from wardbook.domain.run import Failure, FailureKind, RunResult
from wardbook.engines import Engine, open_engine
from wardbook.engines.claim import (
    CANCEL,
    ask_to_cancel,
    claim_if_free,
    is_cancelled,
    is_claimed,
)
from wardbook.engines.failures import describe_failure
from wardbook.engines.interface import Interrupted
from wardbook.errors import WardbookError
from wardbook.files import write_atomically
from wardbook.messages import say

log = logging.getLogger(__name__)

_ROOMY = {FailureKind.DATA_PROBLEM, FailureKind.OUT_OF_TIME, FailureKind.CANCELLED}
"""Failures that have nothing to do with a full disk."""


class Trials:
    """The trials of one desk: one at a time, on one engine that is kept warm. For any thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trial")
        self._engine: Engine = open_engine()  # its server starts with the first trial
        self._progress = Progress()
        self._under_way: dict[str, Future[None]] = {}
        """Trials in the queue or in work, by their id."""
        self._told: dict[str, str] = {}
        """Why trials stopped, for the case that the disk has no room for it."""

    def start(self, key: str) -> Trial:
        """Begin a trial of what stands on the disk now, and return at once.

        Where that is being tried already, it is that trial; where it was tried and nothing else
        has changed either, it is judged anew and not executed.

        Raises:
            BenchRefusal: the notebook, its kernel or room on the disk is missing.
        """
        place = find_place(self._desk, key)
        with self._desk.open_house() as house:
            subject = subject_of(house, place, None)
        problem = find_kernel_problem(subject.template.spec.kernel, self._desk.language)
        if problem:
            raise BenchRefusal(problem)
        data = data_of(place)
        stripped = read_stripped(place, subject.notebook)
        run = self._run_folder(identify(place, stripped, data))
        with ExitStack() as held, telling_no_room(self._desk):
            (run / NOTE).mkdir(parents=True, exist_ok=True, mode=0o700)
            if held.enter_context(claim_if_free(run / NOTE)):
                try:
                    self._lay_out(run, subject, stripped, data)
                except OSError:
                    if RunResult.read(run) is None:
                        shutil.rmtree(run, ignore_errors=True)
                    raise
                forget_older(run, key)
                release = held.pop_all()
                work = self._queue.submit(self._work, place, run, data)
                self._under_way[run.name] = work
                work.add_done_callback(lambda done: self._let_go(run, done, release))
        return self._look(place, run.name)

    def look(self, key: str, trial: str) -> Trial | None:
        """Return a trial as it stands, or the last one (`latest`); None where there is none.

        Raises:
            BenchRefusal: it is not a request's key.
        """
        place = find_place(self._desk, key)
        if trial == "latest":
            runs = self._desk.private.joinpath("runs").glob(f"bench-{key.lower()}-*")
            notes = [(note.started, run.name) for run in runs if (note := Note.read(run))]
            trial = max(notes, default=("", ""))[1]
        note = Note.read(self._run_folder(trial)) if trial.startswith("bench-") else None
        if note is None or note.key != key:
            return None
        return self._look(place, trial)

    def cancel(self, key: str, trial: str) -> None:
        """Wish that a trial ends; one that has ended stays as it is."""
        found = self.look(key, trial)
        if found is not None and found.state == "running":
            ask_to_cancel(self._run_folder(found.id))
            work = self._under_way.get(found.id)
            if work is not None:
                work.cancel()  # what waits for another trial need not wait to be cancelled

    def close(self) -> None:
        """Cut off what is under way; it can be started again by whoever opens the desk next."""
        self._engine.close()
        self._queue.shutdown(wait=True, cancel_futures=True)

    def _run_folder(self, trial: str) -> Path:
        return self._desk.private / "runs" / Path(trial).name

    def _lay_out(self, run: Path, subject: Subject, stripped: str, data: Data) -> None:
        earlier = RunResult.read(run)
        known = Note.read(run)
        if earlier is not None and earlier.failure is not None:
            (run / "result.json").unlink()  # what failed then need not fail now
        (run / CANCEL).unlink(missing_ok=True)
        for name in ("work.json", "problem.txt"):
            (run / NOTE / name).unlink(missing_ok=True)
        shutil.rmtree(run / NOTE / "preview", ignore_errors=True)
        self._told.pop(run.name, None)
        write_atomically(run / "notebook.ipynb", stripped)
        write_atomically(run / NOTE / "parameters.json", subject.texts)
        started = datetime.now(UTC).isoformat()
        made = known.made if known else ""
        Note(subject.place.key, data, str(subject.notebook), started, made).write(run)

    def _let_go(self, run: Path, done: Future[None], release: ExitStack) -> None:
        self._under_way.pop(run.name, None)
        with release:
            if done.cancelled() and is_cancelled(run):
                failure = Failure(FailureKind.CANCELLED)
                RunResult(run.name, datetime.now(UTC).isoformat(), 0.0, failure=failure).write(run)

    # --- in the thread ----------------------------------------------------------------------------

    def _work(self, place: Place, run: Path, data: Data) -> None:
        try:
            with self._desk.open_house() as house:
                subject = subject_of(house, place, None)
                if not isinstance(place, TryPlace):  # no data without the fact
                    house.note_fact("bench.run", place.key, run=run.name, kind=data)
                texts = (run / NOTE / "parameters.json").read_bytes()
                _try_out(replace(subject, texts=texts), run, data, self._engine)
        except Interrupted:
            log.info("%s was cut off: the bench is closed", run.name)
        except OSError as error:
            self._tell(run, tell_error(self._desk, error))
        except WardbookError as error:
            self._tell(run, str(error))
        except Exception as error:
            # Its message may hold anything, a patient's value included.
            name = type(error).__name__
            log.error("%s: %s", run.name, name)
            self._tell(run, say(self._desk.language, "bench.trial_broken", error=name))

    def _tell(self, run: Path, sentence: str) -> None:
        self._told[run.name] = sentence
        with suppress(OSError):
            shutil.rmtree(run / "outputs", ignore_errors=True)  # so that the analyst has room
            write_atomically(run / NOTE / "problem.txt", sentence)

    # --- as it stands -----------------------------------------------------------------------------

    def _look(self, place: Place, trial: str) -> Trial:
        run = self._run_folder(trial)
        note = Note.read(run)
        if note is None:
            raise BenchRefusal(say(self._desk.language, "bench.trial_unknown", key=place.key))
        # The claim is looked at first: it is let go of when all else is written.
        under_way = is_claimed(run / NOTE)
        result = RunResult.read(run)
        failure = None if under_way else self._failure_of(run, note, result)
        seconds = _since(note.started) if under_way else result.seconds if result else 0.0
        numbers, executed = self._progress.code_cells(run), run / "executed.ipynb"
        return Trial(
            id=trial,
            state=state_of(run, under_way, result, failure),
            data=note.data,
            started=note.started,
            seconds=round(seconds, 3),
            cell=self._progress.cell_in_work(run) if under_way else 0,
            cells=len(numbers),
            failure=failure,
            current=is_current(place, trial, note),
            executed=executed if executed.is_file() else None,
        )

    def _failure_of(self, run: Path, note: Note, result: RunResult | None) -> TrialFailure | None:
        sentence = self._told.get(run.name) or read_problem(run)
        if sentence:
            return TrialFailure(sentence)
        if result is None or result.failure is None:
            return None
        failure, cell = result.failure, None
        if failure.cell is not None:
            there = code_cells_on_disk(run / "notebook.ipynb", Path(note.notebook))
            cell = there.get(failure.cell)
        if failure.kind not in _ROOMY and ran_out_of_room(run):
            return TrialFailure(tell_no_room(self._desk), cell=cell)
        language = self._desk.language
        told = describe_failure(failure, language)
        # What is next is the analyst's to do here, not the requester's.
        next_step = say(language, f"bench.trial_{failure.kind}_next")
        return TrialFailure(told.cause, told.place, next_step, cell)


def _try_out(subject: Subject, run: Path, data: Data, engine: Engine) -> None:
    """Execute a trial that is laid out, unless its run stands already, and judge it."""
    note = Note.read(run)
    if note is None:
        raise FileNotFoundError(run)
    given = make_given(subject, data)
    stripped = (run / "notebook.ipynb").read_bytes()
    made = replace(given.made, commit=hashlib.sha256(stripped).hexdigest())
    key = run_key(subject.place.key, subject.period, made, 0)
    if note.made != key:
        (run / "result.json").unlink(missing_ok=True)  # of other data, or other software
    replace(note, made=key).write(run)
    keep_findings(run, given.ready.findings)
    describe(run.name, subject, given).write(run)
    failure = given.ready.failure
    if subject.values is None:
        failure = Failure(FailureKind.REQUEST_BROKEN)
    if failure is not None:
        result = RunResult(run.name, datetime.now(UTC).isoformat(), 0.0, failure=failure)
        result.write(run)
    else:
        result = engine.execute(run)
    if result.failure is None:
        work = Work(run=run.name, period=subject.period, made_from=replace(made, commit=""))
        work = judge_outputs(subject.house, replace(subject.record, work=work))
        keep_work(run, work)
    elif result.failure.kind not in _ROOMY and ran_out_of_room(run):
        shutil.rmtree(run / "outputs", ignore_errors=True)  # so that the analyst has room


def _since(started: str) -> float:
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds())

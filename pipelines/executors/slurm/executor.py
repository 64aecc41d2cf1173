"""The executor for Slurm: looks once at everything, decides, acts."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.executors.interface import RunState
from pipelines.executors.slurm import queue
from pipelines.executors.slurm.batches import NOTE, Batches, Submission, read_layout
from pipelines.executors.slurm.commands import SlurmCommands
from pipelines.executors.slurm.decide import Act, Decision, decide
from pipelines.executors.slurm.ending import end_run, note_refusal
from pipelines.executors.slurm.queue import Job
from pipelines.executors.slurm.sight import Sight, look
from pipelines.executors.slurm.states import HOPELESS, Phase, find_meaning
from pipelines.executors.slurm.submission import (
    Blame,
    Refusal,
    Wanted,
    build_sbatch,
    parse_sbatch,
)
from wardbook.domain.run import FailureKind, RunResult, RunSpec
from wardbook.engines import further_nodes
from wardbook.engines.claim import ask_to_cancel
from wardbook.errors import Fault
from wardbook.settings import SlurmSettings

LOOK_SECONDS = 0.5


class SlurmExecutor:
    """Executes runs as Slurm's jobs; see `Executor` for the promises.

    `submit` and `cancel` only collect: `flush` asks Slurm once for all jobs and then does whatever
    each run needs, so that runs of one pass become one array. `state` is a folder that every node
    sees under the same path, as it sees those of the runs.
    """

    outlives = True

    def __init__(self, settings: SlurmSettings, state: Path) -> None:
        self._settings = settings
        self._python = str(settings.python or sys.executable)
        self._commands = SlurmCommands(settings.conf)
        self._batches = Batches(state)
        self._collected: dict[Path, None] = {}
        self._followed: set[Path] = set()

    def submit(self, folder: Path) -> str:
        """Collect the run for the next `flush`; see `Executor.submit`."""
        key = RunSpec.read(folder).key
        self._collected[folder.resolve()] = None
        return key

    def cancel(self, folder: Path) -> None:
        """Leave the wish in the run's folder; `flush` tells Slurm; see `Executor.cancel`."""
        if RunResult.read(folder) is None:
            ask_to_cancel(folder)
            self._collected[folder.resolve()] = None

    def status(self, folders: Sequence[Path]) -> Mapping[Path, RunState]:
        """Tell how the runs stand, asking Slurm once; see `Executor.status`."""
        open_runs = [folder.resolve() for folder in folders if RunResult.read(folder) is None]
        if not open_runs:
            return dict.fromkeys(folders, RunState.ENDED)
        sight = self._look(open_runs)
        return {folder: _find_state(folder.resolve(), sight) for folder in folders}

    def flush(self) -> None:
        """Hand over what was collected, retry, end and cancel; see `Executor.flush`."""
        folders, self._collected = [*self._collected], {}
        self._followed.update(folders)
        if not any(RunResult.read(folder) is None for folder in folders):
            return
        with self._batches.lock() as lock:
            complaints = [*self._settle(folders, lock)]
        if complaints:
            raise Fault("\n".join(dict.fromkeys(complaints)))

    def wait(self, timeout: float) -> bool:
        """Wait for the next end of a run that this process hands over; see `Executor.wait`."""
        deadline = time.monotonic() + timeout
        while True:
            ended = {folder for folder in self._followed if RunResult.read(folder) is not None}
            self._followed -= ended
            left = deadline - time.monotonic()
            if ended or left <= 0:
                return bool(ended)
            time.sleep(min(LOOK_SECONDS, left))

    def close(self) -> None:
        """Nothing is held here: the jobs are Slurm's."""

    def _look(self, folders: Sequence[Path]) -> Sight:
        return look(self._commands, self._batches, folders, accounting=self._settings.accounting)

    def _settle(self, folders: Sequence[Path], lock: int) -> Iterable[str]:
        """Do what each run needs; yields what the unit must be told."""
        sight = self._look(folders)
        for known in sight.jobs.values():  # also of a process that did not live to note it
            self._batches.note_number(known.batch, known.number)
        self._batches.drop_finished({j.batch for j in sight.jobs.values() if _is_active(j)})
        unwanted: list[Job] = []
        left_behind: list[Job] = []
        wanted: dict[Wanted, list[tuple[Path, Decision]]] = defaultdict(list)
        for folder in folders:
            try:
                if RunResult.read(folder) is not None:
                    continue
                facts = sight.facts(folder)
            except Fault as fault:
                yield str(fault)  # a run that is damaged must not hold up the others
                continue
            decision, job = decide(facts), facts.job
            yield from _complain(folder, decision, job)
            if decision.act is Act.SUBMIT:
                spec = RunSpec.read(folder)
                key = Wanted.of(spec, self._settings, decision.exclude)
                wanted[key].append((folder, decision))
            if decision.act is Act.END and decision.failure is not None:
                end_run(folder, decision.failure, job, datetime.now(UTC))
            if job is not None and _is_in_the_way(decision, job):
                unwanted.append(job)
            if job is not None and _may_have_left_workers(folder, decision):
                left_behind.append(job)
        for key, runs in wanted.items():
            for start in range(0, len(runs), self._settings.largest_array):
                part = runs[start : start + self._settings.largest_array]
                yield from self._hand_over(key, part, lock)
        if unwanted:
            queue.parse_scancel(self._commands.run(queue.build_scancel(unwanted)))
        for job in left_behind:
            queue.parse_scancel(self._commands.run(further_nodes.build_scancel(job.identity)))

    def _hand_over(
        self, wanted: Wanted, runs: Sequence[tuple[Path, Decision]], lock: int
    ) -> Iterable[str]:
        """Hand over runs that ask for the same; yields what the unit must be told."""
        batch = self._batches.make([folder for folder, _ in runs])
        former = {folder: Submission.read(folder) for folder, _ in runs}
        for task, (folder, decision) in enumerate(runs):
            layout = read_layout(folder)
            Submission(batch.name, task, decision.attempt, decision.exclude, layout).write(folder)
        command = build_sbatch(wanted, self._settings, batch, len(runs), self._python)
        # sbatch holds the lock as well: while it lives, nobody looks whether the batch has arrived.
        answer = self._commands.run(command, handle=lock)
        own = wanted.partition != self._settings.partition
        taken = parse_sbatch(answer, own_partition=own)
        if isinstance(taken, int):
            self._batches.note_number(batch.name, taken)
            return
        if taken.blame is Blame.SILENCE:
            yield (
                f"Slurm did not confirm {len(runs)} run(s) ({taken.reason}). They may have "
                "arrived: the next pass looks, and hands over only what has not."
            )
            return
        for folder, note in former.items():
            _restore_note(folder, note)
        self._batches.drop(batch)
        yield self._take_refusal(taken, wanted, runs)

    def _take_refusal(
        self, refusal: Refusal, wanted: Wanted, runs: Sequence[tuple[Path, Decision]]
    ) -> str:
        names = ", ".join(folder.name for folder, _ in runs[:5]) + (", …" if runs[5:] else "")
        said = f'Slurm refused {len(runs)} run(s) ({names}): "{refusal.reason}".'
        if refusal.blame is Blame.UNIT:
            return (
                f"{said} They wait. Look at partition, account, qos and limits under [executor] "
                "and in Slurm; each pass tries again."
            )
        # Without the node that was lost, there may be none: then the run has nowhere to go.
        kind = FailureKind.NODE_LOST if wanted.exclude else FailureKind.ENVIRONMENT_BROKEN
        for folder, _ in runs:
            note_refusal(folder, refusal.reason)
            end_run(folder, kind, None, datetime.now(UTC))
        return (
            f"{said} The template asks for {wanted.cpus} cpu(s), {wanted.memory_mb} MB, "
            f"{wanted.minutes} min, partition {wanted.partition or 'by default'}, gres "
            f"{wanted.gres or 'none'}. Mend [resources], then `wardbook retry`."
        )


def _find_state(folder: Path, sight: Sight) -> RunState:
    # Looked for after the question: a run may end meanwhile, and ended is what lasts.
    if RunResult.read(folder) is not None:
        return RunState.ENDED
    decision = decide(sight.facts(folder))
    if decision.act in {Act.SUBMIT, Act.END}:
        return RunState.UNKNOWN
    return RunState.RUNNING if decision.running else RunState.QUEUED


def _is_in_the_way(decision: Decision, job: Job) -> bool:
    """Tell whether the job goes on although its run has ended, or should."""
    return decision.act is Act.KILL or (decision.act is Act.END and _is_active(job))


def _may_have_left_workers(folder: Path, decision: Decision) -> bool:
    """Tell whether the run's engine is gone without a result: it may not have ended its workers."""
    return decision.act in {Act.SUBMIT, Act.END} and RunSpec.read(folder).nodes > 1


def _is_active(job: Job) -> bool:
    meaning = find_meaning(job.state)
    return meaning is None or meaning.phase in {Phase.QUEUED, Phase.RUNNING}


def _complain(folder: Path, decision: Decision, job: Job | None) -> Iterable[str]:
    if job is None:
        return
    if decision.act is Act.ASK:
        yield (
            f'Slurm says "{job.state}" of job {job.name} (run {folder.name}), which Wardbook does '
            "not know. The run is left alone; please report this, with your Slurm's version."
        )
    elif decision.act is Act.LEAVE and not decision.running and job.reason in HOPELESS:
        yield (
            f'Slurm will not start job {job.name} (run {folder.name}): "{job.reason}". Raise the '
            "limit or release the job; or `scancel` it, mend the template's [resources] and "
            "`wardbook retry`."
        )


def _restore_note(folder: Path, note: Submission | None) -> None:
    if note is None:
        (folder / NOTE).unlink(missing_ok=True)
    else:
        note.write(folder)

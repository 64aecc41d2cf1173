"""The bench's server as a job of Slurm's: handed over once, found again, cancelled.

    FOLDER/.bench/jupyter/job.json    the mark of the job that was handed over last, and its number
    FOLDER/.bench/jupyter/job-MARK/   its server's files; see `running.py` and `on_node.py`

The mark is noted before Slurm is called, and the job's comment bears it: whether a job arrived is
asked of Slurm. The folder must be one that the nodes see under the same path.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.bench.desk import Desk
from pipelines.bench.jupyter import own_folder, prepare, tell_disk, write_config
from pipelines.bench.launch import only_one
from pipelines.bench.on_node import LISTENING, START
from pipelines.bench.running import Berth
from pipelines.cli.plain import harmless
from pipelines.executors.slurm.commands import Answer, SlurmCommands, tell_silence
from pipelines.executors.slurm.queue import parse_scancel
from pipelines.executors.slurm.states import HOPELESS, Phase, find_meaning
from pipelines.executors.slurm.submission import Blame, Refusal, parse_sbatch
from wardbook.errors import EnvironmentFault, Fault, SettingsFault
from wardbook.files import write_atomically
from wardbook.messages import say
from wardbook.settings import SlurmSettings

JOB_SCRIPT = Path(__file__).with_name("lab_job.sh")
JOB_NAME = "wardbook-lab"
MARK = "wardbook-lab:"
LOG = "slurm.log"
LOOK_SECONDS = 1.0
_FORMAT = "%i|%T|%N|%k|%r"
_PASSED_ON = re.compile(r"WARDBOOK_.*|PATH|PYTHONPATH|LANG|LC_.*|TZ|JUPYTER_PATH")


@dataclass(frozen=True)
class Asked:
    """What the job may use."""

    hours: int
    memory_mb: int


@dataclass(frozen=True)
class Job:
    """A job of ours as Slurm has it; `state` is Slurm's own word."""

    number: int
    state: str
    node: str
    mark: str
    reason: str

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        meaning = find_meaning(self.state)
        return meaning is not None and meaning.phase in {Phase.OVER, Phase.LOST}


@dataclass(frozen=True)
class Found:
    """A server that answers on a node's loopback."""

    node: str
    port: int
    token: str


@dataclass(frozen=True)
class Note:
    """What was handed over last; `number` is None until Slurm has told it."""

    mark: str
    number: int | None


def build_sbatch(asked: Asked, settings: SlurmSettings, folder: Path, python: str) -> list[str]:
    """Return the command that hands the server over whose files lie in `folder`."""
    log = f"{str(folder).replace('%', '%%')}/{LOG}"
    chosen = {
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
    }
    return [
        *("sbatch", "--parsable", "--export=NONE", "--propagate=NONE", "--no-requeue"),
        *(f"--job-name={JOB_NAME}", f"--comment={MARK}{mark_of(folder)}"),
        *("--nodes=1", "--ntasks=1", f"--mem={asked.memory_mb}M", f"--time={asked.hours * 60}"),
        *(f"--output={log}", f"--chdir={folder}"),
        *(f"--{name}={word}" for name, word in chosen.items() if word),
        *(str(JOB_SCRIPT), python, str(folder)),
    ]


def mark_of(folder: Path) -> str:
    """Return the mark of a server's folder."""
    return folder.name.removeprefix("job-")


def build_squeue() -> list[str]:
    """Return the question for all our benches that the controller remembers."""
    question = ("squeue", "--me", f"--name={JOB_NAME}", "--states=all", "--noheader")
    return [*question, f"--format={_FORMAT}"]


def parse_squeue(answer: Answer) -> list[Job]:
    """Return the jobs that bear a mark of ours.

    Raises:
        ForeignFault: the controller did not answer, which says nothing about any job.
    """
    if answer.status != 0:
        raise tell_silence(answer)
    jobs = []
    for line in answer.output.splitlines():
        number, state, node, comment, reason = (line.split("|", 4) + [""] * 5)[:5]
        if number.isdecimal() and comment.startswith(MARK):
            mark = comment.removeprefix(MARK)
            jobs.append(Job(int(number), state, node, mark, reason.strip()))
    return jobs


class Bench:
    """One analyst's bench on the cluster of the settings."""

    def __init__(self, desk: Desk) -> None:
        executor = desk.settings.executor
        if executor.kind != "slurm":
            raise SettingsFault(say(desk.language, "bench.launch_slurm_settings"))
        self._desk = desk
        self._settings = executor
        self._commands = SlurmCommands(executor.conf)
        self._own = own_folder(desk)

    def open(
        self, asked: Asked, environment: Mapping[str, str], tell: Callable[[str], None]
    ) -> Found:
        """Return the server in a job, which is handed over unless there is one; waits for it.

        Raises:
            EnvironmentFault: Slurm refused the job, or would never start it; or it has ended.
            ForeignFault: Slurm did not answer; the same call looks again.
        """
        with tell_disk(self._desk):
            note = self._ensure_job(asked, environment, tell)
            return self._wait(note, tell)

    def find_job(self, mark: str) -> Job | None:
        """Ask Slurm for the job of a mark."""
        found = parse_squeue(self._commands.run(build_squeue()))
        return next((job for job in found if job.mark == mark), None)

    def cancel(self) -> bool:
        """Cancel the job; tells whether there was one that had not ended."""
        note = self._read_note()
        job = self.find_job(note.mark) if note else None
        if job is None or job.is_over:
            return False
        parse_scancel(self._commands.run(["scancel", str(job.number)]))
        return True

    def tell(self) -> Iterator[str]:
        """Yield a line about the job that was handed over last."""
        note = self._read_note()
        if note is None:
            return
        job = self.find_job(note.mark)
        state = job.state if job else say(self._desk.language, "bench.launch_slurm_gone")
        number = job.number if job else note.number or "—"
        node = job.node if job else ""
        told = say(self._desk.language, "bench.launch_job", number=number, state=state, node=node)
        yield told.strip()

    def _ensure_job(
        self, asked: Asked, environment: Mapping[str, str], tell: Callable[[str], None]
    ) -> Note:
        self._own.mkdir(parents=True, exist_ok=True, mode=0o700)
        with only_one(self._desk) as lock:
            note = self._read_note()
            if note:
                job = self.find_job(note.mark)
                if job and not job.is_over:
                    return Note(note.mark, job.number)
                gone = say(self._desk.language, "bench.launch_slurm_gone")
                tell(
                    say(
                        self._desk.language,
                        "bench.launch_slurm_former",
                        number=job.number if job else note.number or "—",
                        state=job.state if job else gone,
                    )
                )
                shutil.rmtree(self._folder(note), ignore_errors=True)
            note = Note(uuid.uuid4().hex, None)
            self._lay_out(note, environment)
            return self._hand_over(note, asked, lock, tell)

    def _lay_out(self, note: Note, environment: Mapping[str, str]) -> None:
        berth = Berth(self._folder(note))
        prepare(self._desk, berth)
        write_config(self._desk, berth, secrets.token_urlsafe(32))
        kept = {name: word for name, word in os.environ.items() if _PASSED_ON.fullmatch(name)}
        told = {
            "environment": {**kept, **environment},
            "port": self._desk.settings.bench.port,
            "language": self._desk.language,
        }
        write_atomically(berth.folder / START, json.dumps(told))

    def _hand_over(self, note: Note, asked: Asked, lock: int, tell: Callable[[str], None]) -> Note:
        self._write_note(note)
        python = str(self._settings.python or sys.executable)
        command = build_sbatch(asked, self._settings, self._folder(note), python)
        # sbatch holds the lock as well: while it lives, nobody looks whether the job has arrived.
        answer = self._commands.run(command, handle=lock)
        taken = parse_sbatch(answer, own_partition=False)
        if isinstance(taken, Refusal):
            raise self._refuse(note, taken)
        note = Note(note.mark, taken)
        self._write_note(note)
        tell(say(self._desk.language, "bench.launch_slurm_submitted", number=taken))
        return note

    def _refuse(self, note: Note, refusal: Refusal) -> Fault:
        reason = harmless(refusal.reason)
        if refusal.blame is Blame.SILENCE:
            return Fault(say(self._desk.language, "bench.launch_slurm_silent", reason=reason))
        (self._own / "job.json").unlink()
        shutil.rmtree(self._folder(note), ignore_errors=True)
        told = say(self._desk.language, "bench.launch_slurm_refused", reason=reason)
        return EnvironmentFault(told)

    def _wait(self, note: Note, tell: Callable[[str], None]) -> Found:
        """Wait until the job's server answers; says each change meanwhile."""
        said = ""
        while True:
            job = self.find_job(note.mark)
            if job is None or job.is_over:
                raise self._tell_ended(note, job)
            port = self._find_port(note)
            if port is not None and job.state == "RUNNING":
                config = json.loads(Berth(self._folder(note)).config.read_text(encoding="utf-8"))
                return Found(job.node, port, config["IdentityProvider"]["token"])
            if job.reason in HOPELESS:
                self.cancel()
                code, number = "bench.launch_slurm_hopeless", job.number
                reason = harmless(job.reason)
                raise EnvironmentFault(say(self._desk.language, code, number=number, reason=reason))
            line = self._tell_wait(job)
            if line != said:
                tell(line)
                said = line
            time.sleep(LOOK_SECONDS)

    def _tell_wait(self, job: Job) -> str:
        reason = f"({harmless(job.reason)})" if job.reason not in {"", "None"} else ""
        words = {"number": job.number, "state": job.state, "reason": reason}
        return say(self._desk.language, "bench.launch_slurm_waits", **words).strip()

    def _tell_ended(self, note: Note, job: Job | None) -> Fault:
        try:
            log = (self._folder(note) / LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            log = ""
        lines = [line.strip() for line in log.splitlines() if line.strip()]
        gone = say(self._desk.language, "bench.launch_slurm_gone")
        return EnvironmentFault(
            say(
                self._desk.language,
                "bench.launch_slurm_ended",
                number=job.number if job else note.number or "—",
                state=job.state if job else gone,
                reason=harmless(lines[-1])[:300] if lines else "—",
            )
        )

    def _find_port(self, note: Note) -> int | None:
        try:
            told = (self._folder(note) / LISTENING).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return int(json.loads(told)["port"])

    def _folder(self, note: Note) -> Path:
        return self._own / f"job-{note.mark}"

    def _read_note(self) -> Note | None:
        try:
            told = json.loads((self._own / "job.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Note(str(told["mark"]), told["number"])

    def _write_note(self, note: Note) -> None:
        told = {"mark": note.mark, "number": note.number}
        write_atomically(self._own / "job.json", json.dumps(told))

"""What we note of batches: enough to find a run's job again after a crash at any point.

    STATE/slurm/lock          held by the one pass that hands runs over
    STATE/slurm/BATCH/0 …     a link to the folder of each run; the job's comment names BATCH
    STATE/slurm/BATCH/job     the number of the array, once Slurm has told it
    RUN/slurm.json            which batch and task the run was handed over as
    RUN/slurm.log             what Slurm and the engine's process said

The notes stand before Slurm is called. Whether it was is asked of Slurm, never guessed.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from wardbook.domain.run import RunResult
from wardbook.errors import Fault
from wardbook.files import write_atomically

NOTE = "slurm.json"
LOCK_SECONDS = 30.0


@dataclass(frozen=True)
class Submission:
    """How a run was handed over; `layout` tells whether it was laid out anew since."""

    batch: str
    task: int
    attempt: int
    exclude: str
    layout: str

    def write(self, folder: Path) -> None:
        """Note it in the run's folder."""
        write_atomically(folder / NOTE, json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> Submission | None:
        """Return what was noted last, or None.

        Raises:
            Fault: the note is damaged, so nobody knows whether Slurm has the run.
        """
        try:
            return cls(**json.loads((folder / NOTE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise Fault(
                f"{folder / NOTE} is damaged, so it is not known whether Slurm has this run. See "
                "with `squeue --me`, then remove the file: the run is handed over again."
            ) from None


def read_layout(folder: Path) -> str:
    """Return what changes when the run is laid out anew, also with the same content."""
    found = (folder / "spec.json").stat()
    return f"{found.st_ino}-{found.st_mtime_ns}"


class Batches:
    """The notes under one folder of the unit's state, on a file system that all nodes share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Be the only one who hands runs over; gives the lock's handle, for sbatch to hold too.

        Raises:
            Fault: another pass holds it for long.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + LOCK_SECONDS
        with (self.folder / "lock").open("w") as lock:
            while not _try_lock(lock.fileno()):
                if time.monotonic() > deadline:
                    raise Fault(
                        "Slurm: another pass has been handing runs over for "
                        f"{LOCK_SECONDS:.0f} s. The next one looks again."
                    )
                time.sleep(0.1)
            yield lock.fileno()

    def make(self, runs: Sequence[Path]) -> Path:
        """Make the folder of a new batch; the place of a run in `runs` is its task's number."""
        batch = self.folder / uuid.uuid4().hex
        batch.mkdir(mode=0o700)
        for task, run in enumerate(runs):
            (batch / str(task)).symlink_to(run)
        return batch

    def note_number(self, batch: str, number: int) -> None:
        """Note the number of the array that Slurm made of a batch."""
        note = self.folder / batch / "job"
        if note.parent.is_dir() and not note.exists():
            write_atomically(note, str(number))

    def numbers(self) -> dict[str, int]:
        """Return the array's number of each batch that is known to have arrived."""
        return {
            file.parent.name: int(file.read_text(encoding="ascii"))
            for file in self.folder.glob("*/job")
        }

    def drop(self, batch: Path) -> None:
        """Remove a batch's folder; the runs' folders stay."""
        shutil.rmtree(batch, ignore_errors=True)

    def drop_finished(self, active: Set[str]) -> None:
        """Remove the folders of batches whose runs have all ended, or are gone, or moved on.

        Those in `active` have jobs that wait or run, and stay.
        """
        for batch in self.folder.iterdir():
            if not batch.is_dir() or batch.name in active:
                continue
            if not any(_is_needed(batch.name, link) for link in batch.iterdir()):
                self.drop(batch)


def _is_needed(batch: str, link: Path) -> bool:
    if not link.is_symlink() or not link.is_dir() or RunResult.read(link) is not None:
        return False
    try:
        note = Submission.read(link)
    except Fault:
        return True  # told where its run is settled
    return note is not None and note.batch == batch


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

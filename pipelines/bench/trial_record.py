"""A trial as it stands on the disk: what was tried, how far it came, and what it came to."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from pipelines.bench.desk import BenchRefusal, Place
from pipelines.bench.session import data_of
from pipelines.bench.subject import Data
from pipelines.house import House
from wardbook.domain.record import Work
from wardbook.domain.run import FailureKind, RunResult
from wardbook.engines.claim import is_claimed
from wardbook.errors import Refusal
from wardbook.files import write_atomically
from wardbook.messages import say
from wardbook.stripping import strip_notebook

NOTE = "bench"
_KEPT = 5
"""Trials of one request that are kept: each holds data of patients."""

TrialState = Literal["running", "ended", "failed", "cancelled", "cut_off"]
_WORK = TypeAdapter(Work)


@dataclass(frozen=True)
class TrialFailure:
    """Why a trial failed, in the analyst's language; `cell` is its index among all cells."""

    cause: str
    place: str = ""
    next_step: str = ""
    cell: int | None = None


@dataclass(frozen=True)
class Trial:
    """A trial as it stands now.

    `cell` is the code cell in work, counted from 1, 0 while its data are made ready and once it has
    ended; `cells` is how many code cells there are. `seconds` is what the run took, or takes so
    far; 0 where it was cut off. `current` says that the notebook, parameters and choice of data are
    still those that were tried. `executed` is the executed notebook, as far as it came.
    """

    id: str
    state: TrialState
    data: Data
    started: str
    seconds: float
    cell: int
    cells: int
    failure: TrialFailure | None
    current: bool
    executed: Path | None


@dataclass(frozen=True)
class Note:
    """What the bench keeps of a trial; `made` is the key of the run that it came to."""

    key: str
    data: Data
    notebook: str
    started: str
    made: str = ""

    def write(self, run: Path) -> None:
        """Write it into the run's folder."""
        write_atomically(run / NOTE / "trial.json", json.dumps(asdict(self)))

    @classmethod
    def read(cls, run: Path) -> Note | None:
        """Read it from the run's folder; None where there is no trial."""
        try:
            return cls(**json.loads((run / NOTE / "trial.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def keep_work(run: Path, work: Work) -> None:
    """Keep what a trial came to in its run's folder; that it is there says that it ended well."""
    write_atomically(run / NOTE / "work.json", _WORK.dump_json(work))


def work_of(house: House, place: Place, trial: str) -> Work:
    """Return what a trial that ended came to: its checks, what was dropped, what it was made from.

    Raises:
        BenchRefusal: there is no such trial of this request, or it did not end well.
    """
    language = place.desk.language
    run = house.run_folder(Path(trial).name)
    note = Note.read(run)
    if note is None or note.key != place.key:
        raise BenchRefusal(say(language, "bench.trial_unknown", key=place.key))
    try:
        if is_claimed(run / NOTE):
            raise FileNotFoundError
        return _WORK.validate_json((run / NOTE / "work.json").read_bytes())
    except FileNotFoundError:
        raise BenchRefusal(say(language, "bench.trial_not_ended", key=place.key)) from None


def read_stripped(place: Place, notebook: Path) -> str:
    """Return the notebook as git would keep it.

    Raises:
        BenchRefusal: it is not there, or no notebook.
    """
    language = place.desk.language
    try:
        return strip_notebook(notebook.read_text(encoding="utf-8"))
    except (Refusal, UnicodeDecodeError):
        sentence = say(language, "bench.trial_not_a_notebook", file=notebook)
        raise BenchRefusal(sentence) from None
    except OSError:
        sentence = say(language, "bench.trial_no_notebook", key=place.key, file=notebook)
        raise BenchRefusal(sentence) from None


def identify(place: Place, stripped: str, data: Data) -> str:
    """Return the id of a trial of what lies there: the rest of what decides it is looked at later,
    for it may take long to see."""
    texts = (place.folder / "parameters.json").read_bytes()
    parts = (stripped.encode(), texts, data.encode())
    digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts))
    return f"bench-{place.key.lower()}-{digest.hexdigest()[:16]}"


def is_current(place: Place, trial: str, note: Note) -> bool:
    """Tell whether a trial is one of what lies there now."""
    try:
        stripped = read_stripped(place, Path(note.notebook))
        return identify(place, stripped, data_of(place)) == trial
    except (BenchRefusal, OSError):
        return False


def state_of(
    run: Path, under_way: bool, result: RunResult | None, failure: TrialFailure | None
) -> TrialState:
    """Return how a trial stands, of what is known of it."""
    if under_way:
        return "running"
    if result is not None and result.failure is not None:
        return "cancelled" if result.failure.kind is FailureKind.CANCELLED else "failed"
    if failure is not None:
        return "failed"
    return "ended" if (run / NOTE / "work.json").is_file() else "cut_off"


def read_problem(run: Path) -> str:
    """Return why a trial came to no result, in a sentence; "" where nothing was told."""
    try:
        return (run / NOTE / "problem.txt").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def forget_older(run: Path, key: str) -> None:
    """Remove all but the last trials of a request; never one that is under way."""
    others = run.parent.glob(f"bench-{key.lower()}-*")
    known = [(note.started, one) for one in others if (note := Note.read(one)) and note.key == key]
    for _, old in sorted(known, reverse=True)[_KEPT:]:
        if not is_claimed(old / NOTE):
            shutil.rmtree(old, ignore_errors=True)

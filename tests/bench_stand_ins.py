"""A bench whose rooms are small: what the counter and the server do is tested without them.

Nothing is executed and no server is asked; files lie where the real rooms lay theirs. As a
jupyter_server extension this module is the panel's API over these rooms.
"""

# ruff: noqa: ARG002  small rooms need less than what the real ones are given
from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pipelines.bench.desk import BenchRefusal, Desk, Place
from pipelines.bench.extension import add_handlers
from pipelines.bench.parts import Data, Parts
from pipelines.bench.tries import find_place
from pipelines.house import House
from wardbook.domain.record import Record
from wardbook.errors import ForeignFault
from wardbook.identifiers.masking import install_masking
from wardbook.messages import Language
from wardbook.settings import Settings

SECRET = "1 84 12 76 451 089 46"  # a number that is nobody's, in the form of a NIR
REPORT = "<!doctype html><title>Report</title><script>document.title = 'ran'</script>"


@dataclass(frozen=True)
class Opened:
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Session:
    data: Data
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    branch: str
    head: str
    changed: bool
    ahead: int
    behind: int
    gone: bool


@dataclass(frozen=True)
class Trial:
    id: str
    state: str
    data: str
    started: str
    seconds: float
    cell: int
    cells: int
    failure: None
    current: bool
    folder: Path

    @property
    def executed(self) -> Path:
        return self.folder / "executed.ipynb"


@dataclass(frozen=True)
class Submitted:
    commit: str
    merge_request_url: str | None
    text: str


@dataclass(frozen=True)
class Objection:
    path: str
    line: int
    text: str


class SubmitRefused(BenchRefusal):
    places = (Objection("requests/DATA-1/notebook.ipynb", 3, "a number"),)


@dataclass(frozen=True)
class Compared:
    base: Path
    remote: Path
    base_label: str
    remote_label: str


class SmallTrials:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._trials: dict[str, Trial] = {}

    def start(self, key: str) -> Trial:
        folder = self._desk.private / key / "runs" / "t1"
        folder.mkdir(parents=True, exist_ok=True)
        trial = Trial(
            "t1", "ended", "real", "2026-03-02T12:00:00+00:00", 1.0, 0, 3, None, True, folder
        )
        self._trials[key] = trial
        return trial

    def look(self, key: str, trial: str) -> Trial | None:
        found = self._trials.get(key)
        return found if found and trial in {"latest", found.id} else None

    def cancel(self, key: str, trial: str) -> None:
        self._trials[key] = replace(self._trials[key], state="cancelled")

    def close(self) -> None:
        return


class SmallRooms(Parts):
    """Keeps the choice of data in a file; fails where a message or a key says so."""

    def __init__(self) -> None:
        self._inside = 0
        self._guard = threading.Lock()

    def open_workspace(self, house: House, place: Place, record: Record) -> Opened:
        with self._guard:
            self._inside += 1
            if self._inside > 1:
                raise BenchRefusal("two at once")
        time.sleep(0.02)
        place.folder.mkdir(parents=True, exist_ok=True)
        assert record.request is not None
        template = house.templates[record.request.template]
        shutil.copyfile(template.notebook, place.folder / "notebook.ipynb")
        with self._guard:
            self._inside -= 1
        return Opened(("the branch moved on",))

    def standing_of(self, place: Place) -> Standing:
        return Standing(place.branch, "1" * 40, True, 1, 0, False)

    def compare_with(
        self, house: House, place: Place, record: Record, against: Literal["version", "release"]
    ) -> Compared:
        if against == "release":
            raise BenchRefusal("nothing was released yet")
        return Compared(place.folder / "a.ipynb", place.folder / "notebook.ipynb", "A", "B")

    def submit(self, house: House, place: Place, record: Record, message: str) -> Submitted:
        match message:
            case "objection":
                raise SubmitRefused("there are numbers in it")
            case "defect":
                raise KeyError(SECRET)
            case "server":
                raise ForeignFault("GitLab does not answer. Try again.")
            case "full":
                raise OSError(errno.ENOSPC, SECRET)
        return Submitted("2" * 40, "https://gitlab.example/mr/1", message)

    def lay_out_session(
        self, house: House, place: Place, record: Record | None, data: Data
    ) -> Session:
        self._choice(place).parent.mkdir(parents=True, exist_ok=True)
        self._choice(place).write_text(data)
        return Session(data, ())

    def choose_data(self, house: House, place: Place, record: Record | None, data: Data) -> bool:
        restart = self.data_of(place) != data
        self.lay_out_session(house, place, record, data)
        return restart

    def data_of(self, place: Place) -> Data:
        there = self._choice(place).is_file()
        return "twin" if there and self._choice(place).read_text() == "twin" else "real"

    def find_kernel_problem(self, name: str, language: Language) -> str:
        return "" if name == "python3" else f"no kernel {name}"

    def open_trials(self, desk: Desk) -> SmallTrials:
        return SmallTrials(desk)

    def leaving_of(
        self, house: House, place: Place, record: Record | None, trial: str
    ) -> list[Any]:
        return [Standing("by_ward", "", False, 0, 0, False)]

    def dropped_of(
        self, house: House, place: Place, record: Record | None, trial: str
    ) -> list[str]:
        return ["one file"]

    def preview_folder(self, house: House, place: Place, record: Record | None, trial: str) -> Path:
        folder = find_place(place.desk, place.key).private / "runs" / trial / "preview"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text(REPORT)
        (folder.parent / "log.txt").write_text(SECRET)
        if not (folder / "link.txt").is_symlink():
            (folder / "link.txt").symlink_to(folder.parent / "log.txt")
        return folder

    def find_twin(self, settings: Settings, source: str, kind: str) -> Path | None:
        file = settings.bench.twins / f"{source}.{kind}.csv"
        return file if file.is_file() else None

    def _choice(self, place: Place) -> Path:
        return place.private / "data"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "bench_stand_ins"}]


def _load_jupyter_server_extension(server: Any) -> None:
    install_masking()
    add_handlers(server, os.environ, SmallRooms())

"""People at desks of their own, on the branch of one request of the demonstration's hospital."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import gitlab
import pytest
from pydantic import SecretStr

from pipelines.bench.compare import Against, Compared, compare_with
from pipelines.bench.desk import Desk, Place
from pipelines.bench.submit import Submitted, submit
from pipelines.bench.workspace import Opened, Standing, open_workspace, standing_of
from pipelines.demo.world import ANALYST, REVIEWER
from pipelines.house import House
from tests.bench_world import BenchWorld
from wardbook.domain.record import Record
from wardbook.messages import Language


@dataclass
class Person:
    """One person at a desk, with a request that may be open on it."""

    desk: Desk
    house: House
    place: Place
    record: Record

    @property
    def notebook(self) -> Path:
        return self.place.notebook(self.record, self.house)

    @property
    def path(self) -> str:
        """The notebook's path in the repository."""
        return self.notebook.relative_to(self.place.clone).as_posix()

    def open(self) -> Opened:
        return open_workspace(self.house, self.place, self.record)

    def submit(self, message: str = "Count nights too") -> Submitted:
        return submit(self.house, self.place, self.record, message)

    def standing(self) -> Standing:
        return standing_of(self.place)

    def compare(self, against: Against) -> Compared:
        return compare_with(self.house, self.place, self.record, against)

    def git(self, *arguments: str, fine: int = 0) -> str:
        """Work in a terminal, past the hooks; `fine` is the end that is expected."""
        done = subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=self.place.clone, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == fine, done.stderr
        return done.stdout.strip()

    def files(self) -> dict[str, bytes]:
        """What lies in the request's folder, byte by byte."""
        folder = self.place.folder
        return {str(one): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}

    def sources(self) -> list[str]:
        return ["".join(one["source"]) for one in self._read()["cells"]]

    @property
    def code(self) -> list[int]:
        """The numbers, from 0, of the cells with code."""
        cells = self._read()["cells"]
        return [n for n, one in enumerate(cells) if one["cell_type"] == "code"]

    def edit(self, cell: int, line: str) -> None:
        """Write a last line into a cell, and save as JupyterLab does."""
        notebook = self._read()
        one = notebook["cells"][cell]
        one["source"] = "".join(one["source"]) + f"\n{line}"
        self._save(notebook)

    def put(self, cell: int, source: str) -> None:
        """Replace the source of a cell."""
        notebook = self._read()
        notebook["cells"][cell]["source"] = source
        self._save(notebook)

    def append(self, name: str, source: str) -> None:
        """Add a cell at the end."""
        notebook = self._read()
        notebook["cells"].append(
            {"id": name, "cell_type": "code", "metadata": {}, "source": source,
             "outputs": [], "execution_count": None}
        )  # fmt: skip
        self._save(notebook)

    def run_cells(self, shown: str = "seen") -> None:
        """Leave outputs in the notebook without editing it."""
        notebook = self._read()
        for one in notebook["cells"]:
            if one["cell_type"] == "code":
                output = {"output_type": "stream", "name": "stdout", "text": [f"{shown}\n"]}
                one |= {"outputs": [output], "execution_count": 3}
        self._save(notebook)

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(self.notebook.read_text(encoding="utf-8")))

    def _save(self, notebook: dict[str, Any]) -> None:
        self.notebook.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


@dataclass
class Scene:
    """A prepared request, its project as the unit's maintainer sees it, and people at desks."""

    world: BenchWorld
    key: str
    folder: Path
    houses: list[House] = field(default_factory=list)

    def person(
        self, username: str = ANALYST, *, at: str = "", token: str = "", url: str = "",
        language: Language = "en",
    ) -> Person:  # fmt: skip
        """Seat somebody at their desk, or again at the one named `at`, as a new process would."""
        desk = self.world.desk(self.folder / (at or username), language)
        told = desk.settings.gitlab.model_copy(
            update={
                "token": SecretStr(token or self.world.world.token(username)),
                "url": url or desk.settings.gitlab.url,
            }
        )
        desk = replace(desk, settings=desk.settings.model_copy(update={"gitlab": told}))
        house = desk.open_house()
        self.houses.append(house)
        record = house.ledger.record(self.key)
        assert record is not None
        return Person(desk, house, desk.place(self.key), record)

    def opened(self, username: str = ANALYST) -> Person:
        """Seat somebody who has the request open, as GitLab has it."""
        person = self.person(username)
        assert person.open() == Opened()
        return person

    @property
    def branch(self) -> str:
        return f"request/{self.key}"

    @cached_property
    def project(self) -> Any:
        url = self.world.sandbox.gitlab_url
        client = gitlab.Gitlab(url, private_token=self.world.world.token(REVIEWER))
        with self.world.open_house() as house:
            record = house.ledger.record(self.key)
        assert record is not None
        return client.projects.get(str(record.links.project))

    def head(self) -> str:
        return str(self.project.branches.get(self.branch).commit["id"])

    def commits(self) -> list[Any]:
        return list(self.project.commits.list(ref_name=self.branch, get_all=True))

    def merge_requests(self) -> list[Any]:
        query = {"source_branch": self.branch, "state": "all", "scope": "all"}
        return list(self.project.mergerequests.list(get_all=True, **query))

    def pushed(self, path: str) -> str:
        content = self.project.files.raw(file_path=path, ref=self.branch)
        return bytes(content).decode()

    def push(self, path: str, content: str) -> str:
        """Let the reviewer change a file in GitLab's own editor; returns the commit."""
        action = {"action": "update", "file_path": path, "content": content}
        fields = {"branch": self.branch, "commit_message": "Look closer", "actions": [action]}
        return str(self.project.commits.create(fields).id)


@pytest.fixture(scope="module")
def bench_request(bench_world: BenchWorld) -> str:
    """A request that is prepared and not run: its branch is the module's own."""
    return bench_world.prepare("wards")


@pytest.fixture
def scene(bench_world: BenchWorld, bench_request: str, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(bench_world, bench_request, tmp_path)
    yield made
    for house in made.houses:
        house.__exit__()

"""The bench's git against the sandbox: two people on one branch, and everything that goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gitlab
import pytest
from pydantic import SecretStr

from pipelines.bench.clone import find_obstacle, git_of
from pipelines.bench.compare import compare_with
from pipelines.bench.desk import BenchRefusal, Desk, Place
from pipelines.bench.submit import Submitted, SubmitRefused, submit
from pipelines.bench.workspace import Opened, Standing, open_workspace, standing_of
from pipelines.demo.world import ANALYST, REVIEWER
from pipelines.house import House
from tests.bench_world import BenchWorld
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.errors import ForeignFault
from wardbook.messages import say

pytestmark = pytest.mark.xdist_group("bench")
NIR = "2 55 08 14 168 025 38"


@dataclass
class Analyst:
    """One person at a desk of their own."""

    desk: Desk
    house: House
    place: Place
    record: Record

    @property
    def clone(self) -> Path:
        return self.place.clone

    @property
    def notebook(self) -> Path:
        return self.place.notebook(self.record, self.house)

    def open(self) -> Opened:
        return open_workspace(self.house, self.place, self.record)

    def submit(self, message: str = "Count nights too") -> Submitted:
        return submit(self.house, self.place, self.record, message)

    def standing(self) -> Standing:
        return standing_of(self.place)

    def cells(self) -> list[dict[str, Any]]:
        return list(json.loads(self.notebook.read_text(encoding="utf-8"))["cells"])

    def edit(self, cell: int, line: str, outputs: list[Any] | None = None) -> None:
        """Write a last line into a cell, as JupyterLab saves it."""
        notebook = json.loads(self.notebook.read_text(encoding="utf-8"))
        one = notebook["cells"][cell]
        one["source"] = "".join(one["source"]) + f"\n{line}"
        if outputs is not None:
            one |= {"outputs": outputs, "execution_count": 7}
        self.notebook.write_text(json.dumps(notebook, indent=2), encoding="utf-8")

    def run_cells(self) -> None:
        """Leave outputs in the notebook without editing it."""
        notebook = json.loads(self.notebook.read_text(encoding="utf-8"))
        for one in notebook["cells"]:
            if one["cell_type"] == "code":
                shown = {"output_type": "stream", "name": "stdout", "text": ["seen\n"]}
                one |= {"outputs": [shown], "execution_count": 3}
        self.notebook.write_text(json.dumps(notebook, indent=1), encoding="utf-8")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=self.clone, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def code_cells(self) -> list[int]:
        return [n for n, one in enumerate(self.cells()) if one["cell_type"] == "code"]


@dataclass
class Scene:
    """A prepared request, its project as the platform sees it, and two people."""

    world: BenchWorld
    key: str
    folder: Path
    houses: list[House]

    def analyst(self, username: str = ANALYST, **changes: Any) -> Analyst:
        desk = self.world.desk(self.folder / username)
        token = SecretStr(str(changes.get("token", self.world.world.token(username))))
        told = desk.settings.gitlab.model_copy(
            update={"token": token, "url": changes.get("url", desk.settings.gitlab.url)}
        )
        desk = replace(desk, settings=desk.settings.model_copy(update={"gitlab": told}))
        house = desk.open_house()
        self.houses.append(house)
        record = house.ledger.record(self.key)
        assert record is not None
        return Analyst(desk, house, desk.place(self.key), record)

    @property
    def branch(self) -> str:
        return f"request/{self.key}"

    @property
    def project(self) -> Any:
        settings = self.analyst(REVIEWER).house.settings.gitlab
        client = gitlab.Gitlab(settings.url, private_token=settings.token.get_secret_value())
        record = self.houses[-1].ledger.record(self.key)
        assert record is not None
        return client.projects.get(str(record.links.project))

    def head(self) -> str:
        return str(self.project.branches.get(self.branch).commit["id"])

    def commits(self) -> int:
        listed = self.project.commits.list(ref_name=self.branch, get_all=True)
        return len(listed)

    def merge_requests(self) -> list[Any]:
        return list(
            self.project.mergerequests.list(
                source_branch=self.branch, state="all", scope="all", get_all=True
            )
        )

    def pushed(self, path: str) -> str:
        content = self.project.files.raw(file_path=path, ref=self.branch)
        return bytes(content).decode()


@pytest.fixture
def scene(bench_world: BenchWorld, tmp_path: Path, request_key: str) -> Iterator[Scene]:
    made = Scene(bench_world, request_key, tmp_path, [])
    yield made
    for house in made.houses:
        house.__exit__()


@pytest.fixture
def request_key(bench_world: BenchWorld) -> str:
    return bench_world.prepare("wards")


@pytest.fixture
def ana(scene: Scene) -> Analyst:
    ana = scene.analyst()
    assert ana.open() == Opened()
    return ana


def test_first_slice(scene: Scene, ana: Analyst) -> None:
    assert ana.standing().changed is False
    ana.edit(ana.code_cells()[0], "# mine")
    print(ana.standing())
    done = ana.submit()
    print(done)
    assert scene.head() == done.commit

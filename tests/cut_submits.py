"""Submits killed at every step, with a colleague's push to merge, and submitted again.

    python -m tests.cut_submits

Prints each step after which something is there twice, or missing; ends with 1 where there is one.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.demo.world import ANALYST, REVIEWER
from tests.bench_people import Scene
from tests.bench_world import open_bench_world
from wardbook.errors import WardbookError

_PROCESSES = multiprocessing.get_context("forkserver")


class Cuts:
    """Submits of one analyst, each cut off before one of its steps.

    A step is a call of git, or one that asks or changes merge requests in GitLab.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene, self._turn = scene, 0
        self._ana, self._remi = scene.opened(), scene.opened(REVIEWER)
        # Forked from a process without threads; what it needs is loaded there once.
        _PROCESSES.set_forkserver_preload(
            [__name__, "pipelines.bench.submit", "nbformat", "gitlab"]
        )

    def count(self) -> int:
        """Return how many steps a submit with a merge takes."""
        self._edit()
        reader, writer = _PROCESSES.Pipe(duplex=False)
        self._run(0, writer)
        return int(reader.recv())

    def judge(self, at: int) -> list[str]:
        """Cut a submit off before a step, submit again, and return what is wrong then."""
        lines = self._edit()
        for one in self.scene.merge_requests():
            one.state_event = "close"
            one.save()
        before, edits = {one.id for one in self.scene.commits()}, self._ana.sources()
        wrong = [] if self._run(at, None) == -signal.SIGKILL else ["was not cut off"]
        mine = self._ana.code[1]
        if self._ana.sources()[mine] != edits[mine]:
            wrong.append("an edit is lost")
        (self._ana.place.clone / ".git" / "index.lock").unlink(missing_ok=True)
        try:
            self.scene.person().submit("Ana's turn")
        except WardbookError as error:
            if "Nothing to submit" not in str(error):
                wrong.append(str(error))
        pushed = self.scene.pushed(self._ana.path)
        wrong += [
            f"{line}: {pushed.count(line)} times" for line in lines if pushed.count(line) != 1
        ]
        new = [one for one in self.scene.commits() if one.id not in before]
        plain = [one.title for one in new if len(one.parent_ids) == 1]
        if plain != ["Ana's turn"] or len(new) != 2:
            wrong.append(f"commits: {[one.title for one in new]}")
        if [one.state for one in self.scene.merge_requests()] != ["opened"]:
            wrong.append("merge requests")
        if self._ana.sources() != self._sources(pushed):
            wrong.append("the desk is not as GitLab")
        return wrong

    def _edit(self) -> tuple[str, str]:
        """Let the colleague push one cell, and the analyst save another one."""
        self._turn += 1
        lines = (f"# Rémi's {self._turn}.", f"# Ana's {self._turn}.")
        self._remi.open()
        self._remi.edit(self._remi.code[0], lines[0])
        self._ana.open()
        self._remi.submit("Rémi's turn")
        self._ana.edit(self._ana.code[1], lines[1])
        return lines

    def _run(self, at: int, tell: Any) -> int | None:
        world, key = self.scene.world.world, self.scene.key
        token = world.token(ANALYST)
        given = (world.settings, self._ana.desk.folder, token, key, at, tell)
        process = _PROCESSES.Process(target=_submit, args=given)
        process.start()
        process.join()
        return process.exitcode

    @staticmethod
    def _sources(notebook: str) -> list[str]:
        return ["".join(one["source"]) for one in json.loads(notebook)["cells"]]


def _submit(settings: Path, folder: Path, token: str, key: str, at: int, tell: Any) -> None:
    """Submit as the analyst, and die before step `at`."""
    from pipelines.bench import git
    from pipelines.bench.desk import Desk
    from pipelines.bench.submit import submit
    from requests_sync.gitlab_port import GitLabPort
    from wardbook.settings import load_settings

    read = load_settings(settings, {"WARDBOOK_GITLAB_TOKEN": token})
    bench = read.bench.model_copy(update={"folder": folder})
    desk, passed = Desk(read.model_copy(update={"bench": bench}), "en"), [0]

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            passed[0] += 1
            if passed[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **named)

        return call

    asked = ("merge_requests", "create_merge_request", "reopen_merge_request")
    steps: list[tuple[Any, str]] = [(git, "_run"), *((GitLabPort, name) for name in asked)]
    for owner, name in steps:
        setattr(owner, name, counted(getattr(owner, name)))
    with desk.open_house() as house:
        record = house.ledger.record(key)
        assert record is not None
        submit(house, desk.place(key), record, "Ana's turn")
    if tell is not None:
        tell.send(passed[0])


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, open_bench_world(Path(folder)) as world:
        scene = Scene(world, world.prepare("wards"), Path(folder) / "desks")
        cuts = Cuts(scene)
        steps, bad = cuts.count(), 0
        for at in range(1, steps + 1):
            if wrong := cuts.judge(at):
                bad += 1
                print(f"before step {at}:", *wrong, sep="\n    ", flush=True)
        print(f"{steps} steps, {bad} of them bad")
        for house in scene.houses:
            house.__exit__()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

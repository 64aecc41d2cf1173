"""A small hospital whose two trackers are brought back to the same beginning in a moment.

The trackers are served by this process; the platform is not changed and knows of nothing. What is
put back between two trials is files: the trackers' store and repositories, and the ledger.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.demo.world import BOT, FIELDS, World
from pipelines.house import House
from pipelines.story import read_both
from tests.tiny_template import write_template
from wardbook.sandbox import JiraProject, Sandbox, Seed
from wardbook.settings import Settings, load_settings

ADMINISTRATOR, TEAM = "hbernard", "equipe"
LONGEST_PAUSE = 7 * 3600
"""Seconds: beyond every pause after a failure, and beyond the time between two censuses."""


class Clock:
    """The time as the platform is told it; the trackers' clocks go with it, each with its skew."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.start()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def start(self, jira: float = 0.0, gitlab: float = 0.0) -> None:
        """Begin at the true time, the trackers' clocks this many seconds before it or behind."""
        self._ahead = 0.0
        self._sandbox.jira_skew_seconds = jira
        self._sandbox.gitlab_skew_seconds = gitlab

    def advance(self, seconds: float) -> None:
        self._ahead += seconds
        self._sandbox.jira_skew_seconds += seconds
        self._sandbox.gitlab_skew_seconds += seconds


class SyncWorld:
    """The trackers, the settings, and the ledger's file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.demo = World(folder / "demo")
        self.demo.folder.mkdir(parents=True)
        self.sandbox = Sandbox(folder / "sandbox")
        self.sandbox.seed(self._seed())
        self.sandbox.start()
        self.clock = Clock(self.sandbox)
        self.settings = self._write_settings()
        self.ledger = self.demo.folder / "state" / "ledger.db"
        with self.house() as house:
            assert read_both(house).faults == {}  # the ledger begins, older than any ticket
        self._begin = folder / "begin"
        self._keep()

    def close(self) -> None:
        self.sandbox.stop()

    def house(self, workers: int = 2) -> House:
        """A worker of its own: its own clients, its own connections to the same ledger."""
        sync = self.settings.sync.model_copy(update={"workers": workers})
        return House(self.settings.model_copy(update={"sync": sync}), now=self.clock)

    # --- the beginning -------------------------------------------------------------------------

    def _seed(self) -> Seed:
        seed = self.demo.seed()
        groups = {ADMINISTRATOR: ["jira-administrators"], "cmoreau": [TEAM]}
        accounts = [replace(one, groups=groups.get(one.username, ())) for one in seed.accounts]
        elsewhere = JiraProject("AUTRE", "Autre", ["Demande de données"])
        return replace(seed, accounts=accounts, jira_projects=[*seed.jira_projects, elsewhere])

    def _write_settings(self) -> Settings:
        write_template(self.folder / "templates")
        # Nothing is sealed here: the key is only named.
        keys = ("A" * 40, "B" * 40)
        self.demo.write_settings(self.sandbox, "http://site.invalid", {}, keys)
        settings = load_settings(self.demo.settings, {})
        unit = settings.unit.model_copy(update={"templates": self.folder / "templates"})
        return settings.model_copy(update={"unit": unit})

    def _keep(self) -> None:
        self._begin.mkdir()
        for file in (self.sandbox.store.path, self.ledger):
            with closing(sqlite3.connect(file)) as source:
                source.execute("pragma wal_checkpoint(truncate)")
                with closing(sqlite3.connect(self._begin / file.name)) as copy:
                    source.backup(copy)
        shutil.copytree(self.sandbox.directory / "repositories", self._begin / "repositories")

    def reset(self) -> None:
        """Bring everything back to the beginning. No request may be under way."""
        self.sandbox.faults.clear()
        self.sandbox.index_lag_seconds = 0.0
        self.clock.start()
        for folder in ("repositories", "uploads", "attachments"):
            shutil.rmtree(self.sandbox.directory / folder, ignore_errors=True)
        shutil.copytree(self._begin / "repositories", self.sandbox.directory / "repositories")
        for file in (self.sandbox.store.path, self.ledger):
            put_back(self._begin / file.name, file)
        self.sandbox.journal.clear()

    def lose_ledger(self) -> None:
        for file in self.ledger.parent.glob("ledger.db*"):
            if file.is_file():
                file.unlink()

    # --- what is seen ---------------------------------------------------------------------------

    def writes(self) -> list[str]:
        """What the platform's own account has changed so far, in order."""
        return [
            f"{entry.server} {entry.method} {entry.path}"
            for entry in self.sandbox.journal.writes()
            if entry.account == BOT
        ]


def put_back(kept: Path, file: Path) -> None:
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    part = file.with_name(file.name + ".part")
    shutil.copyfile(kept, part)
    part.replace(file)


@contextmanager
def sync_world(folder: Path) -> Iterator[SyncWorld]:
    world = SyncWorld(folder)
    try:
        yield world
    finally:
        world.close()


def custom(name: str) -> str:
    """Return the id of a custom field of the demonstration's tickets."""
    return FIELDS[name].id


def to_body(row: Any) -> dict[str, Any]:
    return dict(json.loads(row))

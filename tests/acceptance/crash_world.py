"""A small hospital to crash in: trackers in a process of their own, `wardbook tick` in another.

Nothing in the platform knows of this. Faults are switched on over the sandbox's own HTTP pages,
processes die by SIGKILL, and what has come of a ticket is read from the trackers, the disk and the
ledger's tables, each by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import requests

from pipelines.demo.reviewer import Reviewer
from pipelines.demo.world import BOT, FIELDS, HYGIENE, REVIEWER, World
from pipelines.house import House
from pipelines.story import tick, tick_until_quiet
from wardbook.ledger.ledger import settled
from wardbook.sandbox import Sandbox
from wardbook.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds after which something that must come is taken for lost; no verdict depends on it."""

TEMPLATE = """
name = "{name}"
version = "1"
title = {{ fr = "Essai", en = "Trial" }}
question = {{ fr = "Combien ?", en = "How many?" }}

[outputs.report]
kind = "report"
title = {{ fr = "Rapport", en = "Report" }}
sensitivity = "public"
channel = "site"

[outputs.counts]
kind = "table"
title = {{ fr = "Comptes", en = "Counts" }}
sensitivity = "public"
channel = "site"
columns = {{ day = {{ fr = "jour", en = "day" }}, n = {{ fr = "nombre", en = "number" }} }}

[outputs.people]
kind = "table"
title = {{ fr = "Personnes", en = "Persons" }}
sensitivity = "sensitive"
channel = "share"
columns = {{ name = {{ fr = "nom", en = "name" }} }}
"""
WHOLE = (
    "import pandas as pd\nimport wardbook as wb",
    "wb.table('counts', pd.DataFrame({'day': ['2021-01-08', '2021-01-09'], 'n': [12, 15]}))",
    "wb.table('people', pd.DataFrame({'name': ['Ada', 'Émile']}), show=False)",
)
FAILING = ("import wardbook as wb", "1 / 0")
SLOW = """
import pathlib, time
with pathlib.Path({starts!r}).open("a") as starts:
    starts.write("started\\n")
while not pathlib.Path({gate!r}).exists():
    time.sleep(0.02)
"""


@dataclass(frozen=True)
class Case:
    """A ticket to file: the template that it asks for, and what is odd about it."""

    template: str
    changes: Mapping[str, str] = field(default_factory=dict)


CASES = {
    "whole": Case("tiny"),
    "failed": Case("failing"),
    "refused": Case("tiny", {"legal_basis": "", "reference": ""}),
    "slow": Case("slow"),
}


class SandboxProcess:
    """Jira and GitLab as `python -m wardbook.sandbox`, with the hands on their faults."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wardbook.sandbox", "--dir", str(folder)],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        self._http = requests.Session()
        self._http.trust_env = False
        assert self._process.stdout is not None
        self.jira_url = self._process.stdout.readline().split()[-1]
        self.gitlab_url = self._process.stdout.readline().split()[-1]

    def stop(self) -> None:
        self._http.close()
        self._process.kill()
        self._process.communicate()

    def break_writes(self, effect: str, **rule: Any) -> None:
        """Put `effect` on every write to either server, narrowed by the fields of a fault."""
        servers = [rule.pop("server")] if "server" in rule else ["jira", "gitlab"]
        for server in servers:
            fault = {"server": server, "effect": effect, "method": "POST|PUT|DELETE"} | rule
            answer = self._http.post(f"{self.jira_url}/_sandbox/faults", json=fault, timeout=30)
            assert answer.status_code == 201, answer.text

    def rules(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("faults")["rules"]
        return found

    def held(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("faults")["held"]
        return found

    def release(self, held: Mapping[str, Any], outcome: str) -> None:
        body = {"id": held["id"], "outcome": outcome}
        self._http.post(f"{self.jira_url}/_sandbox/release", json=body, timeout=30)

    def clear(self) -> None:
        self._http.delete(f"{self.jira_url}/_sandbox/faults", timeout=30)

    def writes(self) -> list[dict[str, Any]]:
        """Return what the platform's own account has changed so far, in order."""
        return [entry for entry in self._get("journal?wrote=true") if entry["account"] == BOT]

    def read(self, url: str, token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        answer = self._http.get(url, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _get(self, page: str) -> Any:
        return self._http.get(f"{self.jira_url}/_sandbox/{page}", timeout=30).json()


class Tick:
    """One `wardbook tick` in a process of its own."""

    def __init__(self, world: CrashWorld) -> None:
        with world.log.open("ab") as log:
            self._process = start_wardbook("--settings", str(world.demo.settings), "tick", log=log)
        world.ticks.append(self)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def finish(self) -> int:
        return self._process.wait(timeout=PATIENCE)

    def is_over(self) -> bool:
        return self._process.poll() is not None


class Clock:
    """The time as a process of the platform is told it: it goes on when a test says so."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class CrashWorld:
    """A folder of the demonstration's, with its trackers served by a process of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "ticks.log"
        self.demo = World(folder)
        self.ticks: list[Tick] = []
        self.sandbox = SandboxProcess(folder / "sandbox")
        self.signer = self.demo.make_keys()[0]

    @classmethod
    def found(cls, folder: Path) -> CrashWorld:
        """Set up the demonstration's people, with templates that take a moment only."""
        Sandbox(folder / "sandbox").seed(World(folder).seed())
        world = cls(folder)
        trackers: Any = world.sandbox
        keys = world.demo.make_keys()
        world.demo.publish_key(trackers, keys[1])
        world.demo.write_settings(trackers, "http://site.invalid", {}, keys)
        world._add_templates()
        world._begin_ledger()
        return world

    def close(self) -> None:
        """End all that was started; the agents of killed passes end by themselves."""
        for started in self.ticks:
            started.kill()
        self.sandbox.stop()
        wait_for(lambda: not processes_of(self.folder), "the end of the last process")

    @property
    def settings(self) -> Settings:
        return load_settings(self.demo.settings, {})

    def _begin_ledger(self) -> None:
        """Begin a ledger an hour ago: tickets are younger, so none is looked for without cause."""
        with House(self.settings, now=lambda: datetime.now(UTC) - timedelta(hours=1)) as house:
            tick(house)

    def lose_ledger(self) -> None:
        for file in (self.folder / "state").glob("ledger.db*"):
            if file.is_file():
                file.unlink()

    @property
    def gate(self) -> Path:
        """The file that the notebook of the slow template waits for."""
        return self.folder / "gate"

    @property
    def starts(self) -> Path:
        """The file to which that notebook adds a line whenever it is started."""
        return self.folder / "starts"

    def _add_templates(self) -> None:
        text = self.demo.settings.read_text(encoding="utf-8")
        text = text.replace("[unit]\n", '[unit]\ntemplates = "templates"\nopen_to = ["."]\n', 1)
        self.demo.settings.write_text(text, encoding="utf-8")
        slow = SLOW.format(starts=str(self.starts), gate=str(self.gate)).strip()
        for name, cells in (("tiny", WHOLE), ("failing", FAILING), ("slow", (slow, *WHOLE))):
            template = self.folder / "templates" / name
            template.mkdir(parents=True)
            (template / "template.toml").write_text(TEMPLATE.format(name=name), encoding="utf-8")
            code = [
                nbformat.v4.new_code_cell(cell, id=f"cell-{number}")
                for number, cell in enumerate(cells)
            ]
            nbformat.write(nbformat.v4.new_notebook(cells=code), template / "notebook.ipynb")

    # --- people --------------------------------------------------------------------------------

    def file_ticket(self, name: str) -> str:
        """File a ticket as its requester would; return its key."""
        from jira import JIRA

        case = CASES[name]
        expires = (datetime.now(UTC).date() + timedelta(days=365)).isoformat()
        given = {
            "purpose": {"value": "Soins"},
            "legal_basis": {"value": "Accord du chef de service"},
            "reference": "NOTE-2026-014",
            "expires": expires,
            "approver": {"name": "hbernard"},
            "template": case.template,
            "language": {"value": "Français"},
        } | case.changes
        client = JIRA(
            server=self.sandbox.jira_url,
            token_auth=self.demo.token("yhaddad"),
            max_retries=0,
            timeout=(5, 30),
        )
        issue = client.create_issue(
            fields={
                "project": {"key": "DATA"},
                "issuetype": {"name": "Demande de données"},
                "summary": f"Essai {name}",
                "description": "Combien ?",
                "components": [{"name": HYGIENE}],
                **{FIELDS[name].id: value for name, value in given.items() if value},
            }
        )
        client.close()
        return str(issue.key)

    def review(self) -> None:
        trackers: Any = self.sandbox
        with House(self.settings) as house:
            Reviewer(trackers, self.demo).look_through(house)

    def close_merge_request(self, project: str, iid: int) -> None:
        """Turn a request down as its reviewer does."""
        import gitlab

        token = self.demo.token(REVIEWER)
        client = gitlab.Gitlab(self.sandbox.gitlab_url, private_token=token, timeout=30)
        client.projects.get(project, lazy=True).mergerequests.update(iid, {"state_event": "close"})

    # --- passes --------------------------------------------------------------------------------

    def settle(self, *keys: str, passes: int = 6) -> int:
        """Tick without faults, the reviewer looking in between; return how many passes it took."""
        self.sandbox.clear()
        for number in range(1, passes + 1):
            Tick(self).finish()
            self.review()
            if self.is_settled(*keys):
                return number
        raise AssertionError(f"not settled after {passes} passes:\n{self.tell_log()}")

    def settle_here(self, clock: Clock, *keys: str, passes: int = 25, reviewed: bool = True) -> int:
        """Make passes in this process, three seconds of its clock apart; return how many."""
        with House(self.settings, now=clock) as house:
            for number in range(1, passes + 1):
                tick_until_quiet(house)
                if reviewed:
                    self.review()
                if all(is_settled(house, key) for key in keys):
                    return number
                clock.advance(3)
            stuck = [(intent.key, intent.error) for _, intent in house.ledger.stuck_intents()]
        raise AssertionError(f"not settled after {passes} passes: {stuck}")

    def is_settled(self, *keys: str) -> bool:
        with House(self.settings) as house:
            return all(is_settled(house, key) for key in keys)

    def tell_log(self) -> str:
        return self.log.read_text(encoding="utf-8")[-4000:] if self.log.exists() else ""

    # --- what the platform's rest is read with -------------------------------------------------

    def jira(self, path: str) -> Any:
        url = f"{self.sandbox.jira_url}/rest/api/2/{path}"
        return self.sandbox.read(url, self.demo.token(BOT))

    def gitlab(self, project: str, path: str) -> Any:
        url = f"{self.sandbox.gitlab_url}/api/v4/projects/{quote(project, safe='')}/{path}"
        joint = "&" if "?" in path else "?"
        return self.sandbox.read(f"{url}{joint}per_page=100", self.demo.token(REVIEWER))


def is_settled(house: House, key: str) -> bool:
    """Tell whether a request has its last answer, and nothing of it is still to be done."""
    record = house.ledger.record(key)
    return record is not None and settled(record) and not house.ledger.open_intents(key)


@contextmanager
def crash_world(folder: Path) -> Iterator[CrashWorld]:
    world = CrashWorld.found(folder)
    try:
        yield world
    finally:
        world.close()


def environment() -> dict[str, str]:
    known = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
    }
    return known | {"PYTHONPATH": f"{ROOT / 'lib'}:{ROOT}"}


def start_wardbook(*arguments: str, log: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "from pipelines.cli.main import run; run()", *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return what `condition` gives as soon as it is not false."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.01)
    return found


def processes_of(folder: Path) -> dict[int, str]:
    """Return the living processes that work in `folder` or name it in their command line."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            where = str((process / "cwd").readlink())
        except OSError:
            continue
        if state != "Z" and (str(folder) in command or where.startswith(str(folder))):
            found[int(process.name)] = command
    return found

"""The bench's real server, opened by `wardbook lab KEY` as an analyst would, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from answered_unit import write_records
from bench_world import BenchWorld

from wardbook.domain.record import Record
from wardbook.ledger import open_ledger
from wardbook.settings import Settings, load_settings


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class PanelServer:
    """A server: where it listens, its token, the desk that it shows, and of which unit."""

    port: int
    token: str
    address: str
    desk: Path
    settings: Path
    environment: Mapping[str, str] = field(repr=False)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        """Send one request and read its answer; redirects are not followed."""
        sent = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        own = {"Authorization": f"token {self.token}"} if headers is None else dict(headers)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, sent, own)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())

    def api(self, method: str, path: str, body: object = None) -> Reply:
        """Ask the panel's API as the panel does."""
        return self.ask(method, f"/wardbook/api/{path}", body)

    def run(self, key: str) -> dict[str, Any]:
        """Run a request as production; returns how it ended."""
        begun = self.api("POST", f"requests/{key}/trials").json
        for _ in range(1200):
            told: dict[str, Any] = self.api("GET", f"requests/{key}/trials/{begun['id']}").json
            if told["state"] != "running":
                return told
            time.sleep(0.1)
        raise AssertionError(told)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `wardbook lab` with this desk."""
        return _run_lab(self.environment, self.desk, words)

    @property
    def log(self) -> str:
        (file,) = self.desk.glob(".bench/jupyter/on-*/log")
        return file.read_text(encoding="utf-8")

    @property
    def unit(self) -> Settings:
        return load_settings(self.settings, {})

    def facts(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return what the audit log tells of the bench."""
        with closing(open_ledger(self.unit.ledger)) as ledger:
            entries = ledger.audit_entries()
        return [
            (one.event, one.request or "", dict(one.told))
            for one in entries
            if one.event.startswith("bench.")
        ]


@contextmanager
def open_panel(
    world: BenchWorld, folder: Path, key: str, records: Sequence[Record] = ()
) -> Iterator[PanelServer]:
    """Open a prepared request of the world on a desk of its own, over a ledger of its own.

    The ledger is a copy of the world's, with more requests in it that no tracker knows.
    """
    settings = copy_unit(world, folder.name, records)
    environment = world.environment() | {"WARDBOOK_SETTINGS": str(settings)}
    desk = folder / "desk"
    opened = _run_lab(environment, desk, [key])
    try:
        assert opened.returncode == 0, opened.stderr
        address = opened.stdout.splitlines()[-1]
        url = urlsplit(address)
        assert url.port is not None
        token = parse_qs(url.query)["token"][0]
        yield PanelServer(url.port, token, address, desk, settings, environment)
    finally:
        _run_lab(environment, desk, ["--stop"])


def copy_unit(world: BenchWorld, name: str, records: Sequence[Record]) -> Path:
    """Write settings beside the world's that differ in their ledger alone; returns the file."""
    own = world.world.settings
    (_, _, file) = load_settings(own, {}).ledger.partition(":///")
    copied = Path(file).with_name(f"{name}.db")
    with (
        closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as ledger,
        closing(sqlite3.connect(copied)) as copy,
    ):
        ledger.backup(copy)
    text, found = re.subn(
        r'(?m)^ledger = ".*"$', f'ledger = "sqlite:///{copied}"', own.read_text(encoding="utf-8")
    )
    assert found == 1
    settings = own.with_name(f"{name}.toml")
    settings.write_text(text, encoding="utf-8")
    if records:
        write_records(load_settings(settings, {}).ledger, list(records))
    return settings


def _run_lab(
    environment: Mapping[str, str], desk: Path, words: Sequence[str]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", "lab", *words]
    return subprocess.run(
        [*command, "--folder", str(desk), "--language", "en"],
        env=dict(environment), capture_output=True, text=True,
    )  # fmt: skip

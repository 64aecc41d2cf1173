"""The sandbox as one object: start, seed, break, stop; and as a program, `serve`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wardbook.sandbox.faults import Faults
from wardbook.sandbox.journal import Journal
from wardbook.sandbox.seed import Flavour, Seed
from wardbook.sandbox.store import Body, Records, Store

if TYPE_CHECKING:
    from queue import SimpleQueue

    from werkzeug.serving import BaseWSGIServer

    from wardbook.sandbox.house import House, Task


class Sandbox:
    """A Jira and a GitLab on loopback, with their state below one folder.

    Args:
        directory: created when missing; one process at a time serves it.
        jira_port: 0 takes the port of the last start, or any free one.
        gitlab_port: the same.
        flavour: which Jira: Server/Data Center, or Cloud.
        index_lag_seconds: JQL searches see tickets as they were this long ago.
        jira_skew_seconds: how far Jira's clock is ahead of the true time (behind: negative).
        gitlab_skew_seconds: the same of GitLab's.
        touch_seconds: a note moves its issue's `updated_at` only when that is older than this;
            60 is GitLab's own.
    """

    def __init__(
        self,
        directory: Path,
        jira_port: int = 0,
        gitlab_port: int = 0,
        flavour: Flavour = "server",
        index_lag_seconds: float = 0.0,
        jira_skew_seconds: float = 0.0,
        gitlab_skew_seconds: float = 0.0,
        touch_seconds: float = 60.0,
    ) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.store = Store(self.directory / "sandbox.sqlite")
        self.faults = Faults()
        self.journal = Journal(self.directory / "journal.jsonl")
        # These three may be set while the servers run.
        self.jira_skew_seconds = jira_skew_seconds
        self.gitlab_skew_seconds = gitlab_skew_seconds
        self.touch_seconds = touch_seconds
        self._ports = {"jira": jira_port, "gitlab": gitlab_port}
        self._flavour: Flavour = flavour
        self._lag = index_lag_seconds
        self._house: House | None = None
        self._servers: list[BaseWSGIServer] = []
        self._queue: SimpleQueue[Task | None] | None = None

    @property
    def jira_url(self) -> str:
        """The address of Jira, without a slash at the end."""
        return self._running().jira_url

    @property
    def gitlab_url(self) -> str:
        """The address of GitLab, without a slash at the end."""
        return self._running().gitlab_url

    @property
    def index_lag_seconds(self) -> float:
        """How far Jira's search lags behind; may be set while the servers run."""
        return self._lag

    @index_lag_seconds.setter
    def index_lag_seconds(self, seconds: float) -> None:
        self._lag = seconds
        if self._house:
            self._house.index_lag_seconds = seconds

    def jira_now(self) -> datetime:
        """Return the time on Jira's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.jira_skew_seconds)

    def gitlab_now(self) -> datetime:
        """Return the time on GitLab's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.gitlab_skew_seconds)

    def seed(self, seed: Seed) -> None:
        """Create what `seed` declares and is not there yet; what is there stays as it is."""
        from wardbook.sandbox.planting import plant

        with self.store.transaction(write=True) as records:
            plant(records, self.directory, seed)

    def load_jira_issues(
        self,
        search: Body,
        contents: Callable[[Body], bytes | None] | None = None,
        *,
        keep_addresses: bool = False,
    ) -> int:
        """Take in the issues of a recorded Jira search answer; return how many.

        Their fields are answered as recorded; comments, attachments and links are served at their
        own addresses too, and all of them can be worked on.

        Args:
            search: the answer.
            contents: gives the bytes of an attachment (its recorded bean), or None where there
                are none; its size becomes theirs. Such an answer has no contents of its own.
            keep_addresses: attachments keep the recorded `content`, on whatever host it is.
        """
        from wardbook.sandbox.jira.imports import Takeover

        with self.store.transaction(write=True) as records:
            takeover = Takeover(records, self.directory, contents, keep_addresses)
            return takeover.take_in_issues(search)

    def move_ticket(self, key: str, project_key: str) -> str:
        """Move a ticket to another project, as an administrator does; return its new key.

        It keeps its id, comments, attachments and links, and is found by its old key too. No
        webhook tells of it.

        Raises:
            KeyError: there is no such ticket or project.
        """
        from wardbook.sandbox.jira.moving import move_ticket

        with self.store.transaction(write=True) as records:
            return move_ticket(records, key, project_key, self.jira_now(), self._lag)

    def finish_job(
        self, job: int, status: str = "success", artifacts: dict[str, bytes] | None = None
    ) -> None:
        """End a waiting CI job, which nothing runs here, with files as its artifacts.

        Raises:
            KeyError: there is no such job.
        """
        from wardbook.sandbox.gitlab.jobs import finish_job

        with self.store.transaction(write=True) as records:
            finish_job(records, self.directory, job, status, artifacts or {})

    def start(self) -> Sandbox:
        """Serve in threads of this process.

        Raises:
            OSError: a port that was asked for is taken.
        """
        from queue import SimpleQueue

        from wardbook.sandbox.gitlab import app as gitlab
        from wardbook.sandbox.house import House, Served
        from wardbook.sandbox.jira import app as jira
        from wardbook.sandbox.transport import Frontdoor, run_background

        house = House(self.directory, self._flavour, self._lag)
        self._queue = SimpleQueue()
        run_background(self._queue)
        clocks = {"jira": self.jira_now, "gitlab": self.gitlab_now}
        for name, module in (("jira", jira), ("gitlab", gitlab)):
            door = Frontdoor(
                name,
                module.create_app().wsgi_app,
                self.store,
                self.faults,
                self.journal,
                self._queue,
                module.fault_answer,
                Served(self, clocks[name], house),
            )
            server = self._listen(name, door)
            setattr(house, f"{name}_url", f"http://127.0.0.1:{server.port}")
            self._servers.append(server)
        self._house = house
        for server in self._servers:
            threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
            ).start()
        return self

    def stop(self) -> None:
        """Close every connection and both ports; held requests are dropped."""
        from wardbook.sandbox.transport import hang_up

        self.faults.release(outcome="drop")
        while self._servers:
            hang_up(self._servers.pop())
        if self._queue:
            self._queue.put(None)
            self._queue = None
        self._house = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _running(self) -> House:
        if self._house is None:
            raise RuntimeError("the sandbox does not run; start() it before asking its address")
        return self._house

    def _listen(self, name: str, door: Any) -> BaseWSGIServer:
        """Bind the port that was asked for, else last time's, else a free one; remember it."""
        from wardbook.sandbox.transport import bind

        asked = self._ports[name]
        with self.store.transaction(write=True) as records:
            last = records.find("port", name)
            if asked or last is None:
                server = bind(door, asked)
            else:
                try:
                    server = bind(door, last["port"])
                except OSError:
                    server = bind(door, 0)
            remember_port(records, last, name, server.port)
        return server


def remember_port(records: Records, last: Body | None, name: str, port: int) -> None:
    """Keep the port, so that a restarted sandbox answers at the addresses already handed out."""
    if last is None:
        records.insert("port", {"port": port}, key=name)
    elif last["port"] != port:
        records.save("port", {**last, "port": port})


def serve(
    directory: Path,
    jira_port: int = 0,
    gitlab_port: int = 0,
    flavour: Flavour = "server",
    index_lag_seconds: float = 0.0,
    *,
    seed: Seed | None = None,
    announce: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets one line for each server's address."""
    sandbox = Sandbox(directory, jira_port, gitlab_port, flavour, index_lag_seconds)
    if seed:
        sandbox.seed(seed)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with sandbox:
        announce(f"Jira    {sandbox.jira_url}")
        announce(f"GitLab  {sandbox.gitlab_url}")
        # Timed: a signal that the system hands to another thread does not wake this one.
        while not ended.wait(0.5):
            pass

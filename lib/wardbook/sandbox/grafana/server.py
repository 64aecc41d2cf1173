"""The imitation as one object: start, plant a data source, break, stop."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from wardbook.sandbox.faults import Faults
from wardbook.sandbox.journal import Journal
from wardbook.sandbox.store import Store

if TYPE_CHECKING:
    from queue import SimpleQueue

    from werkzeug.serving import BaseWSGIServer

    from wardbook.sandbox.house import Task

EDITOR, VIEWER = "grafana-editor-token", "grafana-viewer-token"


def tell_time() -> datetime:
    """Return the true time, which is its clock's."""
    return datetime.now(UTC)


class GrafanaSandbox:
    """A Grafana on loopback, with its state below one folder.

    `EDITOR` and `VIEWER` are the tokens of its two service accounts: one may write, one may read.

    Args:
        directory: created when missing; one process at a time serves it.
        port: 0 takes any free one.
        version: what it says of itself.
    """

    def __init__(self, directory: Path, port: int = 0, version: str = "11.5.2") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.store = Store(directory / "grafana.sqlite")
        self.faults = Faults()
        self.journal = Journal(directory / "grafana.jsonl")
        self.version = version
        self._port = port
        self._server: BaseWSGIServer | None = None

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("it does not run; start() it before asking its address")
        return f"http://127.0.0.1:{self._server.port}"

    def add_datasource(self, uid: str) -> None:
        """Plant a data source for PostgreSQL; one that is there stays as it is."""
        with self.store.transaction(write=True) as records:
            if records.find("grafana.datasource", uid) is None:
                records.insert("grafana.datasource", {"uid": uid, "name": uid}, key=uid)

    def start(self) -> GrafanaSandbox:
        """Serve in a thread of this process.

        Raises:
            OSError: the port that was asked for is taken.
        """
        from queue import SimpleQueue

        from wardbook.sandbox.grafana.app import create_app, fault_answer
        from wardbook.sandbox.house import Served
        from wardbook.sandbox.transport import Frontdoor, bind

        nothing: SimpleQueue[Task | None] = SimpleQueue()
        door = Frontdoor(
            "grafana",
            create_app().wsgi_app,
            self.store,
            self.faults,
            self.journal,
            nothing,
            fault_answer,
            Served(self, tell_time),
        )
        self._server = bind(door, self._port)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Close every connection and the port; held requests are dropped."""
        from wardbook.sandbox.transport import hang_up

        self.faults.release(outcome="drop")
        if self._server is not None:
            hang_up(self._server)
            self._server = None

    def __enter__(self) -> GrafanaSandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

"""A desk's house that is kept between questions, for several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.bench.desk import Desk
from pipelines.house import House
from wardbook.shipped import shipped_folder


class KeptHouse:
    """Keeps the ledger's connections, and the templates until a file of the catalogue changes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.open_house()
        self._seen_templates: object = None
        self._guard = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[House]:
        """Open a house for this thread: data and software are as they are now."""
        with self._guard:
            self._look_at_templates()
            worker = self._house.worker()
        worker.act = self._desk.act
        worker.look_again()
        with worker:
            try:
                yield worker
            finally:
                del worker.__dict__["ledger"]  # leaving a house closes its ledger: this is kept

    def close(self) -> None:
        """Let go of the ledger."""
        self._house.__exit__()

    def _look_at_templates(self) -> None:
        folder = self._desk.settings.unit.templates or shipped_folder("templates")
        files = sorted(folder.glob("*/*"))
        seen = [(str(file), file.stat().st_mtime_ns) for file in files]
        if seen != self._seen_templates:
            self._house.__dict__.pop("templates", None)
            self._seen_templates = seen

"""`/metrics` of `wardbook serve`: a small server of its own, apart from the one for webhooks.

Strangers reach that one through its proxy; this one is asked by the hospital's Prometheus only. It
is Tornado's, as is the other: strict parsing, bounds on size and time.
"""

from __future__ import annotations

import logging
from datetime import datetime

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from pipelines.house import House
from wardbook.errors import WardbookError
from wardbook.listening import Listening
from wardbook.metrics.exposition import CONTENT_TYPE, expose
from wardbook.metrics.telling import gather_telling
from wardbook.settings import PrometheusSettings

log = logging.getLogger(__name__)
_PATIENCE = 10.0
_MOST_BYTES = 16 * 1024


class MetricsServer:
    """Answers Prometheus. A context manager: it listens while it is entered."""

    def __init__(self, house: House, settings: PrometheusSettings) -> None:
        self._house = house
        self._last_pass: tuple[datetime, int] | None = None
        pages = Application([("/metrics", _Metrics, {"server": self})], log_function=_log_nothing)
        server = HTTPServer(
            pages,
            no_keep_alive=True,
            max_header_size=_MOST_BYTES,
            max_body_size=_MOST_BYTES,
            idle_connection_timeout=_PATIENCE,
            body_timeout=_PATIENCE,
        )
        self._listening = Listening(
            server, (settings.host, settings.port), section="prometheus", caller="Prometheus"
        )

    def __enter__(self) -> MetricsServer:
        """Start listening.

        Raises:
            SettingsFault: the address cannot be listened at.
        """
        self._listening.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.stop()

    def note_pass(self, at: datetime, faults: int) -> None:
        """Remember when the last pass ended, and how many faults it had."""
        self._last_pass = at, faults

    def tell(self) -> bytes:
        """Return what Prometheus gets now.

        Raises:
            WardbookError: a database cannot be read.
        """
        with self._house.open_metrics() as database:
            return expose(gather_telling(self._house.ledger, database, self._last_pass))


class _Metrics(RequestHandler):
    def initialize(self, server: MetricsServer) -> None:
        """Take what the page needs (Tornado's way of writing `__init__`)."""
        self._server = server

    def get(self) -> None:
        """Answer with everything, or say that a database is away."""
        try:
            told = self._server.tell()
        except WardbookError as error:
            log.warning("%s", error)
            self.set_status(503)
            return
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(told)


def _log_nothing(_: RequestHandler) -> None:
    """Keep what a stranger asked for out of the log."""

"""Listens for webhooks and sets an event when a good one comes.

Tornado's HTTP server, which Dask brings along anyway, instead of the standard library's: it parses
strictly, bounds headers and bodies and limits the whole time of each, not only of a single read.
It runs in one thread with its own event loop. Nothing of a request is logged but the verdict.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream

from requests_sync.webhooks.judge import Authentic, Keys, Request, Verdict, judge
from requests_sync.webhooks.memory import Memory
from wardbook.listening import Listening
from wardbook.settings import WebhookSettings

log = logging.getLogger(__name__)

CONNECTIONS = 64
"""How many at once; each holds at most `max_bytes` of memory and a little."""
PATIENCE = 10.0
"""Seconds that a client has for its headers, and again for its body."""
MAX_HEADER_BYTES = 16 * 1024


class Receiver:
    """Sets `wake` for each good webhook. A context manager: it listens while it is entered.

    Args:
        settings: where to listen, and the secrets.
        wake: set before the sender gets its answer.
        now: the clock.
        patience: seconds that a client has for its headers, and again for its body.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        wake: threading.Event,
        now: Callable[[], datetime],
        patience: float = PATIENCE,
    ) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self.memory = Memory()
        self._settings = settings
        self._keys = Keys.of(settings)
        self._wake = wake
        self._now = now
        self._listening = Listening(
            _Server(self, patience),
            (settings.host, settings.port),
            section="webhooks",
            caller="webhooks",
        )

    def __enter__(self) -> Receiver:
        """Start listening.

        Raises:
            SettingsFault: the address cannot be listened at.
        """
        # Its messages would quote what a stranger sent.
        logging.getLogger("tornado.general").setLevel(logging.CRITICAL)
        self._listening.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.stop()

    @property
    def max_bytes(self) -> int:
        """How long a body may be."""
        return self._settings.max_bytes

    def receive(self, request: Request) -> Verdict:
        """Judge a request, and wake the loop if it is good and new."""
        now = self._now()
        judged = judge(request, self._keys, now)
        verdict = self.memory.admit(judged, now) if isinstance(judged, Authentic) else judged
        if verdict is Verdict.WOKEN:
            self._wake.set()
        return self.count(verdict)

    def count(self, verdict: Verdict) -> Verdict:
        """Keep what became of a request, and nothing else of it."""
        self.verdicts[verdict] += 1
        log.info("webhook: %s", verdict)
        return verdict


class _Server(HTTPServer):
    """Tornado's server, with a bound on connections."""

    def initialize(self, receiver: Receiver, patience: float) -> None:  # type: ignore[override]
        """Set the limits (Tornado's way of writing `__init__`)."""
        super().initialize(
            self,
            no_keep_alive=True,
            max_header_size=MAX_HEADER_BYTES,
            idle_connection_timeout=patience,
            body_timeout=patience,
            max_body_size=receiver.max_bytes,
        )
        self._receiver = receiver

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Take a connection, or turn it away."""
        if len(self._connections) >= CONNECTIONS:
            _turn_away(stream, self._receiver.count(Verdict.CROWDED))
        else:
            super().handle_stream(stream, address)

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Return who takes in this request."""
        del server_conn
        return _Exchange(self._receiver, cast(HTTP1Connection, request_conn))


class _Exchange(HTTPMessageDelegate):
    """One request and its answer."""

    def __init__(self, receiver: Receiver, connection: HTTP1Connection) -> None:
        self._receiver = receiver
        self._connection = connection
        self._start = RequestStartLine("", "", "")
        self._headers = HTTPHeaders()
        self._body = bytearray()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Turn away a body that is declared too long before a byte of it is read."""
        self._start, self._headers = cast(RequestStartLine, start_line), headers
        if _declared_length(headers) > self._receiver.max_bytes:
            _turn_away(self._connection.detach(), self._receiver.count(Verdict.TOO_LARGE))

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body; the server bounds their sum."""
        self._body += chunk

    def finish(self) -> None:
        """Judge the request, which is whole now, and answer it."""
        request = Request(
            self._start.method, self._start.path, list(self._headers.get_all()), bytes(self._body)
        )
        status = HTTPStatus(self._receiver.receive(request).status)
        headers = HTTPHeaders() if status is HTTPStatus.NO_CONTENT else HTTPHeaders(_EMPTY)
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = "POST"
        self._connection.write_headers(ResponseStartLine("", status, status.phrase), headers)
        self._connection.finish()


_EMPTY = {"Content-Length": "0"}


def _declared_length(headers: HTTPHeaders) -> int:
    """Return the body's declared length; 0 where that is no number, which the server refuses."""
    told = headers.get("Content-Length", "")
    if not (told.isascii() and told.isdigit()):
        return 0
    # Anything of more digits is too long, and Python refuses to read thousands of them.
    return int(told[:20])


def _turn_away(stream: IOStream, verdict: Verdict) -> None:
    """Answer without reading, and hang up."""
    status = HTTPStatus(verdict.status)
    head = f"HTTP/1.1 {status} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    stream.write(head.encode())
    stream.close()

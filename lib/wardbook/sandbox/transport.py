"""HTTP for the two servers: werkzeug's threaded server with keep-alive, faults and the journal.

Werkzeug's own handler closes every connection and waits 10 ms after each answer for unread input.
Ours reads the whole request first and buffers the whole answer, so both are unnecessary.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.utils import format_datetime
from io import BytesIO
from queue import SimpleQueue
from typing import Any, cast
from urllib.parse import unquote

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from wardbook.sandbox.faults import Fault, Faults
from wardbook.sandbox.house import Exchange, Served, Task
from wardbook.sandbox.journal import Journal, JournalEntry
from wardbook.sandbox.store import Store, Undo

READING = frozenset({"GET", "HEAD", "OPTIONS"})
SLASH = "\uf8ff"  # stands for an encoded slash inside one path segment, a private-use character
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def code(self) -> int:
        """The status as a number."""
        return int(self.status.split()[0])


class Cut(Exception):
    """Close this connection without an answer."""


WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Frontdoor:
    """One server's way from request to answer."""

    server: str
    app: WSGIApp
    store: Store
    faults: Faults
    journal: Journal
    background: SimpleQueue[Task | None]
    errors: Callable[[Fault], Answer]
    served: Served

    def answer(self, environ: dict[str, Any]) -> Answer:
        """Answer one request under the rules in force.

        Raises:
            Cut: the connection is to be closed without an answer.
        """
        environ["wardbook.served"] = self.served
        path = environ["PATH_INFO"].replace(SLASH, "/")
        environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
        if path.startswith("/_sandbox/"):
            return call(self.app, environ)
        fault = self.faults.strike(self.server, environ["REQUEST_METHOD"], path)
        entry = Exchanged()
        try:
            answer = self._struck(fault, environ, path, entry)
            entry.status = answer.code
            return answer
        finally:
            self.journal.append(
                JournalEntry(
                    server=self.server,
                    method=environ["REQUEST_METHOD"],
                    path=path,
                    query=environ["QUERY_STRING"],
                    account=entry.account,
                    status=entry.status,
                    wrote=entry.wrote,
                    fault=fault.effect if fault else None,
                )
            )

    def _struck(
        self, fault: Fault | None, environ: dict[str, Any], path: str, entry: Exchanged
    ) -> Answer:
        effect = fault.effect if fault else None
        if fault and effect in ("500", "502", "503", "429", "rate_limit"):
            return self.errors(fault)
        if effect == "cut_before":
            raise Cut
        if fault and effect == "latency":
            time.sleep(fault.latency_ms / 1000)
        if effect == "hold_before":
            self._hold(environ, path, effect)
        answer = self._perform(environ, entry)
        if effect == "hold_after":
            self._hold(environ, path, effect)
        if effect == "cut_after":
            raise Cut
        return answer

    def _hold(self, environ: dict[str, Any], path: str, effect: str) -> None:
        if self.faults.hold(environ["REQUEST_METHOD"], path, effect) == "drop":
            raise Cut

    def _perform(self, environ: dict[str, Any], entry: Exchanged) -> Answer:
        """Run the application in one transaction; a refused request changes nothing."""
        with self.store.transaction(write=environ["REQUEST_METHOD"] not in READING) as records:
            exchange = Exchange(records)
            environ["wardbook.exchange"] = exchange
            answer = call(self.app, environ)
            entry.account = exchange.account
            if answer.code >= 400:
                raise Undo
            entry.wrote = records.touched
        if answer.code < 400:
            for task in exchange.after:
                self.background.put(task)
        return answer


@dataclass
class Exchanged:
    """What the journal says about a request, filled as it goes."""

    account: str | None = None
    status: int = 0
    wrote: bool = False


def call(app: WSGIApp, environ: dict[str, Any]) -> Answer:
    """Call a WSGI application and return its answer whole."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> None:
        started.append((status, headers))

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close:
            close()
    status, headers = started[-1]
    return Answer(status, headers, body)


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with keep-alive; `server.app` is a `Frontdoor`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Remember the connection, so that stopping the server can close it."""
        super().setup()
        cast(Any, self.server).connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        cast(Any, self.server).connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        """Read one request, answer it, leave the connection ready for the next."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        self._read_whole(environ)
        try:
            answer = cast(Frontdoor, cast(Any, self.server).app).answer(environ)
        except Cut:
            self._cut()
            return
        self._send(answer, environ["REQUEST_METHOD"])

    def _read_whole(self, environ: dict[str, Any]) -> None:
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", ""):
            body = environ["wsgi.input"].read()
            environ.pop("HTTP_TRANSFER_ENCODING")
        else:
            body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        segments = self.path.partition("?")[0].split("/")
        environ["PATH_INFO"] = "/".join(
            unquote(segment, errors="replace").replace("/", SLASH) for segment in segments
        )

    def _send(self, answer: Answer, method: str) -> None:
        clock = cast(Frontdoor, cast(Any, self.server).app).served.clock
        lines = [
            f"{self.protocol_version} {answer.status}",
            f"Date: {format_datetime(clock(), usegmt=True)}",
        ]
        names = {name.lower() for name, _ in answer.headers}
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if "content-length" not in names and answer.code not in (204, 304):
            lines.append(f"Content-Length: {len(answer.body)}")
        lines.append("Connection: close" if self.close_connection else "Connection: keep-alive")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.wfile.write(head if method == "HEAD" else head + answer.body)

    def _cut(self) -> None:
        self.close_connection = True
        shut(self.connection)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: the journal has it."""

    def log_error(self, format: str, *args: object) -> None:
        """Report a broken request to the log, not to stderr."""
        log.debug(format, *args)


def bind(frontdoor: Frontdoor, port: int) -> BaseWSGIServer:
    """Listen on loopback at `port` (0: any free one)."""
    server: Any = make_server(
        "127.0.0.1",
        port,
        cast(Any, frontdoor),
        threaded=True,
        request_handler=Handler,
    )
    server.daemon_threads = True
    server.block_on_close = False
    server.connections = set()
    return cast(BaseWSGIServer, server)


def hang_up(server: BaseWSGIServer) -> None:
    """Stop listening and close every open connection."""
    server.shutdown()
    server.server_close()
    for connection in list(cast(Any, server).connections):
        shut(connection)


def shut(connection: socket.socket) -> None:
    """Close both directions of a connection, whether or not the client is still there."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def run_background(queue: SimpleQueue[Task | None]) -> threading.Thread:
    """Start the thread that runs what requests left to do; None in the queue ends it."""

    def work() -> None:
        while (task := queue.get()) is not None:
            try:
                task()
            except Exception:
                log.warning("a background task failed", exc_info=sys.exc_info())

    thread = threading.Thread(target=work, name="sandbox-background", daemon=True)
    thread.start()
    return thread

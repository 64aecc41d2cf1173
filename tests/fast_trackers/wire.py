"""HTTP/1.1 with keep-alive, as little of it as the real clients need."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

REASONS = {200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 404: "Not Found",
           409: "Conflict"}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One request: its path in segments, its query, its JSON body."""

    method: str
    path: tuple[str, ...]
    query: dict[str, list[str]]
    body: Any
    target: str

    def argument(self, name: str, default: str = "") -> str:
        """Return one argument of the query."""
        return self.query.get(name, [default])[-1]


@dataclass(frozen=True)
class Reply:
    """What is answered: a status, a JSON value or bytes, further headers."""

    payload: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = ""


Answer = Callable[[Call], Reply]


class Connection(asyncio.Protocol):
    """One client's connection; the client waits for each answer before it asks again."""

    def __init__(self, answer: Answer, count: Counter[str], latency: float) -> None:
        self._answer, self._count, self._latency = answer, count, latency
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Read on until a request is whole."""
        self._buffer += data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        call = read_call(method, target, rest[:length])
        if self._latency and not call.path[0].startswith("_"):
            asyncio.get_running_loop().call_later(self._latency, self._respond, call)
        else:
            self._respond(call)

    def _respond(self, call: Call) -> None:
        if call.path[0] == "_count":
            reply = Reply(dict(self._count))
            if call.argument("reset"):
                self._count.clear()
        else:
            reply = self._answer(call)
            if not call.path[0].startswith("_"):
                self._count[f"{call.method} {reply.kind or 'unknown'}"] += 1
        if not self._transport.is_closing():
            self._transport.write(write_reply(reply))


def read_call(method: str, target: str, body: bytes) -> Call:
    """Parse a request; `latest` is version 2 of Jira's API."""
    path, _, query = target.partition("?")
    path = path.replace("/rest/api/latest/", "/rest/api/2/", 1)
    segments = tuple(unquote(segment) for segment in path.split("/")[1:])
    return Call(
        method,
        segments,
        parse_qs(query, keep_blank_values=True) if query else {},
        json.loads(body) if body else {},
        target,
    )


def write_reply(reply: Reply) -> bytes:
    """Return the bytes of an answer."""
    payload, kind = reply.payload, "application/json"
    if isinstance(payload, bytes):
        kind = "application/octet-stream"
    elif reply.status == 204:
        payload = b""
    else:
        payload = json.dumps(payload, separators=(",", ":")).encode()
    lines = [
        f"HTTP/1.1 {reply.status} {REASONS[reply.status]}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(payload)}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + payload

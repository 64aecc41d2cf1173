"""A real jupyter_server with the bench's extension, in a process of its own, for tests."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKEN = "0123456789abcdef0123456789abcdef"


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
    """The server: its port, and what it logged."""

    port: int
    log: Path
    headers: Mapping[str, str] = field(default_factory=lambda: {"Authorization": f"token {TOKEN}"})

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
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method, path, sent, dict(self.headers if headers is None else headers)
            )
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def api(self, method: str, path: str, body: object = None) -> Reply:
        """Ask the panel's API as the panel does."""
        return self.ask(method, f"/wardbook/api/{path}", body)


@contextmanager
def serve_panel(
    folder: Path, root: Path, environ: Mapping[str, str], extension: str
) -> Iterator[PanelServer]:
    """Start a server over `root` with one extension; its own files lie in `folder`."""
    port, log = _free_port(), folder / "server.log"
    own = {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"}
    places = {name: str(folder / name.lower()) for name in own}
    tests = str(Path(__file__).parent)
    path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), *sys.path, tests])
    config = {
        "ServerApp": {
            "jpserver_extensions": {extension: True},
            "root_dir": str(root),
            "port": port,
            "port_retries": 0,
            "ip": "127.0.0.1",
            "open_browser": False,
            "allow_root": True,
            "terminals_enabled": False,
        },
        "ContentsManager": {"allow_hidden": True},
        "IdentityProvider": {"token": TOKEN},
    }
    at = Path(places["JUPYTER_CONFIG_DIR"])
    at.mkdir()
    (at / "jupyter_server_config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "jupyter_server"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=out,
            env={**os.environ, **environ, **places, "PYTHONPATH": path},
            cwd=folder,
        )
        try:
            server = PanelServer(port, log)
            _await(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(server: PanelServer, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(server.log.read_text())
        try:
            if server.ask("GET", "/api").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(server.log.read_text())

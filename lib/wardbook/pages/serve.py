"""The site on this machine, for a person who wants to look at it."""

from __future__ import annotations

import sys
import threading
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from wardbook.report.policy import read_headers

_TEXT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


class SiteServer:
    """A server of one folder on 127.0.0.1; `with` starts and stops it.

    Attributes:
        url: address of the front page, with a slash at its end.
    """

    def __init__(self, public: Path, port: int) -> None:
        handler = partial(_SiteHandler, directory=str(public.resolve()))
        self._server = _Server(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def start(self) -> None:
        """Answer requests from now on, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> SiteServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve_site(public: Path, port: int) -> SiteServer:
    """Return a server of the folder `public`, not yet started; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    return SiteServer(public, port)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who leaves in the middle of a page is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _SiteHandler(SimpleHTTPRequestHandler):
    """Serves files and `index.html` of folders; no list of a folder, nothing hidden or linked."""

    extensions_map = _TEXT_TYPES

    def send_head(self) -> Any:
        if not self._may_show(Path(self.translate_path(self.path))):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def list_directory(self, _path: Any) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        content = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", _TEXT_TYPES[".html"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def end_headers(self) -> None:
        file = Path(self.translate_path(self.path))
        shown = file / "index.html" if file.is_dir() else file
        for name, value in read_headers(Path(self.directory), shown):
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the command that started the server speaks to the person."""

    def _may_show(self, file: Path) -> bool:
        shown = file / "index.html" if file.is_dir() else file
        inside = shown.relative_to(self.directory)
        hidden = any(part.startswith(".") for part in inside.parts)
        return not hidden and shown.resolve() == shown

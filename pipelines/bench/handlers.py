"""The addresses of the bench, and who answers there."""

from __future__ import annotations

from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from pipelines.bench.desktop import Desktop
from pipelines.bench.pages import OpenPage, Preview
from pipelines.bench.questions import (
    ChosenData,
    Comparison,
    Elsewhere,
    Leaving,
    Opening,
    Request,
    Requests,
    Submission,
    Templates,
    Trial,
    Trials,
    Tries,
    Words,
)

_API = (
    (r"words", Words),
    (r"requests", Requests),
    (r"requests/([^/]+)", Request),
    (r"requests/([^/]+)/open", Opening),
    (r"requests/([^/]+)/data", ChosenData),
    (r"requests/([^/]+)/trials", Trials),
    (r"requests/([^/]+)/trials/([^/]+)", Trial),
    (r"requests/([^/]+)/trials/([^/]+)/leaving", Leaving),
    (r"requests/([^/]+)/compare", Comparison),
    (r"requests/([^/]+)/submit", Submission),
    (r"templates", Templates),
    (r"tries", Tries),
    (r"(.*)", Elsewhere),
)


def routes(desktop: Desktop, base: str) -> list[tuple[str, type[JupyterHandler], dict[str, Any]]]:
    """Return the addresses and who answers there; `base` is the server's own."""
    shared = {"desktop": desktop}
    return [
        *((url_path_join(base, "wardbook/api", path), who, shared) for path, who in _API),
        (url_path_join(base, "wardbook/open"), OpenPage, shared),
        (url_path_join(base, r"wardbook/preview/([^/]+)/([^/]+)/(.*)"), Preview, shared),
    ]

"""How both applications read paths: an encoded slash stays inside its segment."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from werkzeug.routing import BaseConverter

from wardbook.sandbox.transport import SLASH


class Segment(BaseConverter):
    """One segment of a path, which may hold encoded slashes (`group%2Fproject`)."""

    def to_python(self, value: str) -> str:
        """Return the segment as the client meant it."""
        return value.replace(SLASH, "/")


class Slashed(BaseConverter):
    """Several segments, slashes encoded or not."""

    regex = ".+?"
    part_isolating = False
    weight = 300

    def to_python(self, value: str) -> str:
        """Return the segments joined by slashes."""
        return value.replace(SLASH, "/")


class ProjectPath(Slashed):
    """The path of a project's page: anything but what belongs to the API."""

    regex = "(?!api/|_sandbox/|static/).+?"


def prepare_routing(app: Flask) -> None:
    """Teach the application `<seg:…>`, `<slashed:…>` and `<project:…>`; paths stay as sent."""
    app.url_map.converters["seg"] = Segment
    app.url_map.converters["slashed"] = Slashed
    app.url_map.converters["project"] = ProjectPath
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]


def pages_folder() -> Path:
    """Return the folder of templates and style sheets."""
    return Path(__file__).parent / "web"

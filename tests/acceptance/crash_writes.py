"""The writes of a ticket's way, as the trackers' journal names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.acceptance.crash_survey import Survey, survey
from tests.acceptance.crash_world import CrashWorld, crash_world
from wardbook.pages.address import slug_of

Route = tuple[str, str, str]
"""Server, method and route, without the numbers in it."""


@dataclass(frozen=True)
class Peace:
    """What comes of a ticket that nothing disturbs: everywhere, by which writes, of which run."""

    survey: Survey
    writes: list[Route]
    run: Mapping[str, bytes]


@cache
def undisturbed() -> Mapping[str, Peace]:
    """Lead a ticket of each kind in peace, once in this process, in a world of their own."""
    with TemporaryDirectory() as folder, crash_world(Path(folder)) as world:
        return {kind: _lead_in_peace(world, kind) for kind in ("whole", "failed", "refused")}


def _lead_in_peace(world: CrashWorld, kind: str) -> Peace:
    before = len(world.sandbox.writes())
    key = world.file_ticket(kind)
    world.settle(key)
    writes = [route_of(entry) for entry in world.sandbox.writes()[before:]]
    runs = world.folder / "state" / "runs"
    run = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for folder in runs.glob(f"{slug_of(key)}-*")
        for file in folder.rglob("*")
        if file.is_file()
    }
    return Peace(survey(world, key), writes, run)


def route_of(entry: Mapping[str, Any]) -> Route:
    """Return which write a request was: one of the journal, or one that is held."""
    server = "jira" if "/rest/api/2/" in entry["path"] else "gitlab"
    route = re.sub(r"\bDATA-\d+\b", "KEY", entry["path"].partition("/api/")[2])
    return server, entry["method"], re.sub(r"\b(?<!api/)\d+\b", "N", route.partition("/")[2])


def rule_for(route: Route, key: str) -> dict[str, str]:
    """Return the fields of a fault that strikes this write of a ticket."""
    server, method, path = route
    pattern = re.escape(path).replace("KEY", key).replace("/N", r"/\d+") + "$"
    return {"server": server, "method": method, "path": pattern}

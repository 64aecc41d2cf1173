"""The writes of a ticket's way, as the trackers' journal names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.acceptance.crash_survey import Survey, survey
from tests.acceptance.crash_world import CrashWorld

Route = tuple[str, str, str]
"""Server, method and route, without the numbers in it."""


def lead_in_peace(world: CrashWorld, kind: str) -> tuple[Survey, list[Route]]:
    """File a ticket and lead it undisturbed; return what came of it and the writes it took."""
    before = len(world.sandbox.writes())
    key = world.file_ticket(kind)
    world.settle(key)
    writes = [route_of(entry) for entry in world.sandbox.writes()[before:]]
    return survey(world, key), writes


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

"""All that the platform made on both trackers, to be compared with another time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.demo.world import BOT
from tests.sync_world import SyncWorld


def picture(world: SyncWorld) -> Mapping[str, Any]:
    """Return all that is ours on both sides, without what chance and time make different."""
    with world.sandbox.store.transaction(write=False) as records:
        bot = (records.find("account", BOT) or {})["id"]
        issues = [
            one
            for project in records.all("gitlab.project")
            for one in records.all("gitlab.issue", project["id"])
        ]
        names = ("title", "description", "state", "labels", "assignees", "due_date")
        return {
            "issues": [{name: plain(one[name]) for name in names} for one in issues],
            "notes": [
                plain(note["body"])
                for issue in issues
                for note in records.all("gitlab.issue.note", issue["id"])
                if note["author"] == bot and not note["system"]
            ],
            "comments": [
                plain(one["body"]) for one in records.all("jira.comment") if one["author"] == bot
            ],
            "remote links": [plain(one["object"]["url"]) for one in records.all("jira.remotelink")],
            "links": [{one["source"], one["target"]} for one in records.all("gitlab.link")],
            "uploads": [one["name"] for one in records.all("gitlab.upload")],
            "merge requests": [one["title"] for one in records.all("gitlab.mr")],
            "tickets": [
                {name: one["fields"].get(name) for name in ("status", "resolution", "assignee")}
                for one in records.all("jira.issue")
            ],
        }


def plain(value: Any) -> Any:
    """Return a value without moments and the secrets of uploads."""
    if not isinstance(value, str):
        return sorted(value) if isinstance(value, list) else value
    value = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "MOMENT", value)
    return re.sub(r"/uploads/[0-9a-f]+/", "/uploads/SECRET/", value)


def differing(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return the parts of two pictures that differ."""
    return "; ".join(
        f"{name}: {found[name]!r}, not {wanted[name]!r}"
        for name in wanted
        if found[name] != wanted[name]
    )

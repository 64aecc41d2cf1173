"""A unit whose forms open the create screen of a Jira that runs: the sandbox's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from pipelines.demo.world import FIELDS, World
from tests.sample_settings import make_settings
from wardbook.sandbox import Sandbox
from wardbook.settings import Settings


def connect_unit(sandbox: Sandbox, folder: Path) -> Settings:
    """Seed the sandbox as the demonstration does; returns settings that know its ids."""
    world = World(folder)
    sandbox.seed(world.seed())
    base = make_settings()
    raw = base.model_dump(mode="json", exclude_none=True)
    raw["gitlab"]["token"] = "t0ken"
    raw["jira"] |= {
        "url": sandbox.jira_url,
        "token": world.token("wardbook"),
        "fields": {name: field.id for name, field in FIELDS.items()},
        "create": _read_ids(sandbox.jira_url, world.token("wardbook")),
    }
    return Settings.model_validate(raw)


def _read_ids(address: str, token: str) -> dict[str, Any]:
    def get(path: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{address}/rest/api/2/{path}", headers=headers, timeout=30).json()

    project = get("project/DATA")
    kind = project["issueTypes"][0]["id"]
    fields = get(f"issue/createmeta/DATA/issuetypes/{kind}?maxResults=200")["values"]
    named = {field.id: name for name, field in FIELDS.items()}
    return {
        "project_id": int(project["id"]),
        "issue_type_id": int(kind),
        "components": {one["name"]: int(one["id"]) for one in project["components"]},
        "options": {
            named[one["fieldId"]]: {o["value"]: int(o["id"]) for o in one["allowedValues"]}
            for one in fields
            if one["fieldId"] in named and one.get("allowedValues")
        },
        "iso_days": True,
    }

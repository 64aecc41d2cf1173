"""A unit whose forms open the create screen of a Jira that runs: the sandbox's."""

from __future__ import annotations

from pathlib import Path

from pipelines.demo.world import FIELDS, World
from tests.sample_settings import make_settings
from wardbook.sandbox import Sandbox
from wardbook.settings import Settings


def connect_unit(sandbox: Sandbox, folder: Path) -> Settings:
    """Seed the sandbox as the demonstration does; returns settings that know its ids."""
    world = World(folder)
    sandbox.seed(world.seed())
    raw = make_settings().model_dump(mode="json", exclude_none=True)
    raw["gitlab"]["token"] = "t0ken"
    raw["jira"] |= {
        "url": sandbox.jira_url,
        "token": world.token("wardbook"),
        "fields": {name: field.id for name, field in FIELDS.items()},
        "create": world.read_create_screen(sandbox).model_dump(),
    }
    return Settings.model_validate(raw)

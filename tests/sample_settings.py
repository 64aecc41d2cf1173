"""Settings of a small unit, for tests."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pipelines.sample_settings import SAMPLE
from wardbook.settings import Settings, load_settings

SERVICES = {
    "Direction médicale": "unite/direction-medicale",
    "Hygiène hospitalière": "unite/hygiene-hospitaliere",
}


def make_settings(**changes: Any) -> Settings:
    """The settings that `wardbook init` writes, with two services and four sources."""
    raw = tomllib.loads(SAMPLE)
    for server in ("jira", "gitlab"):
        del raw[server]["token_file"]
        raw[server]["token"] = "t0ken"
    raw["unit"]["data_protection_officers"] = ["npetit"]
    raw["people"] = {"hbernard": "Dr Hélène Bernard", "npetit": "Nadia Petit"}
    raw["services"] = {
        name: {"project": path, "approvers": ["hbernard"], "reviewers": ["rfaure"]}
        for name, path in SERVICES.items()
    }
    kinds = {"spf": "spf-hospital", "spf_flux": "spf-admissions", "stays": "hospital-stays"}
    raw["sources"] = {
        name: {"kind": kind, "path": f"{name}.csv", "sensitivity": "public"}
        for name, kind in kinds.items()
    }
    return Settings.model_validate(raw | changes)


def write_sample(folder: Path, text: str = SAMPLE) -> Path:
    """Write a settings file."""
    file = folder / "wardbook.toml"
    file.write_text(text, encoding="utf-8")
    return file


def load_sample(folder: Path, text: str = SAMPLE) -> Settings:
    """Read a settings file with both tokens in the environment."""
    return load_settings(
        write_sample(folder, text), {"WARDBOOK_JIRA_TOKEN": "a", "WARDBOOK_GITLAB_TOKEN": "b"}
    )

"""A unit whose sources are files and a warehouse about persons, and no trackers: for twins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.house import House
from tests.sample_settings import make_settings
from wardbook.settings import Settings, SourceSettings


def source_of(kind: str, place: Path | str, sensitivity: str = "sensitive") -> SourceSettings:
    """Return a source: a file, or a database by its address."""
    where = {"path": place} if isinstance(place, Path) else {"address": place}
    return SourceSettings.model_validate({"kind": kind, "sensitivity": sensitivity, **where})


def twin_settings(folder: Path, sources: Mapping[str, SourceSettings]) -> Settings:
    """Return the settings of a unit below `folder`."""
    settings = make_settings()
    state = folder / "state"
    changes = {
        "unit": settings.unit.model_copy(update={"state": state}),
        "bench": settings.bench.model_copy(update={"twins": folder / "twins"}),
        "ledger": f"sqlite:///{state / 'ledger.db'}",
        "sources": dict(sources),
    }
    return settings.model_copy(update=changes)


def twin_house(folder: Path, sources: Mapping[str, SourceSettings]) -> House:
    """Return the house of such a unit, on a day of 2026."""
    day = datetime(2026, 3, 2, 12, tzinfo=ZoneInfo("Europe/Paris"))
    return House(twin_settings(folder, sources), now=lambda: day)

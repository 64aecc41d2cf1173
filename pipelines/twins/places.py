"""Where the twins stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.settings import Settings

if TYPE_CHECKING:
    from wardbook.twin.writing import Form

FORMS: tuple[Form, ...] = ("csv", "parquet")


def find_twin(settings: Settings, source: str, kind: str) -> Path | None:
    """Return the file of a source's twin of a kind; None where none was made."""
    files = (place_of(settings, source, kind, form) for form in FORMS)
    return next((file for file in files if file.is_file()), None)


def place_of(settings: Settings, source: str, kind: str, form: str) -> Path:
    """Return where a twin stands, or will."""
    return settings.bench.twins / f"{source}.{kind}.{form}"


def about_of(place: Path) -> Path:
    """Return the file beside a twin that tells what it is made of."""
    return place.with_name(place.name.removesuffix(place.suffix) + ".twin.json")

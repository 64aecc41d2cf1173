"""What all sections of the settings share."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
)

Fingerprint = Annotated[str, Field(pattern=r"^[0-9A-F]{40}$")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/.*)?$")]
Days = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone; write one like Europe/Paris") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Section(BaseModel):
    """A section of the file: it never changes, and a key that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

"""What is expected of data before a run, and what was found in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from wardbook.domain.output import Verdict

HOLDING = (
    *("values_unknown", "values_impossible", "values_ahead", "data_late"),
    *("place_silent", "place_new", "place_renamed", "place_paused", "place_incomplete"),
)
"""The findings with which a run goes on; all others, and many of the first two, refuse it."""


@dataclass(frozen=True)
class Finding:
    """What was found: its verdict, a message of topic `data` and what that needs."""

    verdict: Verdict
    code: str
    details: Mapping[str, str | int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Finding:
        """Read what `to_json` returned."""
        return cls(Verdict(raw["verdict"]), raw["code"], raw["details"])


@dataclass(frozen=True)
class Expected:
    """What is asked of the data's age: the moment, the oldest that they may be, the last day asked.

    `now` is local, without a zone, as the data are.
    """

    now: datetime
    oldest: timedelta | None = None
    last_day: date | None = None

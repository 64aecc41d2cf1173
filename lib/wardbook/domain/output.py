"""Outputs of a run, and the verdict on each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutputKind(StrEnum):
    """What an output is."""

    REPORT = "report"
    TABLE = "table"
    FIGURE = "figure"


class Sensitivity(StrEnum):
    """Who may ever see an output."""

    PUBLIC = "public"
    INTERNAL = "internal"
    SENSITIVE = "sensitive"


class Channel(StrEnum):
    """Where an output leaves."""

    SITE = "site"
    SHARE = "share"


class Verdict(StrEnum):
    """What a check says of an output."""

    PASS = "pass"  # noqa: S105  the verdict, not a password
    HOLD = "hold"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Output:
    """A file that a run produced, as the notebook recorded it.

    `file` is relative to the run's `outputs` folder; `rows` is 0 for figures.
    """

    name: str
    kind: OutputKind
    file: str
    sha256: str
    size: int
    title: str = ""
    caption: str = ""
    alternative: str = ""
    rows: int = 0


@dataclass(frozen=True)
class Check:
    """One verdict with its reason: a message code of topic `check`, or `topic.code`; its values."""

    output: str
    rule: str
    verdict: Verdict
    reason: str
    details: tuple[tuple[str, str], ...] = ()

    @property
    def message(self) -> str:
        """The reason as a message of the catalogue."""
        return self.reason if "." in self.reason else f"check.{self.reason}"

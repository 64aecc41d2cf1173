"""Outputs of a run, and the verdict on each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class OutputKind(StrEnum):
    """What an output is."""

    REPORT = "report"
    TABLE = "table"
    FIGURE = "figure"
    MODEL = "model"


class Sensitivity(StrEnum):
    """Who may ever see an output."""

    PUBLIC = "public"
    INTERNAL = "internal"
    SENSITIVE = "sensitive"


class Channel(StrEnum):
    """Where an output leaves; what is `inside` never does, it is there for the checks."""

    SITE = "site"
    SHARE = "share"
    GRAFANA = "grafana"
    TICKET = "ticket"
    INSIDE = "inside"


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
class PolicyReference:
    """Which disclosure policy was in force: its name, its version, the SHA-256 of its file."""

    name: str
    version: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} sha256:{self.digest}"


@dataclass(frozen=True)
class Check:
    """What one rule says of an output, and why.

    `reason` is a message code of topic `check`, or of another as `topic.code`; `details` are its
    values, never one of the data. `approvals` is how many people must agree where it is held.
    `policy` is None only for what was checked before policies were kept.
    """

    output: str
    rule: str
    verdict: Verdict
    reason: str
    details: tuple[tuple[str, str], ...] = ()
    policy: PolicyReference | None = None
    approvals: int = 1


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the strictest of some verdicts; a hold where there is none: nothing was checked."""
    found = set(verdicts)
    for verdict in (Verdict.REFUSE, Verdict.HOLD, Verdict.PASS):
        if verdict in found:
            return verdict
    return Verdict.HOLD


def verdicts_of(checks: Iterable[Check]) -> dict[str, Verdict]:
    """Return the strictest verdict on each output that was checked, in the order of the checks."""
    by_output: dict[str, list[Verdict]] = {}
    for check in checks:
        by_output.setdefault(check.output, []).append(check.verdict)
    return {output: worst_of(verdicts) for output, verdicts in by_output.items()}


def releasable(checks: Iterable[Check]) -> tuple[str, ...]:
    """Return the outputs that may leave: judged, and not refused."""
    found = verdicts_of(checks).items()
    return tuple(output for output, verdict in found if verdict is not Verdict.REFUSE)

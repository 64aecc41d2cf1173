"""A dashboard with its queries: what Grafana's files and the preview on the site are made from.

Board                one per template that declares a dashboard, and one of the unit itself
  └─ Variable        what a reader may choose, with the query of the choices
  └─ Panel           a query, how its answer is drawn, and the thresholds in it
       └─ Alert      a query whose rows are what lies beyond a threshold
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wardbook.dashboards.spec import Kind, Severity, Unit
from wardbook.messages import Language

LONGEST_UID = 40
TIME, SERIES = "time", "metric"
"""Columns of a series' query: the moment, and the name of the line where there are several."""


@dataclass(frozen=True)
class Alert:
    """A call: `query` gives a row for each series with the values to compare, in `value`.

    It is beyond its threshold in `periods` of them, one after the other.
    """

    query: str
    message: str
    within_days: int
    periods: int


@dataclass(frozen=True)
class Threshold:
    """A value beyond which a panel says so; `above` it, or below."""

    value: float
    above: bool
    severity: Severity
    alert: Alert | None = None


@dataclass(frozen=True)
class Panel:
    """One panel of one table.

    `query` gives `time`, `metric` where there are several lines, and values, in the order of time;
    where `latest`, it gives rows of the latest period alone, each with the columns of `labels`.
    `labels` says what a column is called.
    """

    name: str
    title: str
    kind: Kind
    table: str
    query: str
    labels: Mapping[str, str]
    latest: bool = False
    help: str = ""
    unit: Unit = "number"
    decimals: int | None = None
    wide: bool = False
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True)
class Variable:
    """What a reader chooses from: one, or several. `query` gives `__value` and `__text`."""

    name: str
    label: str
    query: str
    many: bool


@dataclass(frozen=True)
class Board:
    """One dashboard, in one language."""

    name: str
    title: str
    help: str
    language: Language
    span_days: int
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()

    @property
    def uid(self) -> str:
        """Its identity in Grafana, the same for ever."""
        return stable_uid(self.name)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it reads."""
        return tuple(dict.fromkeys(panel.table for panel in self.panels))

    def alerts(self) -> Iterator[tuple[Panel, Threshold, Alert, str]]:
        """Yield each panel's alerts, with an identity that other panels do not move."""
        for panel in self.panels:
            for threshold in panel.thresholds:
                if threshold.alert is not None:
                    way = "above" if threshold.above else "below"
                    uid = stable_uid(f"{self.name}.{panel.name}.{way}.{threshold.value:g}")
                    yield panel, threshold, threshold.alert, uid


def stable_uid(name: str) -> str:
    """Return an identity that Grafana takes: the name itself where it can be, else a digest."""
    uid = f"wardbook-{name}"
    if len(uid) <= LONGEST_UID and "." not in name:
        return uid
    return f"wardbook-{hashlib.sha256(name.encode()).hexdigest()[:24]}"

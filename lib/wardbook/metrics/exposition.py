"""The unit's metrics in Prometheus' words, for `/metrics`.

Labels are codes of ours and nothing else, so that there are few of them and none is a word that a
person wrote: states, steps, causes of refusals, outcomes of runs, kinds of effects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from wardbook.domain.states import State

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Step:
    """How often a step ended, and how many seconds all of them took together."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Runs:
    """How many runs had one outcome, and what they used together."""

    count: float
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Telling:
    """What is told at one moment.

    Args:
        requests: how many stand in each state.
        steps: by name, as in `unit_lead_times`.
        refusals: how many, by step and cause.
        runs: by outcome.
        waiting: how many effects on the outside are not confirmed, by kind.
        failing: how many of those failed at their last try.
        last_pass: when the last pass of `wardbook serve` ended, and how many faults it had.
    """

    requests: Mapping[State, int] = field(default_factory=dict)
    steps: Mapping[str, Step] = field(default_factory=dict)
    refusals: Mapping[tuple[str, str], float] = field(default_factory=dict)
    runs: Mapping[str, Runs] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    failing: Mapping[str, int] = field(default_factory=dict)
    last_pass: tuple[datetime, int] | None = None


def expose(told: Telling) -> bytes:
    """Return the text that Prometheus reads, in its exposition format."""
    registry = CollectorRegistry()
    registry.register(_Told(told))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, told: Telling) -> None:
        self._told = told

    def collect(self) -> Iterable[Metric]:
        """Return every metric (Prometheus' way of asking)."""
        return list(_families(self._told))


def _families(told: Telling) -> Iterator[Metric]:
    requests = GaugeMetricFamily("wardbook_requests", "Requests by state.", labels=["state"])
    for state in State:  # those in which none stands as well: a series must not vanish
        requests.add_metric([state], told.requests.get(state, 0))
    yield requests
    steps = SummaryMetricFamily(
        "wardbook_step_seconds",
        "Time that requests were in a state which they left; whole: until their answer.",
        labels=["step"],
    )
    for name, step in sorted(told.steps.items()):
        steps.add_metric([name], count_value=step.count, sum_value=step.seconds)
    yield steps
    refusals = CounterMetricFamily(
        "wardbook_refusals", "Refusals, one for each cause.", labels=["step", "cause"]
    )
    for (name, cause), count in sorted(told.refusals.items()):
        refusals.add_metric([name, cause], count)
    yield refusals
    yield from _run_families(told.runs)
    for name, words, counts in (
        ("waiting", "Effects on Jira, GitLab and channels not confirmed yet.", told.waiting),
        ("failing", "Effects whose last try failed.", told.failing),
    ):
        effects = GaugeMetricFamily(f"wardbook_effects_{name}", words, labels=["kind"])
        for kind, count in sorted(counts.items()):
            effects.add_metric([kind], count)
        yield effects
    if told.last_pass is not None:
        at, faults = told.last_pass
        yield GaugeMetricFamily(
            "wardbook_pass_timestamp_seconds", "When the last pass ended.", at.timestamp()
        )
        yield GaugeMetricFamily("wardbook_pass_faults", "Faults of the last pass.", faults)


def _run_families(runs: Mapping[str, Runs]) -> Iterator[Metric]:
    count = CounterMetricFamily("wardbook_runs", "Runs that ended.", labels=["outcome"])
    seconds = CounterMetricFamily("wardbook_run_seconds", "Wall time of runs.", labels=["outcome"])
    cpu = CounterMetricFamily(
        "wardbook_run_cpu_seconds", "Processor time of runs.", labels=["outcome"]
    )
    for outcome, one in sorted(runs.items()):
        count.add_metric([outcome], one.count)
        seconds.add_metric([outcome], one.seconds)
        cpu.add_metric([outcome], one.cpu_seconds)
    yield from (count, seconds, cpu)

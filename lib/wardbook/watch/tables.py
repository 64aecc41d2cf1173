"""The tables of the report on a metric, of all its groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd

from wardbook.watch.charts import CHARTS
from wardbook.watch.signals import Change, Watched, find_change, list_alerts

RECENT = 30
MOST_PANELS = 6


def join_points(watched: Mapping[str, Watched]) -> pd.DataFrame:
    """Return the points of all groups."""
    return pd.concat([one.points for one in watched.values()], ignore_index=True)


def join_alerts(watched: Mapping[str, Watched]) -> pd.DataFrame:
    """Return the alerts of all groups, the latest first."""
    every = pd.concat([list_alerts(one) for one in watched.values()], ignore_index=True)
    order = every.sort_values(["date", "group", "chart"], ascending=[False, True, True])
    return order.reset_index(drop=True)


def join_changes(watched: Mapping[str, Watched]) -> pd.DataFrame:
    """Return the lasting changes that were found, the latest first; as `Change`, rounded."""
    found = [change for one in watched.values() if (change := find_change(one))]
    table = pd.DataFrame([asdict(change) for change in found], columns=list(Change.__annotations__))
    sizes = ["size", "size_low", "size_high"]
    table[sizes] = table[sizes].astype(float).round(3)
    return table.sort_values(["began", "group"], ascending=[False, True], ignore_index=True)


def summarise(points: pd.DataFrame, alerts: pd.DataFrame) -> pd.DataFrame:
    """Return for each chart its alerts, the groups that have one, and the alerts of 30 days."""
    since = points["date"].max() - pd.Timedelta(days=RECENT)
    rows = [
        {
            "chart": chart,
            "alerts": len(one),
            "groups": one["group"].nunique(),
            "recent": int((one["date"] > since).sum()),
        }
        for chart in CHARTS
        for one in [alerts[alerts["chart"] == chart]]
    ]
    return pd.DataFrame(rows)


def choose_groups(points: pd.DataFrame, alerts: pd.DataFrame) -> list[str]:
    """Return the groups with most alerts, in their order; all where they are few."""
    groups = list(points["group"].unique())
    counts = alerts["group"].value_counts()
    chosen = sorted(groups, key=lambda group: (-int(counts.get(group, 0)), group))[:MOST_PANELS]
    return [group for group in groups if group in chosen]


def choose_largest(watched: Mapping[str, Watched]) -> Watched:
    """Return the group with the largest expected value."""
    return max(watched.values(), key=lambda one: float(one.expected.mean.mean()))


def join_run_lengths(still: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """Return the run lengths without (`none`) and with a change (`shift`)."""
    parts = []
    for change, part in (("none", still), ("shift", moved)):
        named = part.copy()
        named.insert(1, "change", change)
        parts.append(named)
    return pd.concat(parts, ignore_index=True)


def list_metric(points: pd.DataFrame) -> pd.DataFrame:
    """Return date, group, value, expected, low, high, and how many charts call."""
    calls = sum((points[f"{name}_call"] != 0).astype(int) for name in CHARTS)
    return points[["date", "group", "value", "expected", "low", "high"]].assign(alarms=calls)

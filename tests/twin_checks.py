"""Whether a twin betrays its source: what an attacker who has both would look for.

Every check is fed with twins that betray, too: see tests/integration/test_twins.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from wardbook.datasets import Kind
from wardbook.disclosure import Policy
from wardbook.disclosure.policy import publish_count
from wardbook.twin.drawing import draw_twin
from wardbook.twin.gathering import gather_marginals
from wardbook.twin.loading import load_source, open_working
from wardbook.twin.marginals import Marginals
from wardbook.twin.roles import Category, Identifier, Invented, Plan

MADE = date(2026, 3, 2)


def tell(plan: Plan, frame: pd.DataFrame, policy: Policy, folder: Path) -> Marginals:
    """Return all that leaves a source which holds these rows; `folder` is a new one."""
    folder.mkdir()
    file = folder / "source.csv"
    frame.to_csv(file, sep=plan.dataset.delimiter, index=False)
    connection = open_working(folder)
    try:
        load_source(connection, plan, file)
        return gather_marginals(
            connection, plan, policy, source="s", made=MADE, source_date="2026-03-01"
        )
    finally:
        connection.close()


def draw(plan: Plan, marginals: Marginals, seed: int = 1) -> pd.DataFrame:
    """Return the rows of a twin."""
    parts = list(draw_twin(plan, marginals, marginals.rows, seed))
    return pd.concat(parts, ignore_index=True)


def find_leaks(
    plan: Plan, source: pd.DataFrame, twin: pd.DataFrame, policy: Policy
) -> Iterator[str]:
    """Yield what of a source's persons stands in a twin; both are typed as the dataset."""
    for column in plan.dataset.columns:
        role, theirs, ours = plan.roles[column.name], source[column.name], twin[column.name]
        if isinstance(role, Identifier | Invented):
            if set(theirs.dropna().astype(str)) & set(ours.dropna().astype(str)):
                yield f"{column.name}: a name or an identifier of the source"
        elif isinstance(role, Category):
            persons = source.groupby(column.name)[plan.person].nunique()
            enough = {code for code, n in persons.items() if n >= policy.minimum_count}
            if set(ours.dropna()) - enough:
                yield f"{column.name}: a code of too few persons"
        elif column.kind is not Kind.FLAG:
            yield from _find_ends(plan, column.name, source, ours, policy)
    copied, by_chance = count_copies(plan, source, twin)
    if copied > 1.5 * by_chance + 30:
        yield f"{copied} rows that one person has, {by_chance} by chance"


def _find_ends(
    plan: Plan, name: str, source: pd.DataFrame, ours: pd.Series[Any], policy: Policy
) -> Iterator[str]:
    """Yield ends of a column that stand in the twin, where they are far from all other persons'."""
    known = source[[plan.person, name]].dropna()
    by_person = known.groupby(plan.person)[name]
    for end, ascending in ((by_person.max(), False), (by_person.min(), True)):
        ordered = end.sort_values(ascending=ascending)
        if len(ordered) <= 2 * policy.minimum_count:
            continue
        extreme, within = ordered.iloc[0], ordered.iloc[policy.minimum_count]
        if extreme != within and (ours == extreme).any():
            spread = by_person.max().quantile(0.75) - by_person.min().quantile(0.25)
            if abs(extreme - within) > spread:
                yield f"{name}: an end that is one person's"


def count_copies(plan: Plan, source: pd.DataFrame, twin: pd.DataFrame) -> tuple[int, int]:
    """Return how many rows of a twin, identifiers apart, are a row that one person alone has.

    The second number is how many are by chance: the most when all times are some weeks off.
    """
    names = [n for n, role in plan.roles.items() if not isinstance(role, Identifier | Invented)]
    times = [n for n in names if plan.dataset.column(n).kind in (Kind.DAY, Kind.MOMENT)]
    if not times or len(names) == 1:
        return 0, 0
    by_row = source.groupby(names, dropna=False)[plan.person].nunique()
    own = by_row[by_row == 1].index

    def count(weeks: int) -> int:
        moved = {name: twin[name] + pd.Timedelta(weeks=weeks) for name in times}
        return int(pd.MultiIndex.from_frame(twin.assign(**moved)[names]).isin(own).sum())

    return count(0), max(map(count, (-3, -2, -1, 1, 2, 3)))


def find_exact(told: str, policy: Policy) -> Iterator[str]:
    """Yield counts of a `.twin.json` that no rounded table would show."""
    least = policy.redact_up_to + 1
    fewest = publish_count(least, policy) or least
    for where, number in counts_of(json.loads(told)).items():
        if number % policy.rounding_base or number < fewest:
            yield f"{where}: {number}"


def counts_of(told: Mapping[str, Any]) -> dict[str, int]:
    """Return every count that is told, by where it stands."""
    counts = {name: int(told[name]) for name in ("rows", "persons")}
    for level, bins in told["levels"].items():
        counts |= {f"{level} of {low} to {high}": n for low, high, n in bins}
    for name, column in told["columns"].items():
        for part in ("groups", "present"):
            for of, cells in column.get(part, ()):
                counts |= {f"{name} {part} {of} {code}": n for code, n in cells}
        for part in ("weekdays", "hours"):
            counts |= {f"{name} {part} {code}": n for code, n in column.get(part, ())}
        for part in ("classes", "gaps"):
            counts |= {f"{name} {part} {one['of']}": one["rows"] for one in column.get(part, ())}
    return counts


def means_of(told: Mapping[str, Any]) -> dict[str, tuple[int, tuple[float, ...]]]:
    """Return rows and means of every group of numbers, by where they stand."""
    return {
        f"{name} {part} {one['of']}": (one["rows"], tuple(one["means"]))
        for name, column in told["columns"].items()
        for part in ("classes", "gaps")
        for one in column.get(part, ())
    }


def find_moved(before: str, after: str, policy: Policy) -> Iterator[str]:
    """Yield the counts of two twins' marginals between which more lies than one rounding step.

    A cell that appears or goes has no more rows than as many persons as may just be told can have.
    Columns are left out that are told by other groups, and those that are told by such columns.
    """
    one, other = json.loads(before), json.loads(after)
    for column, told in list(one["columns"].items()):
        given, now = told.get("given", []), other["columns"][column].get("given", [])
        if given != now or any(name not in one["columns"] for name in given):
            del one["columns"][column], other["columns"][column]
    first, second = counts_of(one), counts_of(other)
    fewest = publish_count(policy.redact_up_to + 1, policy) or 0
    for where in sorted((first.keys() | second.keys()) - {"rows"}):  # estimated from the others
        if where not in first or where not in second:
            if max(first.get(where, 0), second.get(where, 0)) > fewest * policy.rounding_base:
                yield f"{where}: {first.get(where)} or {second.get(where)}"
        elif abs(first[where] - second[where]) > policy.rounding_base:
            yield f"{where}: {first[where]}, then {second[where]}"

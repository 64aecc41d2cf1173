"""Sequences sorted out: what can be counted, under which name, and what is odd in an export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from wardbook.activity.movements import name_weeks
from wardbook.datasets.sorting import check_period
from wardbook.errors import DataProblem
from wardbook.lineages.names import FORM, NONE, OTHER, UNASSIGNED, Aliases, parent_of

FIRST_DAY = pd.Timestamp(2019, 12, 1)
"""Nobody had the disease before."""
LATE_QUANTILE = 0.95
LEAST_NEW = 3
"""Sequences of a new lineage before a report names it: one alone may be an error."""


@dataclass(frozen=True)
class Named:
    """The sequences with a lineage, and what is odd.

    rows: patient, sampled (day), reported (day or NaT), full (the lineage unfolded), in order of
        `sampled`. A patient with several sequences of one lineage has the first.
    odd: how many sequences were left out or renamed, by reason: `dates` (sampled after it was
        reported, after the present day, or before the disease was known), `form` (no name of a
        lineage), `unassigned`, `repeated`, `withdrawn` (counted with the parent).
    unknown: names whose letters the key of aliases does not have: newer than the key, perhaps.
    withdrawn: withdrawn names that were met.
    """

    rows: pd.DataFrame
    odd: Mapping[str, int]
    unknown: Sequence[str]
    withdrawn: Sequence[str]


def name_lineages(
    sequences: pd.DataFrame,
    today: date,
    aliases: Aliases,
    withdrawn: Collection[str] = (),
) -> Named:
    """Give each sequence of the dataset `sequences` one name for its lineage.

    With a key of aliases all spellings of a lineage become one; without, names stay as they are.
    """
    wrong = (sequences["sampled"] < FIRST_DAY) | (sequences["sampled"] > pd.Timestamp(today))
    wrong |= sequences["reported"] < sequences["sampled"]
    texts = sequences["lineage"].fillna("").astype(str)
    unassigned = ~wrong & texts.isin(UNASSIGNED)
    shaped = texts.map(lambda name: name == NONE or FORM.fullmatch(name) is not None)
    rows = sequences[~wrong & ~unassigned & shaped].copy()
    names = rows["lineage"].astype(str)
    gone = {aliases.unfold(name) for name in withdrawn}
    full = names.map({name: aliases.unfold(name) for name in names.unique()})
    settled = full.map({name: _leave_withdrawn(name, gone) for name in full.unique()})
    moved = settled != full
    rows = rows.assign(full=settled).sort_values(["sampled", "sequence"], kind="stable")
    once = ~rows.duplicated(["patient", "full"])
    odd = {
        "dates": wrong.sum(),
        "unassigned": unassigned.sum(),
        "form": (~wrong & ~unassigned & ~shaped).sum(),
        "withdrawn": moved.sum(),
        "repeated": (~once).sum(),
    }
    has_key = bool(aliases.roots)
    return Named(
        rows.loc[once, ["patient", "sampled", "reported", "full"]].reset_index(drop=True),
        {reason: int(count) for reason, count in odd.items() if count},
        sorted({name for name in names if has_key and not aliases.knows(name)}),
        sorted(set(names[moved])),
    )


def choose_period(rows: pd.DataFrame, start: date, end: date, *, file: str) -> pd.DataFrame:
    """Return the rows sampled from `start` to `end` with their ISO week as a column `week`.

    Raises:
        DataProblem: the period is reversed or longer than a year, or nothing was sampled in it.
    """
    check_period(start, end)
    inside = rows["sampled"].between(pd.Timestamp(start), pd.Timestamp(end))
    if not inside.any():
        raise DataProblem("period_without_data", file=file, start=str(start), end=str(end))
    chosen = rows[inside].reset_index(drop=True)
    return chosen.assign(week=name_weeks(chosen["sampled"]))


def group_lineages(
    full: pd.Series[str],
    aliases: Aliases,
    *,
    least: int,
    wanted: Sequence[str] | None = None,
    apart: Collection[str] = (),
) -> pd.Series[str]:
    """Return the group of each sequence, by its short name.

    With `wanted`, the nearest of these that it is or descends from, else OTHER. Without, each
    lineage with at least `least` sequences is a group; smaller ones are counted with their parent,
    the deepest first, and with OTHER where a root is too small. Those of `apart` (unfolded, see
    `keep_apart`) are groups however small.
    """
    if wanted:
        targets = {aliases.unfold(name): name for name in wanted}
        groups = {name: _find_nearest(name, targets) for name in full.unique()}
        return full.map(groups)
    groups = _join_small(Counter(full), least, apart)
    return full.map({name: aliases.fold(group) for name, group in groups.items()})


def keep_weeks(rows: pd.DataFrame, weeks: Sequence[str]) -> pd.DataFrame:
    """Return the rows sampled in the ISO weeks, with a column `week`; perhaps none."""
    named = rows.assign(week=name_weeks(rows["sampled"]))
    return named[named["week"].isin(list(weeks))].reset_index(drop=True)


def check_names(wanted: Sequence[str] | None, reference: str | None, *, file: str) -> None:
    """Refuse names of lineages asked for that have not the form of one.

    Raises:
        DataProblem: names the text asked for, which a requester wrote.
    """
    for name in (*(wanted or ()), *([reference] if reference else ())):
        if name != NONE and not FORM.fullmatch(name):
            raise DataProblem("lineage_form", file=file, lineage=name)


def weeks_before(end: date, weeks: int) -> date:
    """Return the first of the days of so many weeks that end with `end`."""
    return end - timedelta(days=7 * weeks - 1)


def find_empty_weeks(chosen: pd.DataFrame, start: date, end: date) -> list[str]:
    """Return the ISO weeks from `start` to `end` in which nothing was sampled."""
    return sorted(set(list_weeks(start, end)) - set(chosen["week"]))


def list_weeks(start: date, end: date) -> list[str]:
    """Return the ISO weeks with a day from `start` to `end`."""
    return sorted(set(name_weeks(pd.Series(pd.date_range(start, end, freq="D")))))


def find_incomplete_weeks(rows: pd.DataFrame, start: date, end: date) -> list[str]:
    """Return the ISO weeks of which sequences are still to be reported.

    Nineteen in twenty sequences are reported within a delay, taken from those sampled at least 90
    days before the last report; a week is incomplete when its last day plus the delay lies after
    the last report. Empty where days of reports are not told.
    """
    told = rows[rows["reported"].notna()]
    if told.empty:
        return []
    newest = told["reported"].max()
    ripe = told[told["sampled"] <= newest - pd.Timedelta(days=90)]
    delays = (ripe if len(ripe) else told)["reported"] - (ripe if len(ripe) else told)["sampled"]
    edge = newest - delays.quantile(LATE_QUANTILE)
    days = pd.Series(pd.date_range(start, end, freq="D"))
    return sorted(set(name_weeks(days[days > edge])))


@dataclass(frozen=True)
class Newcomer:
    """A lineage that appears for the first time: its names, first day, and number of sequences."""

    name: str
    full: str
    first: date
    sequences: int

    @property
    def week(self) -> str:
        """The ISO week of the first day."""
        return f"{self.first:%G-W%V}"


def find_new(rows: pd.DataFrame, aliases: Aliases, since: date, end: date) -> list[Newcomer] | None:
    """Return the lineages first sampled from `since` to `end`, commonest first.

    A new lineage and its descendants are one: the oldest of them that was sampled gives the name.
    None where nothing in `rows` is older than `since`: everything would be new.
    """
    until = rows[rows["sampled"] <= pd.Timestamp(end)]
    is_recent = until["sampled"] >= pd.Timestamp(since)
    known = {one for name in until.loc[~is_recent, "full"].unique() for one in _list_line(name)}
    if not known:
        return None
    fresh = until[is_recent & ~until["full"].isin(known)]
    names = set(fresh["full"])
    heads = {
        name: next(one for one in reversed(_list_line(name)) if one in names) for name in names
    }
    found = [
        Newcomer(aliases.fold(str(head)), str(head), part["sampled"].min().date(), len(part))
        for head, part in fresh.groupby(fresh["full"].map(heads))
    ]
    return sorted(found, key=lambda one: (-one.sequences, one.name))


def keep_apart(rows: pd.DataFrame, start: date, end: date) -> frozenset[str]:
    """Return, unfolded, what must not be counted with its ancestors: what is new in the period.

    A few sequences of a new lineage that are counted with an old one, which has all but gone, would
    make that seem to come back. New is what nobody had in the rows before the period, nor in the
    first eight weeks of all rows.
    """
    settled = rows["sampled"].min() + pd.Timedelta(weeks=8)
    found = find_new(rows, Aliases(), max(start, settled.date()), end)
    return frozenset(one.full for one in found or ())


def _leave_withdrawn(full: str, gone: Collection[str]) -> str:
    """Return the name itself, or of a withdrawn one the nearest ancestor that is not."""
    while full in gone and (parent := parent_of(full)) is not None:
        full = parent
    return full


def _list_line(full: str) -> list[str]:
    """Return a name and its ancestors, nearest first."""
    names, at = [full], parent_of(full)
    while at is not None:
        names.append(at)
        at = parent_of(at)
    return names


def _find_nearest(full: str, targets: Mapping[str, str]) -> str:
    return next((targets[one] for one in _list_line(full) if one in targets), OTHER)


def _join_small(counts: Counter[str], least: int, apart: Collection[str]) -> dict[str, str]:
    """Return the group of each name; see `group_lineages`."""
    members = {name: [name] for name in counts}
    sizes = dict(counts)
    # A parent that is reached is looked at after all that are deeper, so cousins meet in it.
    depth = max((name.count(".") for name in counts), default=0)
    for level in range(depth, -1, -1):
        small = [
            name
            for name, size in sizes.items()
            if size < least and name.count(".") == level and name != OTHER and name not in apart
        ]
        for name in small:
            up = parent_of(name) or OTHER
            members[up] = members.get(up, []) + members.pop(name)
            sizes[up] = sizes.get(up, 0) + sizes.pop(name)
    return {name: group for group, names in members.items() for name in names}

"""Tubes that can be counted, and what is odd in a source of them.

The index is free haemoglobin in mg/dL. g/L are turned into it. Everything else is refused: µmol/L
are of a monomer or of the tetramer, four times as much, and classes (0 to 4+) are no amounts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from wardbook.activity.clock import ZONE
from wardbook.activity.movements import name_weeks
from wardbook.datasets.sorting import keep_days
from wardbook.errors import DataProblem
from wardbook.haemolysis.design import FACTORS

MG_DL: Mapping[str, float] = {"mg/dL": 1.0, "g/L": 100.0}
"""How many mg/dL a unit is."""
LONGEST_HOURS = 24.0
"""A tube that comes later has a wrong date, or was not drawn for a haemolysis index."""
LONGEST_DAYS = 1100
GREATEST_CLASS, LEAST_TUBES = 4, 100
APART_DAYS = 28


@dataclass(frozen=True)
class Renamed:
    """A ward whose name changed: `later` is first met on the day `since`.

    `code` is the ward's, or "" where one code ends and another begins: then the two names are
    codes, and whether they are one ward is for a person to say.
    """

    code: str
    earlier: str
    later: str
    since: date


@dataclass(frozen=True)
class Sorted:
    """Tubes that are counted, how many were left out or changed by reason, and what else is odd.

    `given` is the number of tubes in the source.

    `rows` have the dataset's columns and hours (from draw to reception), date (of the draw), week
    (ISO 8601), index (mg/dL), haemolysed (0 or 1). `names` are the wards' latest by code.
    """

    rows: pd.DataFrame
    given: int
    odd: Mapping[str, int]
    renamed: tuple[Renamed, ...]
    names: Mapping[str, str]


def sort_out(tubes: pd.DataFrame, threshold: float, now: pd.Timestamp, *, file: str) -> Sorted:
    """Part the tubes that can be counted from those that cannot, and say what is odd.

    Left out, in this order: tubes of a number that came before (`repeated`), without the moment of
    their reception (`unreceived`), received before they were drawn (`reversed`), in the future
    (`future`), more than a day on their way (`late`), with a time that exists twice or never
    (`clock`), with a code that is not known (`type`, `device`, `site`, `transport`), with a
    negative index (`negative`), without index (`without_index`). Kept and counted: an index turned
    from g/L (`g_l`).

    Args:
        tubes: rows of the dataset blood-tubes.
        threshold: mg/dL; a tube whose index is above it is haemolysed.
        now: the present moment, in UTC.
        file: name of the source, for messages.

    Raises:
        DataProblem: an index has another unit or none; all look like classes; no tube is left.
    """
    _refuse_units(tubes, file)
    drawn, received = _localise(tubes["drawn"]), _localise(tubes["received"])
    hours = (received - drawn).dt.total_seconds() / 3600
    index = tubes["haemolysis_index"] * tubes["index_unit"].map(MG_DL)
    wrong = {
        "repeated": tubes["tube"].duplicated(),
        "unreceived": tubes["received"].isna(),
        "reversed": tubes["received"] < tubes["drawn"],
        "future": (drawn > now) | (received > now),
        "late": hours > LONGEST_HOURS,
        "clock": drawn.isna() | received.isna(),
        **{factor: ~tubes[factor].isin(codes) for factor, codes in FACTORS.items()},
        "negative": index < 0,
        "without_index": index.isna(),
    }
    odd, kept = {}, pd.Series(True, index=tubes.index)
    for reason, rows in wrong.items():
        odd[reason] = int((rows & kept).sum())
        kept &= ~rows
    if not kept.any():
        raise DataProblem("no_rows", file=file)
    odd["g_l"] = int((kept & (tubes["index_unit"] == "g/L")).sum())
    days = tubes["drawn"].dt.normalize()
    counted = tubes.assign(
        hours=hours,
        date=days,
        week=name_weeks(days),
        index=index,
        haemolysed=(index > threshold).astype(int),
    )[kept].reset_index(drop=True)
    renamed = (*_find_renamed(counted), *_find_successors(counted))
    told = {reason: count for reason, count in odd.items() if count}
    return Sorted(counted, len(tubes), told, renamed, _latest_names(counted))


def keep_period(
    tubes: pd.DataFrame, start: date, end: date, wards: Collection[str] | None, *, file: str
) -> pd.DataFrame:
    """Return the tubes drawn from `start` to `end` in the wards asked for; None is all.

    Raises:
        DataProblem: the period is reversed, too long or without tubes; a ward has none.
    """
    inside = keep_days(tubes, "date", start, end, file=file, longest=LONGEST_DAYS)
    there = set(inside["ward"])
    for ward in wards or ():
        if ward not in there:
            raise DataProblem("ward_unknown", file=file, ward=ward)
    chosen = inside if wards is None else inside[inside["ward"].isin(list(wards))]
    return chosen.reset_index(drop=True)


def _refuse_units(tubes: pd.DataFrame, file: str) -> None:
    measured = tubes["haemolysis_index"].notna()
    other = measured & ~tubes["index_unit"].isin(list(MG_DL))
    if other.any():
        column, expected = "index_unit", ", ".join(MG_DL)
        raise DataProblem(
            "unit_unknown", file=file, column=column, count=int(other.sum()), expected=expected
        )
    values = tubes.loc[measured, "haemolysis_index"].to_numpy()
    whole = np.all(values == np.floor(values)) and values.max(initial=0) <= GREATEST_CLASS
    if len(values) >= LEAST_TUBES and whole:
        raise DataProblem("index_classes", file=file, column="haemolysis_index")


def _localise(times: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    """Return local times as moments in UTC; NaT where the clock showed it twice, or never."""
    return times.dt.tz_localize(ZONE, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")


def _find_renamed(tubes: pd.DataFrame) -> list[Renamed]:
    named = tubes[tubes["ward_name"].notna()]
    first = named.groupby(["ward", "ward_name"])["date"].min().reset_index()
    first = first.sort_values(["ward", "date", "ward_name"], kind="stable")
    earlier = first.groupby("ward")["ward_name"].shift()
    changes = first.assign(earlier=earlier)[earlier.notna()]
    return [
        Renamed(str(ward), str(earlier), str(later), pd.Timestamp(day).date())
        for ward, earlier, later, day in changes[
            ["ward", "earlier", "ward_name", "date"]
        ].to_numpy()
    ]


def _find_successors(tubes: pd.DataFrame) -> list[Renamed]:
    """Return codes of which one ends as another begins, within four weeks, inside the series."""
    spans = tubes.groupby("ward")["date"].agg(["min", "max"])
    near = pd.Timedelta(days=APART_DAYS)
    ended = spans[spans["max"] < tubes["date"].max() - near]
    begun = spans[spans["min"] > tubes["date"].min() + near]
    found = []
    for earlier, one in ended.iterrows():
        gaps = begun["min"] - one["max"]
        follows = gaps[(gaps > pd.Timedelta(0)) & (gaps <= near)]
        if len(follows) == 1:
            later = str(follows.index[0])
            found.append(Renamed("", str(earlier), later, pd.Timestamp(begun["min"][later]).date()))
    return found


def _latest_names(tubes: pd.DataFrame) -> dict[str, str]:
    named = tubes[tubes["ward_name"].notna()].sort_values("drawn", kind="stable")
    return dict(named.drop_duplicates("ward", keep="last")[["ward", "ward_name"]].to_numpy())

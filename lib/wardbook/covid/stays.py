"""Patients in hospital with COVID-19: present, admitted, in critical care, who died.

A patient counts from the moment at which they are in hospital and their first positive sample of
the visit has been taken, until they leave: who is found positive in hospital is admitted on that
day. The census is at midnight at the end of the day. Moments are local; a census at midnight does
not depend on changes of the clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from wardbook.activity.movements import name_weeks
from wardbook.datasets.sorting import check_period
from wardbook.errors import DataProblem

CAUGHT_FROM = 8
"""The day of the stay, admission being day 1, from which a first positive sample is taken as caught
in hospital: probable or definite by ECDC's definitions of healthcare-associated COVID-19."""


@dataclass(frozen=True)
class Sorted:
    """The stays that count, and how many do not, by reason.

    rows: visit, patient, ward, since (in this ward and known to be positive), left (NaT while it
        lasts), admitted (of the visit: the first moment in hospital), positive, died (day or NaT).
    odd: `reversed` (ends before it begins), `future`, `death` (before the visit: not counted).
    last: the last day that the export reaches, if before the period's end that.
    """

    rows: pd.DataFrame
    odd: Mapping[str, int]
    last: date


def sort_out(stays: pd.DataFrame, today: date, start: date, end: date, *, file: str) -> Sorted:
    """Part the stays of the dataset `covid-stays` that can be counted from the others.

    Raises:
        DataProblem: the period is reversed or longer than a year, or the stays end before it.
    """
    check_period(start, end)
    closing = pd.Timestamp(today) + pd.Timedelta(days=1)
    wrong = stays["left"] < stays["entered"]
    future = ~wrong & (stays["entered"] >= closing)
    rows = stays[~(wrong | future)].copy()
    admitted = rows.groupby("visit")["entered"].transform("min")
    early = rows["died"] < admitted.dt.normalize()
    rows["died"] = rows["died"].mask(early)
    rows["left"] = rows["left"].mask(rows["left"] >= closing)
    rows = rows.assign(admitted=admitted, since=rows[["entered", "positive"]].max(axis=1))
    newest = pd.concat([rows["entered"], rows["left"], rows["positive"]]).max()
    if pd.isna(newest) or newest < pd.Timestamp(start):
        raise DataProblem("period_without_data", file=file, start=str(start), end=str(end))
    odd = {"reversed": wrong.sum(), "future": future.sum(), "death": early.sum()}
    known = ["visit", "patient", "ward", "since", "left", "admitted", "positive", "died"]
    after = rows["left"].isna() | (rows["left"] >= rows["since"])
    return Sorted(
        rows.loc[after, known].reset_index(drop=True),
        {reason: int(count) for reason, count in odd.items() if count},
        min(end, newest.date()),
    )


def list_present(rows: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return who is in which ward at each midnight: date, ward, patient, without repetitions."""
    moments = days + pd.Timedelta(days=1)
    first = moments.searchsorted(rows["since"], side="right")
    after = moments.searchsorted(
        rows["left"].fillna(moments[-1] + pd.Timedelta(days=1)), side="right"
    )
    times = np.maximum(after - first, 0)
    at = np.repeat(np.arange(len(rows)), times)
    offset = np.arange(len(at)) - np.repeat(np.cumsum(times) - times, times)
    present = pd.DataFrame(
        {
            "date": days[first[at] + offset],
            "ward": rows["ward"].astype(str).to_numpy()[at],
            "patient": rows["patient"].astype(str).to_numpy()[at],
        }
    )
    return present.drop_duplicates(ignore_index=True)


def count_present(present: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the patients present by day, all wards: date, patients; 0 where nobody is."""
    counts = present.groupby("date")["patient"].nunique().reindex(days, fill_value=0)
    return counts.rename("patients").rename_axis("date").reset_index()


def hide_few(present: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the days for a picture: those with 1 to `least` - 1 patients have none."""
    few = present["patients"].between(1, least - 1)
    return present.assign(patients=present["patients"].mask(few))


def count_wards(rows: pd.DataFrame, wards: Collection[str], weeks: list[str]) -> pd.DataFrame:
    """Return the different patients of each ISO week and ward: week, ward, patients, zeros too.

    Who was there with a positive test at any moment of the week counts, not only at midnight.
    """
    there = _list_weeks(rows, weeks)
    places = pd.MultiIndex.from_product([weeks, sorted(wards)], names=["week", "ward"])
    counts = there.groupby(["week", "ward"])["patient"].nunique()
    return counts.reindex(places, fill_value=0).rename("patients").reset_index()


def count_critical(rows: pd.DataFrame, critical: Collection[str], weeks: list[str]) -> pd.DataFrame:
    """Return the different patients in critical care in each ISO week: week, patients."""
    there = _list_weeks(rows[rows["ward"].isin(list(critical))], weeks)
    counts = there.groupby("week")["patient"].nunique().reindex(weeks, fill_value=0)
    return counts.rename("patients").rename_axis("week").reset_index()


def list_admissions(rows: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Return one row per visit that became one with COVID-19 from `first` to `last`.

    Columns: date (of admission, or of the positive sample if later), week, patient, caught (1 where
    the first positive sample is of the eighth day in hospital or later, else 0).
    """
    visits = rows.sort_values("since", kind="stable").drop_duplicates("visit")
    since = visits["since"].dt.normalize()
    stayed = visits["positive"].dt.normalize() - visits["admitted"].dt.normalize()
    caught = (stayed.dt.days + 1 >= CAUGHT_FROM).astype(int)
    frame = pd.DataFrame(
        {"date": since, "week": name_weeks(since), "patient": visits["patient"].astype(str)}
    ).assign(caught=caught)
    inside = since.between(pd.Timestamp(first), pd.Timestamp(last))
    admissions: pd.DataFrame = frame[inside].sort_values(["date", "patient"], ignore_index=True)
    return admissions


def count_admissions(admissions: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the different patients admitted by day: date, admissions; zeros too."""
    counts = admissions.groupby("date")["patient"].nunique().reindex(days, fill_value=0)
    return counts.rename("admissions").rename_axis("date").reset_index()


def count_caught(admissions: pd.DataFrame, weeks: list[str]) -> pd.DataFrame:
    """Return by ISO week how many caught it where: week, origin (community, hospital), patients."""
    origin = np.where(admissions["caught"] == 1, "hospital", "community")
    counts = admissions.assign(origin=origin).groupby(["week", "origin"])["patient"].nunique()
    places = pd.MultiIndex.from_product(
        [weeks, ["community", "hospital"]], names=["week", "origin"]
    )
    return counts.reindex(places, fill_value=0).rename("patients").reset_index()


def count_deaths(rows: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Return the patients who died in a visit with COVID-19, by month: month, deaths; zeros too.

    Only months that lie whole between `first` and `last`.
    """
    died = rows.dropna(subset="died").drop_duplicates("patient")["died"]
    days = pd.Series(pd.date_range(first, last, freq="D"))
    sizes = days.dt.strftime("%Y-%m").value_counts(sort=False)
    lengths = days.groupby(days.dt.strftime("%Y-%m")).first().dt.days_in_month
    full = sorted(sizes.index[sizes == lengths.reindex(sizes.index)])
    counts = died.dt.strftime("%Y-%m").value_counts().reindex(full, fill_value=0)
    table: pd.DataFrame = counts.rename("deaths").rename_axis("month").to_frame().reset_index()
    return table


def _list_weeks(rows: pd.DataFrame, weeks: list[str]) -> pd.DataFrame:
    """Return week, ward, patient for each week in which a patient was in a ward, once or more."""
    parts = []
    for week in weeks:
        monday = pd.Timestamp(date.fromisocalendar(int(week[:4]), int(week[6:]), 1))
        begins = rows["since"] < monday + pd.Timedelta(days=7)
        there = rows[begins & ~(rows["left"] < monday)]
        parts.append(there[["ward", "patient"]].astype(str).assign(week=week))
    empty = pd.DataFrame({"ward": [], "patient": [], "week": []}, dtype=object)
    return pd.concat(parts or [empty], ignore_index=True)

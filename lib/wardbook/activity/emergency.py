"""Visits to the emergency department: reading an export of visits, or the public daily sheets.

An export has one line per visit. Triage is a level from 1 (most urgent) to 5; the outcome is the
way out as the French summary of an emergency visit (résumé de passage aux urgences) codes it:
6 moved to a ward of the hospital, 7 moved to another hospital, 8 home, 9 died.

Santé publique France publishes the visits by day, place and class of age (network OSCOUR): one
sheet by department, one for the country. Class 0 is all ages; the classes are parts of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from wardbook.activity.clock import local_days, parse_moments
from wardbook.activity.stays import TEXT
from wardbook.datasets.sorting import Sorted
from wardbook.delimited import (
    Records,
    parse_choices,
    parse_dates,
    read_records,
    refuse_duplicates,
    refuse_values,
)
from wardbook.errors import DataProblem

VISITS = ("visit", "patient", "arrival", "departure", "triage", "outcome")
TRIAGE = ("1", "2", "3", "4", "5")
ADMITTED = ("6", "7")
OUTCOMES = (*ADMITTED, "8", "9")
_FIGURES = (
    *("nbre_pass_corona", "nbre_pass_tot", "nbre_hospit_corona", "nbre_pass_corona_h"),
    *("nbre_pass_corona_f", "nbre_pass_tot_h", "nbre_pass_tot_f", "nbre_hospit_corona_h"),
    *("nbre_hospit_corona_f", "nbre_acte_corona", "nbre_acte_tot", "nbre_acte_corona_h"),
    *("nbre_acte_corona_f", "nbre_acte_tot_h", "nbre_acte_tot_f"),
)
SHEETS = tuple(
    (place, "date_de_passage", "sursaud_cl_age_corona", *_FIGURES) for place in ("dep", "fra")
)
READ = {
    "arrivals": "nbre_pass_tot",
    "corona": "nbre_pass_corona",
    "corona_admitted": "nbre_hospit_corona",
}
AGES = ("0", "A", "B", "C", "D", "E")
ALL_AGES = "0"
FIGURE = re.compile(r"[0-9]{0,9}")
FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True)
class Emergency:
    """What a file tells of visits.

    `daily` has date and arrivals, one row for each day of the file; `visits` one row per visit, or
    None where the file is a daily sheet. `unreported` are the days of places in such a sheet that
    have no number.
    """

    daily: pd.DataFrame
    visits: Sorted | None
    unreported: int = 0


def read_emergency(path: Path, now: pd.Timestamp) -> Emergency:
    """Read an export of visits or a daily sheet, whichever it is by its header.

    Raises:
        DataProblem: the file is not what either format promises.
    """
    records = read_records(path, [VISITS, *SHEETS], delimiter=";")
    if "visit" not in records.frame.columns:
        sheet = _parse_sheet(records)
        daily = sheet.groupby("date")["arrivals"].sum(min_count=1)
        return Emergency(_count_by_day(daily), None, int(sheet["arrivals"].isna().sum()))
    visits = _sort_out(_parse_visits(records), now)
    arrivals = visits.rows.groupby("date").size()
    if len(arrivals):  # also the days on which nobody came
        days = pd.date_range(arrivals.index.min(), arrivals.index.max(), freq="D")
        arrivals = arrivals.reindex(days, fill_value=0)
    return Emergency(_count_by_day(arrivals), visits)


def _count_by_day(arrivals: pd.Series[int]) -> pd.DataFrame:
    return pd.DataFrame({"date": arrivals.index, "arrivals": arrivals.astype("Int64").array})


def read_sheet(path: Path) -> pd.DataFrame:
    """Read a daily sheet of Santé publique France: one row per place and day, of all ages.

    Columns: place, date, arrivals, corona (visits for a suspicion of COVID-19), corona_admitted
    (of these, in hospital after it); missing where nothing was reported. Adding the classes of age
    to class 0 would count every visit twice.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    return _parse_sheet(read_records(path, SHEETS, delimiter=";"))


def _parse_sheet(records: Records) -> pd.DataFrame:
    place, day, age = records.frame.columns[:3]
    refuse_values(records, place, lambda v: not TEXT.fullmatch(v), "text_form")
    ages = parse_choices(records, age, AGES, "choice_unknown", expected=", ".join(AGES))
    refuse_duplicates(records, (place, day, age))
    columns = {
        "place": records.frame[place].astype(str),
        "date": parse_dates(records, day, first=FIRST_DAY, last=LAST_DAY),
    }
    for name, column in READ.items():
        refuse_values(records, column, lambda v: not FIGURE.fullmatch(v), "number_invalid")
        columns[name] = pd.to_numeric(records.frame[column].astype(str)).astype("Int64")
    if ALL_AGES not in ages.array:
        raise DataProblem("total_missing", file=records.file, column=age)
    return pd.DataFrame(columns)[(ages == ALL_AGES).to_numpy()].reset_index(drop=True)


def _parse_visits(records: Records) -> pd.DataFrame:
    for column in ("visit", "patient"):
        refuse_values(records, column, lambda v: not TEXT.fullmatch(v), "text_form")
    refuse_duplicates(records, ("visit",))
    arrival = parse_moments(records, "arrival")
    departure = parse_moments(records, "departure", optional=True)
    triage = _parse_optional(records, "triage", TRIAGE)
    outcome = _parse_optional(records, "outcome", OUTCOMES)
    visits = pd.DataFrame(
        {
            "patient": records.frame["patient"].astype(str),
            "arrival": arrival.earliest,
            "departure": departure.after(arrival.earliest),
            "triage": triage,
            "outcome": outcome,
            "doubtful": arrival.doubtful | departure.doubtful,
        }
    )
    return visits.reset_index(drop=True)


def _parse_optional(records: Records, column: str, choices: Sequence[str]) -> pd.Series[str]:
    expected = ", ".join(choices)
    parse_choices(records, column, ("", *choices), "choice_unknown", expected=expected)
    return records.frame[column].astype(str)


def _sort_out(visits: pd.DataFrame, now: pd.Timestamp) -> Sorted:
    wrong = visits["departure"] < visits["arrival"]
    future = ~wrong & (visits[["arrival", "departure"]].max(axis="columns") > now)
    rows = visits[~(wrong | future)].reset_index(drop=True)
    rows = rows.assign(date=local_days(rows["arrival"]))
    odd = {
        "reversed": wrong.sum(),
        "future": future.sum(),
        "open": rows["departure"].isna().sum(),
        "clock": rows["doubtful"].sum(),
    }
    return Sorted(rows, {reason: int(count) for reason, count in odd.items() if count})

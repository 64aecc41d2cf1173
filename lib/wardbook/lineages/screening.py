"""Santé publique France's screening of positive tests for mutations, by department.

One row per department and window of seven days, written as a range (2021-05-31-2021-06-06). The
windows slide by a day: neighbours share six days, and adding all of them counts everybody seven
times. They are no calendar weeks; only those that begin on a Monday are ISO weeks.

`nb_pos` are positive tests, `nb_crib` those screened; of each mutation `nb_X0` had not, `nb_X1`
had it: A is E484K, B is E484Q, C is L452R. Rates are in percent with two decimals,
`tx_X1 = 100 nb_X1 / (nb_X0 + nb_X1)` and `tx_crib = 100 nb_crib / nb_pos`, 0 where nobody is below.
Where more tests were screened than were positive (late corrections), `tx_crib` is 99 and no share.
A file in which a row's rate is not that of its counts is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from wardbook.activity.movements import name_weeks
from wardbook.delimited import Records, read_records, refuse_duplicates, refuse_rows, refuse_values
from wardbook.epidemic.geography import all_departments, all_regions
from wardbook.errors import DataProblem

MUTATIONS = {"A": "E484K", "B": "E484Q", "C": "L452R"}
COLUMNS = (
    *("dep", "semaine", "nb_crib", "nb_pos", "tx_crib"),
    *("nb_A0", "nb_A1", "tx_A1", "nb_B0", "nb_B1", "tx_B1", "nb_C0", "nb_C1", "tx_C1"),
)
COUNTS = tuple(name for name in COLUMNS if name.startswith("nb_"))
WINDOW = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{4}-[0-9]{2}-[0-9]{2})")
COUNT = re.compile(r"[0-9]{1,9}(\.0{1,2})?")
RATE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
FRANCE = "FR"
GROWTH_WEEKS = 6
"""Growth is that of the last weeks: over a summer it is not constant."""
OVERFULL = 99.0
HALF = 0.005 + 1e-9
"""Rates have two decimals: what was rounded, with what a float may add."""


def is_screening(path: Path) -> bool:
    """Tell by its header whether a file is one of these."""
    with path.open("rb") as file:
        return file.readline(4096).decode("utf-8", "replace").startswith("dep;semaine;nb_crib;")


def read_screening(path: Path) -> pd.DataFrame:
    """Read a file: department, first, last (days of the window), the counts `nb_…`.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    records = read_records(path, [COLUMNS], delimiter=";")
    departments = all_departments()
    refuse_values(records, "dep", lambda code: code not in departments, "department_unknown")
    refuse_values(records, "semaine", lambda text: _read_window(text) is None, "window_form")
    refuse_duplicates(records, ("dep", "semaine"))
    counts = {name: _parse(records, name, COUNT, "number_invalid") for name in COUNTS}
    for rate, part, whole in _rates(counts):
        told = _parse(records, rate, RATE, "number_form")
        share = measure_rate(part, whole).mask(part > whole, OVERFULL)
        wrong = (told - share).abs() > HALF
        refuse_rows(records, wrong, "rate_wrong", column=rate)
    windows = records.frame["semaine"].astype(str).map(_read_window)
    return pd.DataFrame(
        {
            "department": records.frame["dep"].astype(str),
            "first": pd.to_datetime(windows.str[0]),
            "last": pd.to_datetime(windows.str[1]),
            **{name: column.astype("int64") for name, column in counts.items()},
        }
    ).reset_index(drop=True)


def measure_rate(part: pd.Series[float], whole: pd.Series[float]) -> pd.Series[float]:
    """Return 100 part / whole, and 0 where the whole is 0, as the file has it."""
    return (100 * part / whole.where(whole > 0)).fillna(0.0)


def choose_weeks(screening: pd.DataFrame, start: date, end: date, *, file: str) -> pd.DataFrame:
    """Return the windows that are ISO weeks from `start` to `end`, with a column `week`.

    No two of them share a day: these may be added.

    Raises:
        DataProblem: there is none.
    """
    inside = (screening["first"] >= pd.Timestamp(start)) & (screening["last"] <= pd.Timestamp(end))
    weeks = screening[inside & (screening["first"].dt.day_of_week == 0)]
    if weeks.empty:
        raise DataProblem("period_without_data", file=file, start=str(start), end=str(end))
    named: pd.DataFrame = weeks.assign(week=name_weeks(weeks["first"])).reset_index(drop=True)
    return named


def sum_places(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of France and of each region by week: week, place, name, `nb_…`.

    A region's rate is that of its summed counts and not a mean of its departments' rates.

    Raises:
        DataProblem: a week has a department twice: windows that overlap were given.
    """
    if weeks.duplicated(["week", "department"]).any():
        raise DataProblem("windows_overlap")
    departments, regions = all_departments(), all_regions()
    place = weeks["department"].map(lambda code: departments[code].region)
    both = pd.concat([weeks.assign(place=place), weeks.assign(place=FRANCE)])
    sums = both.groupby(["week", "place"])[list(COUNTS)].sum().reset_index()
    names = {code: region.name for code, region in regions.items()} | {FRANCE: "France"}
    return sums.assign(name=sums["place"].map(names))[["week", "place", "name", *COUNTS]]


def list_mutations(places: pd.DataFrame) -> pd.DataFrame:
    """Return each mutation's share by week and place, with Wilson's interval at 95 %.

    Columns: week, place, name, mutation, tested (with a result for it), carriers, share, low, high.
    Nothing for a week and place where nobody was tested.
    """
    parts = [
        places[["week", "place", "name"]].assign(
            mutation=mutation,
            tested=places[f"nb_{letter}0"] + places[f"nb_{letter}1"],
            carriers=places[f"nb_{letter}1"],
        )
        for letter, mutation in MUTATIONS.items()
    ]
    table = pd.concat(parts)
    table = table[table["tested"] > 0].sort_values(["week", "place", "mutation"], ignore_index=True)
    low, high = proportion_confint(table["carriers"], table["tested"], method="wilson")
    return table.assign(
        share=(table["carriers"] / table["tested"]).round(4),
        low=np.round(low, 4),
        high=np.round(high, 4),
    )


def measure_mutations(mutations: pd.DataFrame) -> pd.DataFrame:
    """Return how fast each mutation grew in each place in the last six weeks.

    Logistic regression of the carriers among those tested on the day.
    Columns: place, name, mutation, weeks, growth, growth_low, growth_high (per day, of the
    logarithm of carriers / others), doubling_days (missing unless the low bound is above 0),
    dispersion, degrees. Left out where fewer than four of these weeks have a result, or nobody or
    everybody has it. Counts vary more than by chance: errors are those of quasi-likelihood, with
    Pearson's dispersion (at least 1) and Student's quantile.
    """
    rows = []
    recent = sorted(set(mutations["week"]))[-GROWTH_WEEKS:]
    mutations = mutations[mutations["week"].isin(recent)]
    for (place, name, mutation), part in mutations.groupby(["place", "name", "mutation"]):
        others = part["tested"] - part["carriers"]
        if len(part) < 4 or not part["carriers"].sum() or not others.sum():
            continue
        first = pd.to_datetime([_monday(week) for week in part["week"]])
        day = (first - first[0]).days.to_numpy(dtype="float64")
        fitted = sm.GLM(
            np.column_stack([part["carriers"], others]),
            sm.add_constant(day - day.mean()),
            family=sm.families.Binomial(),
        ).fit()
        degrees = int(fitted.df_resid)
        dispersion = max(1.0, float(fitted.pearson_chi2) / degrees)
        slope, error = float(fitted.params[1]), float(fitted.bse[1]) * np.sqrt(dispersion)
        reach = float(student.ppf(0.975, degrees)) * error
        doubling = np.log(2) / slope if slope - reach > 0 else np.nan
        bounds = (slope, slope - reach, slope + reach)
        rows.append((place, name, mutation, len(part), *bounds, doubling, dispersion, degrees))
    columns = ["place", "name", "mutation", "weeks", "growth", "growth_low", "growth_high"]
    table = pd.DataFrame(rows, columns=[*columns, "doubling_days", "dispersion", "degrees"])
    digits = dict.fromkeys(columns[4:], 5) | {"doubling_days": 1, "dispersion": 2}
    return table.round(digits)


def _monday(week: str) -> date:
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def _read_window(text: str) -> tuple[str, str] | None:
    """Return the first and last day of a window of seven days, None where it is none."""
    match = WINDOW.fullmatch(text)
    if match is None:
        return None
    try:
        first, last = (date.fromisoformat(day) for day in match.groups())
    except ValueError:
        return None
    return (match[1], match[2]) if (last - first).days == 6 else None


def _parse(records: Records, column: str, form: re.Pattern[str], code: str) -> pd.Series[float]:
    refuse_values(records, column, lambda text: not form.fullmatch(text), code)
    return records.frame[column].astype(str).astype("float64")


def _rates(
    counts: dict[str, pd.Series[float]],
) -> Sequence[tuple[str, pd.Series[float], pd.Series[float]]]:
    """Return each rate's column with its part and whole."""
    mutations = [
        (f"tx_{one}1", counts[f"nb_{one}1"], counts[f"nb_{one}0"] + counts[f"nb_{one}1"])
        for one in MUTATIONS
    ]
    return [("tx_crib", counts["nb_crib"], counts["nb_pos"]), *mutations]

"""Tests for SARS-CoV-2: sorted out, counted once per illness, positivity by group.

A person who is tested again after a positive test is no new patient: of each illness the first
positive test counts, and no test of the same person in the 60 days after it, as Santé publique
France counts the tests of SI-DEP. Tests without a positive or negative result count nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.stats import norm

from wardbook.activity.movements import name_weeks
from wardbook.activity.results import measure_positivity
from wardbook.errors import DataProblem

SAME_ILLNESS = pd.Timedelta(days=61)
"""Less than this after a positive test: up to and with the 60th day."""
AGES = (0, 20, 60, 80)
GROUPS = ("0-19", "20-59", "60-79", "80+")
REFERENCES = {"age": "20-59", "sex": "F"}
OLDEST = 120
LEAST = 11
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Sorted:
    """The tests that count, and how many do not or are doubtful, by reason.

    rows: test, patient, date, week, ward, sex, age_group ("" where unknown), positive (0 or 1).
    odd: `future`, `age` (impossible: taken as unknown), `without` a result, `inconclusive`, `again`
        (within 60 days of a positive one).
    last: the last day that the export reaches, or the period's end where that is before.
    """

    rows: pd.DataFrame
    odd: Mapping[str, int]
    last: date


def sort_out(tests: pd.DataFrame, today: date, start: date, end: date, *, file: str) -> Sorted:
    """Part the tests of the dataset `covid-tests` that count from `start` to `end` from the others.

    Raises:
        DataProblem: no test was taken in the period.
    """
    days = tests["sampled"].dt.normalize()
    inside = days.between(pd.Timestamp(start), pd.Timestamp(end))
    if not inside.any():
        raise DataProblem("period_without_data", file=file, start=str(start), end=str(end))
    future = days > pd.Timestamp(today)
    settled = tests["result"].isin(["positive", "negative"]) & ~future
    again = pd.Series(False, index=tests.index)
    again[settled] = _find_repeated(tests[settled])
    wrong_age = (tests["age"] < 0) | (tests["age"] > OLDEST)
    wrong_age = wrong_age.fillna(False).astype(bool)
    kept = inside & settled & ~again
    age = tests["age"].mask(wrong_age).astype("Float64").to_numpy("float64", na_value=np.nan)
    rows = pd.DataFrame(
        {
            "test": tests["test"].astype(str),
            "patient": tests["patient"].astype(str),
            "date": days,
            "week": name_weeks(days),
            "ward": tests["ward"].fillna("").astype(str),
            "sex": tests["sex"].fillna("").astype(str),
            "age_group": _group_ages(age),
            "positive": (tests["result"] == "positive").astype(int),
        }
    )
    odd = {
        "future": future,
        "age": inside & wrong_age,
        "without": inside & ~future & tests["result"].isna(),
        "inconclusive": inside & ~future & (tests["result"] == "inconclusive"),
        "again": inside & again,
    }
    counted = {reason: int(which.sum()) for reason, which in odd.items()}
    return Sorted(
        rows[kept].reset_index(drop=True),
        {reason: count for reason, count in counted.items() if count},
        min(end, days[inside & ~future].max().date()),
    )


def count_days(tests: pd.DataFrame) -> pd.DataFrame:
    """Return date, tests, positive, negative, positivity; then persons, first, second.

    A day without a test has no row: it has no positivity.
    """
    return measure_positivity(tests, ["date"])


def count_ages(tests: pd.DataFrame, weeks: Sequence[str]) -> pd.DataFrame:
    """Return week, age_group, tests, positive, negative, positivity; then persons, first, second.

    Of the ISO weeks given; tests of patients whose age is not known are in none.
    """
    known = tests[(tests["age_group"] != "") & tests["week"].isin(list(weeks))]
    return measure_positivity(known, ["week", "age_group"])


def measure_ratios(tests: pd.DataFrame) -> pd.DataFrame:
    """Return how the positivity of groups differs: term, level, ratio, low, high, tests, degrees.

    Ratios of positivity (not of odds) against women and against patients of 20 to 59 years, each
    with the other and the month held alike: Poisson's regression with the robust variance for
    patients with several tests (Zou, Am J Epidemiol 2004, doi 10.1093/aje/kwh090; statsmodels,
    clustered by patient). The intervals of all groups hold together with 95 % (Sidak 1967). Empty
    where a group has nobody positive or fewer than eleven tests: there is nothing to compare.
    """
    known = tests[(tests["age_group"] != "") & (tests["sex"] != "")]
    # A month without anybody positive tells nothing of ratios, and has no finite coefficient.
    month = known["date"].dt.strftime("%Y-%m")
    told = month.isin(set(month[known["positive"] == 1]))
    known, month = known[told], month[told]
    positive = known["positive"].to_numpy(dtype="float64")
    groups = {
        (term, level): (codes == level).to_numpy(dtype="float64")
        for term, codes in (("age", known["age_group"]), ("sex", known["sex"]))
        for level in sorted(set(codes) - {REFERENCES[term]})
    }
    columns = ["term", "level", "ratio", "low", "high", "tests", "degrees"]
    if not groups or any(one.sum() < LEAST or not positive @ one for one in groups.values()):
        return pd.DataFrame(columns=columns)
    months = [(month == one).to_numpy(dtype="float64") for one in sorted(set(month))[1:]]
    design = np.column_stack([np.ones(len(known)), *groups.values(), *months])
    fitted = sm.GLM(positive, design, family=sm.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(known["patient"])[0]}
    )
    single = CONFIDENCE ** (1 / len(groups))
    reach = norm.ppf(0.5 + single / 2) * fitted.bse
    rows = [
        (
            *key,
            *np.exp([value, value - error, value + error]),
            int(group.sum()),
            int(fitted.df_resid),
        )
        for (key, group), value, error in zip(
            groups.items(), fitted.params[1:], reach[1:], strict=False
        )
    ]
    return pd.DataFrame(rows, columns=columns).round(4)


def _group_ages(age: np.ndarray) -> np.ndarray:
    at = np.searchsorted(AGES, age, side="right") - 1
    names = np.array([*GROUPS, ""], dtype=object)
    return names[np.where(np.isnan(age), len(GROUPS), at)]


def _find_repeated(settled: pd.DataFrame) -> pd.Series[bool]:
    """Tell of tests with a result which are of an illness that was counted before."""
    ordered = settled.sort_values(["sampled", "test"], kind="stable")
    positive = ordered[ordered["result"] == "positive"]
    several = positive["patient"].isin(set(ordered.loc[ordered["patient"].duplicated(), "patient"]))
    counted: dict[str, pd.Timestamp] = {}
    first = []
    pairs = positive.loc[several, ["patient", "sampled"]].itertuples()
    for at, patient, sampled in pairs:
        before = counted.get(patient)
        if before is None or sampled - before >= SAME_ILLNESS:
            counted[patient] = sampled
            first.append(at)
    began = ordered.loc[first, ["patient", "sampled"]].rename(columns={"sampled": "began"})
    joined = pd.merge_asof(
        ordered[["patient", "sampled"]],
        began.sort_values("began", kind="stable"),
        left_on="sampled",
        right_on="began",
        by="patient",
        allow_exact_matches=False,
    )
    repeated = (joined["sampled"] - joined["began"] < SAME_ILLNESS).to_numpy()
    return pd.Series(repeated, index=ordered.index).reindex(settled.index)

"""Incidence, positivity and test rate: by day, over seven days, by ISO week, and standardised.

    positivity   positives / tested
    incidence    positives / inhabitants × 100,000
    test rate    tested / inhabitants × 100,000

Intervals are of 95 %: Wilson's for positivity (E. B. Wilson, J Am Stat Assoc 1927;22:209-212), the
exact one of a Poisson count for rates (F. Garwood, Biometrika 1936;28:437-442). They tell the
variation of counts alone, not who was tested.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import chi2
from statsmodels.stats.proportion import proportion_confint

from wardbook.datasets.test_counts import AGES, UNKNOWN
from wardbook.epidemic.population import FRANCE, Population
from wardbook.epidemic.sidep import COUNTS, FIRSTS, TestCounts

WINDOW = 7
NAMES = {"tests": "tested", "positives": "positive"}
LEVEL = 0.95
PER = 100_000
PARTIAL = 0.5
"""A last day with less than this share of the tests of seven days earlier is called partial."""


def measure_positivity(positive: pd.Series[int], tested: pd.Series[int]) -> pd.DataFrame:
    """Return positivity, positivity_low, positivity_high (0 to 1, four decimals).

    Missing where nobody was tested.
    """
    some = tested.where(tested > 0)
    low, high = proportion_confint(positive, some, alpha=1 - LEVEL, method="wilson")
    bounds = {
        "positivity": positive / some,
        "positivity_low": low,
        "positivity_high": high,
    }
    return pd.DataFrame(bounds, index=positive.index).astype(float).round(4)


def rate_per_100k(count: pd.Series[int], inhabitants: pd.Series[float] | float) -> pd.Series[float]:
    """Return count / inhabitants × 100,000, two decimals, as Santé publique France rounds."""
    return (count / inhabitants * PER).round(2)


def bound_rate(
    count: pd.Series[int], inhabitants: pd.Series[float] | float
) -> tuple[pd.Series[float], pd.Series[float]]:
    """Return Garwood's exact bounds of the rate per 100,000, two decimals."""
    known = count.astype(float)
    low = chi2.ppf((1 - LEVEL) / 2, 2 * known) / 2
    high = chi2.ppf((1 + LEVEL) / 2, 2 * known + 2) / 2
    low = np.where(known == 0, 0.0, low)
    bounds = (pd.Series(bound, index=count.index) for bound in (low, high))
    below, above = ((bound / inhabitants * PER).round(2) for bound in bounds)
    return below, above


def sum_rows(rows: pd.DataFrame, by: Sequence[str], counts: Sequence[str]) -> pd.DataFrame:
    """Return the sums of `counts` by date and `by`, in order; only what has a row.

    The same as pandas' groupby, by counting codes: many times faster on millions of rows. `by` are
    categories, sums are exact below 2**53.
    """
    numbers, days = pd.factorize(rows["date"], sort=True)
    cells, levels = numbers.astype(np.int64), [days]
    for name in by:
        column = rows[name]
        codes = column.cat.codes.to_numpy()
        cells = cells * len(column.cat.categories) + codes
        levels.append(column.cat.categories)
    there = np.flatnonzero(np.bincount(cells))
    places = np.unravel_index(there, [len(level) for level in levels])
    pairs = zip(("date", *by), levels, places, strict=True)
    table = {name: pd.Index(level).take(place) for name, level, place in pairs}
    for name in counts:
        weights = rows[name].to_numpy(dtype=float)
        table[name] = np.bincount(cells, weights=weights)[there].astype("int64")
    return pd.DataFrame(table)


def count_days(tests: TestCounts, by: str = "") -> pd.DataFrame:
    """Return tested and positive by date and `by` (department, age or sex), in their order.

    Days that the data lack are not there. A place, class or sex without a row on a day that the
    data have gets a 0, but not in a public file: that has a row for everyone, so it is a gap.
    """
    sums = sum_rows(tests.rows, [by] if by else [], COUNTS)
    if by and not tests.public:
        full = pd.MultiIndex.from_product([sums["date"].unique(), sorted(sums[by].unique())])
        sums = sums.set_index(["date", by]).reindex(full.set_names(["date", by]), fill_value=0)
        sums = sums.reset_index()
    return sums.rename(columns=NAMES)


def slide(daily: pd.DataFrame, by: str = "") -> pd.DataFrame:
    """Return the sums of tested and positive over each day and the six before, whole windows only.

    A window over a day that is lacking, or that begins before the data, is left out: the published
    series of SI-DEP begins with sums of fewer days, which are too low.
    """
    names = ["tested", "positive"]
    sums = {}
    for name in names:
        table = (
            daily.pivot(index="date", columns=by, values=name)
            if by
            else daily.set_index("date")[[name]]
        )
        sums[name] = table.asfreq("D").rolling(WINDOW, min_periods=WINDOW).sum()
    table = sums["tested"]
    rows, columns = np.nonzero(table.notna().to_numpy())
    places = {"date": table.index.take(rows)} | ({by: table.columns.take(columns)} if by else {})
    counts = {name: sums[name].to_numpy()[rows, columns].astype("int64") for name in names}
    return pd.DataFrame(places | counts)


def count_weeks(tests: TestCounts, by: str = "") -> pd.DataFrame:
    """Return tested and positive by whole ISO week (`2020-W20`) and `by`.

    Where the data know the persons, each counts once a week: tested, and positive if one of the
    week's tests was. A week that lacks one of its days in the data is left out.
    """
    counts = FIRSTS if tests.persons else COUNTS
    keys = [by] if by else []
    daily = sum_rows(tests.rows, keys, counts)
    days = pd.DatetimeIndex(daily["date"].unique())
    weeks = pd.Series(write_weeks(days), index=days)
    length = weeks.value_counts()
    daily = daily.assign(week=daily["date"].map(weeks))
    daily = daily[daily["week"].isin(length.index[length == WINDOW])]
    sums = daily.groupby(["week", *keys], as_index=False)[counts].sum()
    return sums.rename(columns=dict(zip(counts, ("tested", "positive"), strict=True)))


def measure_weeks(tests: TestCounts, population: Population, by: str = "") -> pd.DataFrame:
    """Return counts and rates by whole ISO week and `by`."""
    return _measure(tests, population, by, count_weeks)


def measure_days(tests: TestCounts, population: Population, by: str = "") -> pd.DataFrame:
    """Return counts and rates by day and `by`."""
    return _measure(tests, population, by, count_days)


def measure_windows(tests: TestCounts, population: Population, by: str = "") -> pd.DataFrame:
    """Return counts and rates over each day and the six before it, by `by`."""
    return _measure(tests, population, by, lambda one, key: slide(count_days(one, key), key))


def _measure(
    tests: TestCounts,
    population: Population,
    by: str,
    count: Callable[[TestCounts, str], pd.DataFrame],
) -> pd.DataFrame:
    table, located = count(tests, by), keep_located(tests, population)
    return add_rates(table, table if located is tests else count(located, by), population, by)


def write_weeks(days: pd.DatetimeIndex) -> list[str]:
    """Return the ISO 8601 week of each day, `2020-W53` for 1 January 2021."""
    parts = days.isocalendar()
    return [f"{y}-W{w:02}" for y, w in zip(parts["year"], parts["week"], strict=True)]


def begin_weeks(weeks: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Return the Monday of each ISO week."""
    return pd.to_datetime(weeks + "-1", format="%G-W%V-%u")


def keep_located(tests: TestCounts, population: Population) -> TestCounts:
    """Return the tests of those whose place has a known population: only these are in a rate."""
    places = population.places
    if FRANCE in places or "department" not in tests.dimensions:
        return tests
    inside = tests.rows["department"].isin(places)
    return tests if inside.all() else replace(tests, rows=tests.rows[inside])


def add_rates(
    table: pd.DataFrame, located: pd.DataFrame, population: Population, by: str = ""
) -> pd.DataFrame:
    """Put positivity, incidence and test rate, with intervals, beside tested and positive.

    New columns: positivity, positivity_low, positivity_high; inhabitants; incidence,
    incidence_low, incidence_high, test_rate: missing where the population is not known.

    Args:
        table: the counts of all tests.
        located: the same of `keep_located`; a rate has these alone.
        population: of the places of the data (`Population.within`).
        by: what the tables are by beside time: department, age, sex, or nothing.
    """
    keys = [name for name in table.columns if name not in ("tested", "positive")]
    rated = table[keys].merge(located, on=keys, how="left")
    if by:
        inhabitants = table[by].map(population.by(by)).astype(float)
    else:
        inhabitants = pd.Series(population.total or np.nan, table.index)
    low, high = bound_rate(rated["positive"], inhabitants)
    shares = measure_positivity(table["positive"], table["tested"])
    return table.join(shares).assign(
        inhabitants=inhabitants.round().astype("Int64"),
        incidence=rate_per_100k(rated["positive"], inhabitants),
        incidence_low=low,
        incidence_high=high,
        test_rate=rate_per_100k(rated["tested"], inhabitants),
    )


def standardise(tests: TestCounts, population: Population) -> pd.DataFrame:
    """Return each department's positivity and incidence over all days, standardised by age.

    Direct standardisation: what a department's positivity (incidence) would be if its tested
    (inhabitants) had the ages of the tested (inhabitants) of all departments. Those of unknown age
    are left out. Intervals: M. P. Fay, E. J. Feuer, Stat Med 1997;16:791-801.

    Columns: department, tested, positive, positivity, and positivity_standard and
    incidence_standard, each with _low and _high; missing where a class has nobody tested, or the
    population is not known by department and age.
    """
    rows = sum_rows(tests.rows.assign(date=0), ["department", "age"], COUNTS)
    rows = rows[rows["age"] != UNKNOWN]
    tested, positive = (
        rows.pivot(index="department", columns="age", values=name)
        .reindex(columns=list(AGES))
        .fillna(0)
        for name in COUNTS
    )
    table = pd.DataFrame({"tested": tested.sum(axis=1), "positive": positive.sum(axis=1)})
    table = table.astype("int64")
    table["positivity"] = (table["positive"] / table["tested"].where(table["tested"] > 0)).round(4)
    weights = tested.sum() / tested.to_numpy().sum()
    shares = _weigh(positive, tested, weights).round(4)
    people = population.by_department_and_age().reindex(index=tested.index, columns=list(AGES))
    standard = people.sum() / people.to_numpy()[~np.isnan(people.to_numpy())].sum()
    rates = (_weigh(positive, people, standard) * PER).round(2)
    parts = (table, shares.add_prefix("positivity_"), rates.add_prefix("incidence_"))
    return pd.concat(parts, axis=1).reset_index()


def _weigh(counts: pd.DataFrame, bases: pd.DataFrame, weights: pd.Series[float]) -> pd.DataFrame:
    """Return standard, standard_low, standard_high: Σ weight × count / base over the columns."""
    factors = weights / bases.where(bases > 0)
    known = factors.notna().all(axis=1)
    mean = (factors * counts).sum(axis=1).where(known)
    variance = (factors**2 * counts).sum(axis=1)
    largest = factors.max(axis=1)
    some = mean.where(mean > 0)
    low = variance / (2 * some) * chi2.ppf((1 - LEVEL) / 2, 2 * some**2 / variance)
    above, spread = mean + largest, variance + largest**2
    high = spread / (2 * above) * chi2.ppf((1 + LEVEL) / 2, 2 * above**2 / spread)
    bounds = {"standard": mean, "standard_low": low.where(mean > 0, mean), "standard_high": high}
    return pd.DataFrame(bounds)


def find_partial_day(daily: pd.DataFrame) -> pd.Series[float] | None:
    """Return the last day's row if it has less than half the tests of seven days earlier.

    Results still come in for it: its figures, and windows that end with it, are too low.
    """
    tested = daily.set_index("date")["tested"]
    last = tested.index.max()
    before = tested.get(last - pd.Timedelta(days=WINDOW), 0)
    return daily.iloc[-1] if tested[last] < PARTIAL * before else None


def measure_weekend(daily: pd.DataFrame) -> float:
    """Return the tests of an average Saturday or Sunday, as a share of those of other days."""
    late = daily["date"].dt.day_of_week >= 5
    return float(daily.loc[late, "tested"].mean() / daily.loc[~late, "tested"].mean())

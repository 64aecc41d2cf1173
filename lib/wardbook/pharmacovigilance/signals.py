"""Disproportionality: is an event reported more often with a drug than without it?

Of a pair's four numbers (a with both, b with the drug alone, c with the event alone, d neither):

- PRR, the proportional reporting ratio (a/(a+b)) / (c/(c+d)), with the interval of the logarithm
  (Evans, Waller, Davis 2001). Evans' criteria of a signal: PRR of 2 or more, chi-square with Yates'
  correction of 4 or more, three reports or more.
- ROR, the reporting odds ratio ad/bc, with Woolf's interval (1955); where fewer than five reports
  are expected, the conditional exact interval of scipy.
- IC, the information component log2((a + 1/2) / (E + 1/2)) with E = (a+b)(a+c)/n: the measure of
  the Bayesian confidence propagation neural network (Bate 1998) in its shrunk form, with the 95 %
  credibility interval of the gamma distribution (Norén, Hopstadius, Bate 2013).

A pair with an empty b or c has half a report added to all four for PRR and ROR (Haldane, Anscombe
1956). The formulas are written out here, since scipy has them for one table at a time: they are
compared with scipy's in the tests.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.stats.contingency import odds_ratio
from statsmodels.stats.multitest import multipletests

Z = float(stats.norm.ppf(0.975))
EVANS_PRR, EVANS_CHI2, EVANS_REPORTS = 2.0, 4.0, 3
EXACT_BELOW = 5.0
"""Expected reports below which the ROR's interval is the exact one."""


def measure_signals(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs with their measures, the highest lower bound of the IC first.

    Added are expected, prr, prr_low, prr_high, ror, ror_low, ror_high, ic, ic_low, ic_high (95 %),
    chi2, q_value, exact (the ROR's interval), and what calls it a signal: evans, by_ror (its lower
    bound above 1), by_ic (its lower bound above 0), each 1 or 0.
    """
    if pairs.empty:
        return pairs.assign(**dict.fromkeys(MEASURES, pd.Series(dtype=float)))
    four = _four_numbers(pairs)
    table = pairs.assign(
        expected=pairs["drug_reports"] * pairs["event_reports"] / pairs["all_reports"]
    )
    table = table.assign(**_measure_ratios(*_add_half(*four)), **_measure_ic(table))
    table["chi2"] = _yates(*four)
    table["q_value"] = multipletests(stats.chi2.sf(table["chi2"], 1), method="fdr_bh")[1]
    table = _bound_exactly(table, four)
    table["evans"] = (
        (table["prr"] >= EVANS_PRR)
        & (table["chi2"] >= EVANS_CHI2)
        & (table["reports"] >= EVANS_REPORTS)
    ).astype("int64")
    table["by_ror"] = (table["ror_low"] > 1).astype("int64")
    table["by_ic"] = (table["ic_low"] > 0).astype("int64")
    return table.sort_values("ic_low", ascending=False, kind="stable", ignore_index=True)


MEASURES = (
    *("expected", "prr", "prr_low", "prr_high", "ror", "ror_low", "ror_high"),
    *("ic", "ic_low", "ic_high", "chi2", "q_value", "exact", "evans", "by_ror", "by_ic"),
)


def _four_numbers(pairs: pd.DataFrame) -> tuple[np.ndarray, ...]:
    a = pairs["reports"].to_numpy(dtype=float)
    b = pairs["drug_reports"].to_numpy() - a
    c = pairs["event_reports"].to_numpy() - a
    return a, b, c, pairs["all_reports"].to_numpy() - a - b - c


def _add_half(*four: np.ndarray) -> tuple[np.ndarray, ...]:
    half = np.where(np.min(four, axis=0) == 0, 0.5, 0.0)
    return tuple(number + half for number in four)


def _measure_ratios(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray
) -> dict[str, np.ndarray]:
    prr = (a / (a + b)) / (c / (c + d))
    ror = a * d / (b * c)
    of_prr = np.exp(Z * np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)))
    of_ror = np.exp(Z * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    return {
        **{"prr": prr, "prr_low": prr / of_prr, "prr_high": prr * of_prr},
        **{"ror": ror, "ror_low": ror / of_ror, "ror_high": ror * of_ror},
    }


def _measure_ic(table: pd.DataFrame) -> dict[str, np.ndarray]:
    shape = table["reports"].to_numpy() + 0.5
    rate = table["expected"].to_numpy() + 0.5
    low, high = (stats.gamma.ppf(at, shape) / rate for at in (0.025, 0.975))
    return {"ic": np.log2(shape / rate), "ic_low": np.log2(low), "ic_high": np.log2(high)}


def _yates(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    whole = a + b + c + d
    apart = np.maximum(np.abs(a * d - b * c) - whole / 2, 0)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    chi2: np.ndarray = whole * apart**2 / np.where(margins == 0, np.inf, margins)
    return chi2


def _bound_exactly(table: pd.DataFrame, four: tuple[np.ndarray, ...]) -> pd.DataFrame:
    few = (table["expected"] < EXACT_BELOW).to_numpy()
    bounds = table[["ror_low", "ror_high"]].to_numpy()
    for at in np.flatnonzero(few):
        a, b, c, d = (int(number[at]) for number in four)
        exact = odds_ratio([[a, b], [c, d]], kind="conditional").confidence_interval()
        bounds[at] = exact.low, exact.high
    return table.assign(exact=few.astype("int64"), ror_low=bounds[:, 0], ror_high=bounds[:, 1])

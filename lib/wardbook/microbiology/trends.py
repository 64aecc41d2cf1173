"""Does the resistance of a species to a drug rise or fall?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import statsmodels.api as sm

DAYS_OF_A_YEAR = 365.25
LEAST_EITHER = 10
"""Isolates that are susceptible, and that are not, below which no trend is estimated: ten events
for a coefficient are a common minimum of logistic regression (Peduzzi 1996)."""


def measure_trends(tested: pd.DataFrame, *, least: int) -> pd.DataFrame:
    """Return for each organism and drug by how much the odds of resistance change in a year.

    Columns: organism, drug, isolates, patients, odds_ratio, low, high (95 %), degrees_of_freedom.
    Logistic regression of each isolate's resistance (that is, not susceptible) on its day, by
    statsmodels; the interval is Wald's. Rows of one patient are taken as independent, so give the
    first isolates of the whole period. Sorted by organism and drug.
    """
    found = []
    for (organism, drug), rows in tested.groupby(["organism", "drug"], observed=True):
        resistant = 1 - rows["susceptible"].to_numpy()
        either = min(resistant.sum(), len(resistant) - resistant.sum())
        if len(rows) < least or either < LEAST_EITHER or rows["day"].nunique() < 2:
            continue
        odds_ratio, low, high = estimate_trend(rows["day"], resistant)
        found.append(
            {
                "organism": organism,
                "drug": drug,
                "isolates": len(rows),
                "patients": rows["patient"].nunique(),
                "odds_ratio": odds_ratio,
                "low": low,
                "high": high,
                "degrees_of_freedom": len(rows) - 2,
            }
        )
    columns = ["organism", "drug", "isolates", "patients", "odds_ratio", "low", "high"]
    return pd.DataFrame(found, columns=[*columns, "degrees_of_freedom"])


def estimate_trend(days: pd.Series[pd.Timestamp], resistant: np.ndarray) -> tuple[float, ...]:
    """Return the odds ratio for one year and the bounds of its 95 % interval."""
    years = (days - days.min()).dt.days.to_numpy() / DAYS_OF_A_YEAR
    design = sm.add_constant(years - years.mean())
    fitted = sm.GLM(resistant, design, family=sm.families.Binomial()).fit()
    low, high = fitted.conf_int()[1]
    return float(np.exp(fitted.params[1])), float(np.exp(low)), float(np.exp(high))

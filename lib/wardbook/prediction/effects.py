"""What each value says of the risk, all others being equal: odds ratios with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wardbook.prediction.interval import Interval, Z


@dataclass(frozen=True)
class Effects:
    """Coefficients (log-odds for one unit of the design) and what they rest on.

    `cases` are different patients with the outcome; `degrees` the residual degrees of freedom.
    """

    coefficients: dict[str, Interval]
    visits: int
    persons: int
    cases: int
    degrees: int


def estimate_effects(design: pd.DataFrame, outcome: np.ndarray, patients: np.ndarray) -> Effects:
    """Fit a logistic regression to the rows without a missing value, with variance by patient.

    Rows with all values are no worse a sample where a value is missing for reasons that do not
    depend on the outcome given the other values, such as a ward's habits; what is filled in for a
    missing value would bend the coefficients of all others. What is the same in all rows (the sex
    in a maternity) has no effect to be told.
    """
    import statsmodels.api as sm

    whole = design.notna().all(axis=1).to_numpy()
    varying = design[whole].loc[:, design[whole].nunique() > 1]
    x, y = sm.add_constant(varying), outcome[whole].astype(float)
    groups = np.unique(patients[whole], return_inverse=True)[1]
    fitted = sm.Logit(y, x).fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups})
    bounds = {
        str(name): Interval(value, value - Z * error, value + Z * error)
        for name, value, error in zip(x.columns, fitted.params, fitted.bse, strict=True)
    }
    cases = np.unique(patients[whole][y == 1])
    return Effects(bounds, len(y), len(np.unique(groups)), len(cases), len(y) - x.shape[1])

"""How much haemolysis adds to the potassium that is measured."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

LEAST = 100
"""Of fewer tubes with potassium nothing is said."""


@dataclass(frozen=True)
class Disturbance:
    """mmol/L of potassium for each mg/dL of free haemoglobin, with its 95 % interval."""

    slope: float
    low: float
    high: float
    tubes: int


def measure_disturbance(tubes: pd.DataFrame) -> Disturbance | None:
    """Regress potassium on the index; None where too few tubes have both.

    Least squares with errors that hold where the spread is not the same for all (HC3: MacKinnon and
    White, J Econom 1985;29:305-325; statsmodels). `tubes` has columns potassium and index.
    """
    from statsmodels.api import OLS, add_constant

    both = tubes[tubes["potassium"].notna()]
    if len(both) < LEAST or both["index"].nunique() < 2:
        return None
    fit = OLS(both["potassium"].to_numpy(), add_constant(both["index"].to_numpy())).fit(
        cov_type="HC3"
    )
    low, high = fit.conf_int()[1]
    return Disturbance(float(fit.params[1]), float(low), float(high), len(both))

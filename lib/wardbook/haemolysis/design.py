"""From tubes to the regression's columns and its table of odds ratios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wardbook.datasets.blood_tubes import DEVICES, SITES, TRANSPORTS, TUBES
from wardbook.haemolysis.mixed import MixedFit, fit_mixed

FACTORS = {"transport": TRANSPORTS, "device": DEVICES, "site": SITES, "type": TUBES}
"""What the regression tells apart beside hours; the first code of each is its reference."""
HOURS = "hours"
LEAST = 10
"""A code with fewer haemolysed tubes, or fewer that are not, is left out of the regression: its
coefficient would have no sound interval (Peduzzi et al., J Clin Epidemiol 1996;49:1373-1379)."""
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Regression:
    """The fitted model with what it was fitted to.

    `terms` are the columns after the intercept, as (factor, code), hours as ("hours", "");
    `rows` the tubes used; `wards` the groups' codes; `left_out` the (factor, code) with too few.
    """

    terms: tuple[tuple[str, str], ...]
    rows: pd.DataFrame
    wards: tuple[str, ...]
    fit: MixedFit
    left_out: tuple[tuple[str, str], ...]

    @property
    def degrees_of_freedom(self) -> int:
        """Tubes less parameters, the spread of the wards among them."""
        return len(self.rows) - len(self.terms) - 2


def fit_tubes(tubes: pd.DataFrame) -> Regression | None:
    """Fit log-odds of haemolysis to how tubes were drawn and carried, with an intercept by ward.

    Args:
        tubes: columns haemolysed (0 or 1), ward, hours and those of `FACTORS`.

    Returns:
        None where there are too few haemolysed tubes or fewer than 3 wards.

    Raises:
        NotFitted: see `fit_mixed`.
    """
    rare = tuple(_find_rare(tubes))
    for factor, code in rare:
        tubes = tubes[tubes[factor] != code]
    terms = tuple(_list_terms(tubes))
    bad = int(tubes["haemolysed"].sum())
    wards, group = np.unique(tubes["ward"].to_numpy(dtype=str), return_inverse=True)
    if min(bad, len(tubes) - bad) < LEAST * max(1, len(terms)) or len(wards) < 3:
        return None
    fit = fit_mixed(tubes["haemolysed"].to_numpy(), make_design(tubes, terms), group)
    return Regression(terms, tubes, tuple(wards), fit, rare)


def make_design(tubes: pd.DataFrame, terms: tuple[tuple[str, str], ...]) -> np.ndarray:
    """Return the design: ones, then a column for each term."""
    columns = [np.ones(len(tubes))]
    for factor, code in terms:
        values = tubes[factor].to_numpy()
        columns.append(values if factor == HOURS else (values == code).astype(np.float64))
    return np.column_stack(columns)


def tell_odds_ratios(regression: Regression) -> pd.DataFrame:
    """Return factor, level, odds_ratio, low, high, crude, crude_low, crude_high, degrees.

    `odds_ratio` is that of the level against the factor's reference, all else equal and within a
    ward; of hours, for one hour more. `crude` knows of nothing else: the ordinary logistic
    regression on this one factor.
    """
    fit = regression.fit
    rows: list[dict[str, Any]] = []
    for place, (factor, code) in enumerate(regression.terms, 1):
        adjusted = _bounds(fit.coefficients[place], fit.errors[place])
        same = tuple(term for term in regression.terms if term[0] == factor)
        crude = _fit_crude(regression.rows, same)[code]
        rows.append(
            {"factor": factor, "level": code}
            | dict(zip(("odds_ratio", "low", "high"), adjusted, strict=True))
            | dict(zip(("crude", "crude_low", "crude_high"), crude, strict=True))
        )
    return pd.DataFrame(rows).assign(degrees=regression.degrees_of_freedom)


def tell_wards(regression: Regression) -> pd.DataFrame:
    """Return ward, odds_ratio, low, high: each ward against the average ward, all else equal.

    The most likely value of its intercept, drawn towards the average where it has few tubes, with
    the conditional 95 % interval.
    """
    fit = regression.fit
    low, high = (fit.modes + sign * Z95 * fit.mode_errors for sign in (-1, 1))
    return pd.DataFrame(
        {
            "ward": list(regression.wards),
            "odds_ratio": np.exp(fit.modes),
            "low": np.exp(low),
            "high": np.exp(high),
        }
    )


def _find_rare(tubes: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the codes with too few haemolysed tubes, or too few others; never a reference."""
    rare = []
    for factor, codes in FACTORS.items():
        for code in codes[1:]:
            of = tubes.loc[tubes[factor] == code, "haemolysed"]
            if len(of) and min(of.sum(), len(of) - of.sum()) < LEAST:
                rare.append((factor, code))
    return rare


def _list_terms(tubes: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the terms that these tubes can tell apart."""
    terms = []
    for factor, codes in FACTORS.items():
        there = set(tubes[factor].unique())
        terms += [(factor, code) for code in codes[1:] if code in there and len(there) > 1]
    return [*terms, (HOURS, "")] if tubes[HOURS].nunique() > 1 else terms


def _fit_crude(
    tubes: pd.DataFrame, terms: tuple[tuple[str, str], ...]
) -> dict[str, tuple[float, float, float]]:
    from statsmodels.discrete.discrete_model import Logit

    fit = Logit(tubes["haemolysed"].to_numpy(), make_design(tubes, terms)).fit(disp=0)
    return {
        code: _bounds(fit.params[place], fit.bse[place]) for place, (_, code) in enumerate(terms, 1)
    }


def _bounds(coefficient: float, error: float) -> tuple[float, float, float]:
    middle, margin = float(coefficient), Z95 * float(error)
    return float(np.exp(middle)), float(np.exp(middle - margin)), float(np.exp(middle + margin))

"""Positivity of ages, sexes and departments against a reference, at equal time."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.stats import norm
from statsmodels.tools.sm_exceptions import DomainWarning

from wardbook.datasets.test_counts import AGES, UNKNOWN
from wardbook.epidemic.rates import sum_rows
from wardbook.epidemic.sidep import COUNTS, TestCounts

AGE_GROUPS: Mapping[str, tuple[str, ...]] = {
    "0-19": AGES[:2],
    "20-59": AGES[2:6],
    "60-79": AGES[6:8],
    "80+": AGES[8:],
}
REFERENCE_AGE, REFERENCE_SEX = "20-59", "F"
MOST_DEPARTMENTS = 20
"""More departments than these are neither compared nor held equal: a table of rates shows them."""
LEAST = 10
"""Positives below which a group is not compared: the interval would rest on too few."""


def compare_positivity(tests: TestCounts) -> pd.DataFrame:
    """Return the ratios of positivity by age group, sex and department, each at equal others.

    A binomial model with a logarithmic link of what the data know of age group, sex, department
    and month (S. Wacholder, Am J Epidemiol 1986;123:174-184): exp(coefficient) is the ratio of two
    positivities. The references are 20 to 59 years, women, and the department with most tests.

    Columns: term (`age 80+`, `sex M`, `department 22`), ratio, ratio_low, ratio_high (95 %),
    freedom (residual degrees of freedom). No row where nothing can be compared.
    """
    rows = _group(tests)
    terms = [n for n in ("age", "sex", "department") if n in rows and rows[n].nunique() > 1]
    if not terms:
        return pd.DataFrame(columns=["term", "ratio", "ratio_low", "ratio_high", "freedom"])
    cells = rows.groupby([*terms, "month"], as_index=False, observed=True)[COUNTS].sum()
    cells = cells[cells["tests"] > 0]
    references = {"age": REFERENCE_AGE, "sex": REFERENCE_SEX, "department": _largest(rows)}
    design = [_dummies(cells, name, references.get(name)) for name in (*terms, "month")]
    names = [f"{name} {code}" for name, part in zip(terms, design, strict=False) for code in part]
    matrix = sm.add_constant(pd.concat(design, axis=1).to_numpy(dtype=float))
    fit = _fit(matrix, cells)
    slopes = slice(1, 1 + len(names))
    estimate, error = fit.params[slopes], fit.bse[slopes]
    margin = norm.ppf(0.975) * error
    return pd.DataFrame(
        {
            "term": names,
            "ratio": np.exp(estimate).round(3),
            "ratio_low": np.exp(estimate - margin).round(3),
            "ratio_high": np.exp(estimate + margin).round(3),
            "freedom": int(fit.df_resid),
        }
    )


def _group(tests: TestCounts) -> pd.DataFrame:
    """Return cells of known age group, sex and department with enough positives, by month."""
    known = [name for name in ("age", "sex", "department") if name in tests.dimensions]
    if tests.rows["department"].nunique() > MOST_DEPARTMENTS and "department" in known:
        known.remove("department")
    rows = sum_rows(tests.rows, known, COUNTS)
    rows["month"] = rows["date"].dt.year * 100 + rows["date"].dt.month
    if "age" in known:
        groups = {age: name for name, ages in AGE_GROUPS.items() for age in ages}
        rows["age"] = rows["age"].astype("str").map(groups).fillna(UNKNOWN)
    for name in known:
        rows = rows[rows[name] != UNKNOWN]
        enough = rows.groupby(name, observed=True)["positives"].sum()
        rows = rows[rows[name].isin(enough.index[enough >= LEAST])]
        rows[name] = rows[name].astype("str")
    # A month in which nobody was positive tells nothing of ratios, and has no logarithm.
    some = rows.groupby("month")["positives"].transform("sum") > 0
    return rows[some]


def _largest(rows: pd.DataFrame) -> str:
    if "department" not in rows:
        return ""
    return str(rows.groupby("department")["tests"].sum().idxmax())


def _dummies(cells: pd.DataFrame, name: str, reference: str | None) -> pd.DataFrame:
    columns = pd.get_dummies(cells[name])
    return columns.drop(columns=reference if reference in columns else columns.columns[0])


def _fit(matrix: np.ndarray, cells: pd.DataFrame) -> Any:
    """Fit the model, begun from the Poisson one: from anywhere else a share may pass 1."""
    positive, tested = cells["positives"].to_numpy(), cells["tests"].to_numpy()
    start = sm.GLM(positive, matrix, family=sm.families.Poisson(), offset=np.log(tested)).fit()
    shares = np.column_stack([positive, tested - positive])
    with warnings.catch_warnings():
        # That this link can leave 0 to 1 is known: a fit that does has no finite deviance.
        warnings.simplefilter("ignore", DomainWarning)
        family = sm.families.Binomial(link=sm.families.links.Log())
        model = sm.GLM(shares, matrix, family=family)
    return model.fit(start_params=start.params, maxiter=50)

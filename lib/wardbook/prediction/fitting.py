"""The models: a penalised logistic regression, and boosted trees to compare it with.

Whatever is learned of the data (what stands for a missing value, scales, the penalty) is learned in
the training rows alone, within a pipeline of scikit-learn. Seeds are fixed and rows ordered by
their key, so that the same rows give the same model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from wardbook.prediction.analytes import ANALYTES

SEED = 20260101
FOLDS = 5
PENALTIES = tuple(float(c) for c in np.logspace(-3, 1, 5))
"""Inverse strengths of the ridge penalty that are tried."""
_ANALYTES = {one.name: one for one in ANALYTES}


def make_design(rows: pd.DataFrame, values: Sequence[str]) -> pd.DataFrame:
    """Return the predictors: logarithms of values (`Analyte.logarithm`), age_10 and male.

    age_10 is (age - 60) / 10; missing values stay missing.

    Args:
        rows: values in their analytes' units, age and sex.
        values: names of analytes.
    """
    columns = {
        name: np.log(rows[name]) if _ANALYTES[name].logarithm else rows[name] for name in values
    }
    columns["age_10"] = (rows["age"] - 60) / 10
    columns["male"] = (rows["sex"] == "M").astype("float64")
    return pd.DataFrame(columns).astype("float64")


def build_logistic(penalty: float = 1.0) -> Any:
    """Return an unfitted pipeline: medians and indicators for what is missing, scales, ridge."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    return Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", add_indicator=True)),
            ("scale", StandardScaler()),
            ("model", LogisticRegression(C=penalty, solver="newton-cholesky", max_iter=200)),
        ]
    )


def build_boosting() -> Any:
    """Return unfitted boosted trees; they take missing values as they are."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=60,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=SEED,
    )


def fit_logistic(design: pd.DataFrame, outcome: np.ndarray, patients: np.ndarray) -> Any:
    """Choose the penalty by the log loss over folds of patients, then fit all training rows.

    In each fold the whole pipeline is fitted anew: what stands for a missing value and the scales
    are of the fold's training part, and no patient is in both parts.
    """
    from sklearn.model_selection import GridSearchCV, GroupKFold

    search = GridSearchCV(
        build_logistic(),
        {"model__C": PENALTIES},
        scoring="neg_log_loss",
        cv=GroupKFold(FOLDS, shuffle=True, random_state=SEED),
    )
    return search.fit(design, outcome, groups=patients).best_estimator_


def predict(model: Any, design: pd.DataFrame) -> np.ndarray:
    """Return the risk of each row."""
    risks: np.ndarray = model.predict_proba(design)[:, 1]
    return risks


def count_points(rows: pd.DataFrame) -> np.ndarray:
    """Return the points of a simple rule, 0 to 5: what doctors look at without a model.

    One each for leukocytes above 12 or below 4 10*9/L, CRP of at least 100 mg/L, lactate of at
    least 2 mmol/L, procalcitonin of at least 0.5 ug/L, creatinine of at least 177 umol/L. A value
    that is missing gives none.
    """
    leukocytes = rows["leukocytes"]
    points = ((leukocytes > 12) | (leukocytes < 4)).astype("int64")
    limits = {"crp": 100, "lactate": 2, "procalcitonin": 0.5, "creatinine": 177}
    for name, limit in limits.items():
        points += rows[name] >= limit
    return points.to_numpy()

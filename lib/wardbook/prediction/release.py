"""The model as a document that may leave: coefficients and what they were fitted to, no patient.

A fitted object is never written. A pickle runs whatever it holds when it is opened, and many
estimators keep patients: nearest neighbours and support vectors keep their rows, an unpruned tree a
leaf for each. So only a logistic regression leaves, with far fewer coefficients than patients, and
as numbers that anybody can read. Whether it does leave two persons decide (kind `model`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from wardbook.domain.output import OutputKind
from wardbook.files import write_atomically
from wardbook.notebook.index import declare_output
from wardbook.notebook.session import current_session
from wardbook.prediction.analytes import ANALYTES
from wardbook.prediction.fitting import make_design
from wardbook.template.spec import TemplateProblem

FORMAT = "wardbook-risk-model/1"
CASES_PER_COEFFICIENT = 10
"""Fewest patients with the outcome for each coefficient: with fewer a coefficient is one of a few
patients' (Peduzzi et al., Journal of Clinical Epidemiology 1996)."""
_ANALYTES = {one.name: one for one in ANALYTES}


class KeepsPatients(ValueError):
    """A model that holds, or may hold, single patients; the message says which and why."""


def describe_model(pipeline: Any, cases: int) -> dict[str, Any]:
    """Return the fitted logistic regression of `fitting.build_logistic` as plain numbers.

    On the predictors' own scales: log-odds = intercept + for each term coefficient times the
    predictor's value, or, where it is missing, coefficient times `if_missing` plus `missing`.

    Args:
        pipeline: the fitted pipeline.
        cases: how many different patients with the outcome it was fitted to.

    Raises:
        KeepsPatients: it is another kind of model, or has too many coefficients.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    kinds = (SimpleImputer, StandardScaler, LogisticRegression)
    steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [pipeline]
    if [type(step) for step in steps] != list(kinds):
        named = type(steps[-1]).__name__
        raise KeepsPatients(f"{named} may keep patients: only a logistic regression is written out")
    impute, scale, model = steps
    slopes = model.coef_[0] / scale.scale_
    if len(slopes) * CASES_PER_COEFFICIENT > cases:
        raise KeepsPatients(
            f"{len(slopes)} coefficients for {cases} patients with the outcome: single patients "
            f"could be read from them. At least {CASES_PER_COEFFICIENT} a coefficient are needed"
        )
    names = list(impute.feature_names_in_)
    missing = dict(zip(impute.indicator_.features_, slopes[len(names) :], strict=True))
    intercept = float(model.intercept_[0] - (slopes * scale.mean_).sum())
    terms = [
        {
            "predictor": name,
            "coefficient": float(slopes[at]),
            "if_missing": float(impute.statistics_[at]),
            "missing": float(missing.get(at, 0.0)),
        }
        for at, name in enumerate(names)
    ]
    return {"format": FORMAT, "intercept": intercept, "terms": [_explain(term) for term in terms]}


def _explain(term: dict[str, Any]) -> dict[str, Any]:
    one = _ANALYTES.get(term["predictor"])
    if one is None:
        return term | {"scale": {"age_10": "(age - 60) / 10", "male": "1 or 0"}[term["predictor"]]}
    scale = "natural logarithm" if one.logarithm else "as it is"
    return term | {"scale": scale, "unit": one.unit, "loinc": one.loinc}


def score_document(document: Mapping[str, Any], rows: pd.DataFrame) -> np.ndarray:
    """Return the risks that a document gives to rows with settled values, age and sex."""
    predictors = [term["predictor"] for term in document["terms"]]
    design = make_design(rows, [name for name in predictors if name in _ANALYTES])
    odds = np.full(len(rows), float(document["intercept"]))
    for term in document["terms"]:
        value, gone = design[term["predictor"]], design[term["predictor"]].isna()
        odds += term["coefficient"] * value.fillna(term["if_missing"]) + term["missing"] * gone
    risks: np.ndarray = expit(odds)
    return risks


def tabulate_model(
    document: Mapping[str, Any], names: Mapping[str, str], *, cases: int, degrees: int
) -> pd.DataFrame:
    """Return predictor, name, coefficient, if_missing, missing, cases, degrees; intercept first."""
    first = {"predictor": "intercept", "coefficient": document["intercept"]}
    rows: Sequence[dict[str, Any]] = [first, *document["terms"]]
    table = pd.DataFrame(rows)[["predictor", "coefficient", "if_missing", "missing"]]
    table.insert(1, "name", [names[row["predictor"]] for row in rows])
    return table.assign(cases=cases, degrees=degrees)


def write_model(name: str, document: Mapping[str, Any]) -> None:
    """Write the declared output `name` of kind model to `outputs/NAME.json`.

    Raises:
        TemplateProblem: no such model is declared.
    """
    session = current_session()
    declared = session.template.spec.outputs.get(name)
    if declared is None or declared.kind is not OutputKind.MODEL:
        raise TemplateProblem(f"template.toml declares no model {name!r}. Declare it there.")
    session.outputs.mkdir(exist_ok=True)
    file = f"{name}.json"
    text = json.dumps(document, ensure_ascii=False, indent=1)
    write_atomically(session.outputs / file, text + "\n")
    declare_output(
        session.outputs,
        file,
        name=name,
        kind=OutputKind.MODEL,
        title=declared.title.in_language(session.language),
        caption="",
    )

"""What may leave of a model: numbers that hold nobody, and never a fitted object."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tests.sample_outputs import SENSITIVE, Run, reasons, worst
from wardbook.artefacts.judge import VERDICTS
from wardbook.artefacts.read import read_artefact
from wardbook.domain.output import OutputKind, Verdict
from wardbook.prediction.fitting import build_logistic, fit_logistic, make_design, predict
from wardbook.prediction.release import (
    KeepsPatients,
    describe_model,
    score_document,
    tabulate_model,
)

NAMES = ("crp", "lactate", "sodium")
MODEL = {"kind": "model", "sensitivity": "sensitive", "channel": "share"}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    count = 1200
    frame = pd.DataFrame(
        {
            "crp": np.exp(rng.normal(3, 1, count)),
            "lactate": np.exp(rng.normal(0.4, 0.4, count)),
            "sodium": rng.normal(139, 3, count),
            "age": rng.integers(18, 99, count),
            "sex": rng.choice(["F", "M"], count),
        }
    )
    for name in ("crp", "lactate"):
        frame[name] = frame[name].mask(rng.random(count) < 0.2)
    odds = -1 + 0.5 * (np.log(frame["crp"]).fillna(3) - 3)
    frame["outcome"] = (rng.random(count) < 1 / (1 + np.exp(-odds))).astype(int)
    frame["patient"] = rng.integers(0, 900, count)
    return frame


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> Any:
    return fit_logistic(
        make_design(rows, NAMES), rows["outcome"].to_numpy(), rows["patient"].to_numpy()
    )


def test_the_document_gives_the_model_s_own_risks(rows: pd.DataFrame, model: Any) -> None:
    document = json.loads(json.dumps(describe_model(model, 300)))
    expected = predict(model, make_design(rows, NAMES))
    assert rows[["crp", "lactate"]].isna().any(axis=None)
    np.testing.assert_allclose(score_document(document, rows), expected, atol=1e-9)
    document["terms"][0]["coefficient"] *= 1.01
    assert not np.allclose(score_document(document, rows), expected, atol=1e-9)


def test_the_same_rows_give_the_same_model(rows: pd.DataFrame, model: Any) -> None:
    again = fit_logistic(
        make_design(rows, NAMES), rows["outcome"].to_numpy(), rows["patient"].to_numpy()
    )
    assert describe_model(again, 300) == describe_model(model, 300)


def test_the_table_has_a_row_for_each_term(model: Any) -> None:
    terms = ("intercept", *NAMES, "age_10", "male")
    table = tabulate_model(
        describe_model(model, 300), {one: one.upper() for one in terms}, cases=300, degrees=1190
    )
    assert table["predictor"].tolist() == list(terms)
    assert table["name"].tolist() == [one.upper() for one in terms]


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(),
        DecisionTreeClassifier(random_state=0),
        SVC(),
        HistGradientBoostingClassifier(max_iter=5),
        LogisticRegression(),
        make_pipeline(SimpleImputer(), StandardScaler(), KNeighborsClassifier()),
        make_pipeline(SimpleImputer(), StandardScaler(), DecisionTreeClassifier(random_state=0)),
    ],
    ids=lambda one: type(one).__name__ if not hasattr(one, "steps") else type(one[-1]).__name__,
)
def test_what_may_keep_patients_is_not_written_out(estimator: Any, rows: pd.DataFrame) -> None:
    design = make_design(rows, NAMES).fillna(0)
    estimator.fit(design, rows["outcome"])
    with pytest.raises(KeepsPatients, match="only a logistic regression"):
        describe_model(estimator, 300)


def test_a_coefficient_for_each_few_patients_is_not_written_out(model: Any) -> None:
    """The pipeline has seven coefficients: five predictors and two indicators."""
    assert describe_model(model, 70)["terms"]
    with pytest.raises(KeepsPatients, match="7 coefficients for 69 patients"):
        describe_model(model, 69)


def test_a_regression_with_a_term_for_each_patient_is_not_written_out(rows: pd.DataFrame) -> None:
    some = rows[:200]
    design = make_design(some, NAMES).join(pd.get_dummies(some["patient"], prefix="p", dtype=float))
    fitted = build_logistic().fit(design, some["outcome"])
    with pytest.raises(KeepsPatients, match="single patients could be read"):
        describe_model(fitted, int(some["outcome"].sum()))


@pytest.mark.parametrize("name", ["model.pkl", "model.pickle", "model.joblib"])
def test_a_pickle_is_refused(name: str, tmp_path: Path, model: Any) -> None:
    run = Run(tmp_path).file("model", name, OutputKind.MODEL).declare("model", **MODEL)
    (tmp_path / name).write_bytes(pickle.dumps(model))
    found = run.check(SENSITIVE)
    assert worst(found) is Verdict.REFUSE
    assert reasons(found) == {"type_blocked"}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_with_the_name_of_a_document_is_refused(protocol: int, model: Any) -> None:
    reading = read_artefact("model.json", pickle.dumps(model, protocol=protocol))
    found = {VERDICTS[problem.code] for problem in reading.problems}
    assert Verdict.REFUSE in found
    honest = json.dumps(describe_model(model, 300)).encode()
    assert read_artefact("model.json", honest).problems == ()


def test_no_model_leaves_by_itself_and_a_memory_of_rows_less_than_any(
    rows: pd.DataFrame, model: Any, tmp_path: Path
) -> None:
    """The rules hold every model for two persons: also one that is its own training rows."""
    memory = {"neighbours": make_design(rows, NAMES).fillna(0).to_numpy().tolist()}
    for document in (describe_model(model, 300), memory):
        run = Run(tmp_path).file("model", "model.json", OutputKind.MODEL, json.dumps(document))
        (found,) = run.declare("model", **MODEL).check(SENSITIVE)
        assert (found.verdict, found.reason, found.approvals) == (Verdict.HOLD, "model", 2)
    # As a table, which no person needs to let out, it does not pass either.
    columns = [*NAMES, "age_10", "male"]
    lines = [",".join(columns), *(",".join(map(str, one)) for one in memory["neighbours"])]
    run = Run(tmp_path).table("memory", "\n".join(lines) + "\n", columns=columns)
    assert worst([one for one in run.check(SENSITIVE) if one.output == "memory"]) is Verdict.HOLD

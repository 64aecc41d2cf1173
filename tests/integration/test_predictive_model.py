"""The template predictive_model: run by the engine on the embedded hospital, judged and cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.integration.test_activity_templates import Judged, judge
from tests.integration.test_templates_run import published_texts, run_template
from wardbook.datasets import find_dataset
from wardbook.disclosure.leaving import hidden_rows, read_leaving
from wardbook.domain.output import OutputKind, Verdict
from wardbook.engines.warm_engine import WarmEngine
from wardbook.headlines.reading import LeftTable, read_headlines
from wardbook.hospital.building import build_hospital
from wardbook.prediction.release import score_document
from wardbook.prediction.values import settle_values
from wardbook.template.spec import Template, load_template
from wardbook.warehouse import extract, open_warehouse
from wardbook.wording import write_day

ASKED: dict[str, Any] = {
    "start": {"date": "2024-01-01"},
    "first_test_day": {"date": "2025-01-01"},
    "end": {"date": "2025-12-31"},
    "outcome": ["R65.1"],
    "window_hours": 2,
    "predictors": ["crp", "procalcitonin", "leukocytes", "creatinine", "lactate", "sodium"],
}
pytestmark = [
    pytest.mark.xdist_group("predictive_model"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    database = build_hospital(folder, patients=14_000, seed=3, parts=("biology",))
    dataset = find_dataset("laboratory-values")
    assert dataset is not None
    asked = ASKED | {"start": date(2024, 1, 1), "end": date(2025, 12, 31)}
    with open_warehouse(f"duckdb://{database}") as open_table:
        extract(dataset, open_table, asked, folder / "values.parquet")
    return folder / "values.parquet"


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


@pytest.fixture(scope="module")
def template(root: Path) -> Template:
    return load_template(root / "templates" / "predictive_model")


@pytest.fixture(scope="module")
def judged(
    root: Path,
    template: Template,
    values: Path,
    engine: WarmEngine,
    tmp_path_factory: pytest.TempPathFactory,
) -> Judged:
    run = tmp_path_factory.mktemp("runs") / "run"
    result = run_template(template, run, {"values": values}, ASKED, engine=engine)
    assert result.failure is None
    return Judged(template, run, result, judge(root, template, run, result))


def read_table(judged: Judged, name: str) -> pd.DataFrame:
    return pd.read_csv(judged.folder / "outputs" / f"{name}.csv")


def test_all_but_the_text_and_the_model_leave_by_themselves(judged: Judged) -> None:
    declared = judged.template.spec.outputs
    assert {one.name for one in judged.result.outputs} == set(declared) - {"report"}
    assert all(one.alternative for one in judged.result.outputs if one.kind is OutputKind.FIGURE)
    held = {name for name, verdict in judged.verdicts.items() if verdict is not Verdict.PASS}
    assert held == {"report", "model"}
    assert not hidden_rows(judged.folder), "what is too small was joined before"
    for name in ("risk_groups", "subgroups", "periods"):
        table, behind = read_table(judged, name), read_table(judged, f"{name}_persons")
        assert behind["cases"].min() >= 11, name
        assert (table["visits"] - table["events"]).min() >= 11, name


def test_the_alarm_names_the_day_of_the_drift_and_the_analyser(judged: Judged) -> None:
    texts = published_texts(judged.folder).replace("\\", "")
    drift = read_table(judged, "drift").set_index("predictor")
    changed = drift["changed_on"].dropna()
    assert set(changed.index) == {"sodium", "outcome"}
    assert drift.loc["outcome", "earliest"] <= "2025-07-01" <= drift.loc["outcome", "latest"]
    assert drift.loc["sodium", "earliest"] <= "2025-04-01" <= drift.loc["sodium", "latest"]
    day = write_day(date.fromisoformat(drift.loc["sodium", "changed_on"]), "fr")
    assert "**Alarme. Depuis le" in texts
    assert f"Sodium\u00a0: les valeurs ont changé de niveau le {day}" in texts
    assert "valeurs refusées, car leur unité n'est pas écrite" in texts
    assert "converties d'après l'unité écrite" in texts
    assert "Piège écarté" in texts


def test_the_figures_are_of_the_test_and_the_model_beats_the_rule(judged: Judged) -> None:
    performance = read_table(judged, "performance").set_index(["score", "measure"])
    auc = performance.xs("auc", level="measure")["estimate"]
    assert auc["logistic"] > auc["rule"] + 0.03
    assert 0.75 < auc["logistic"] < 0.84, "no better than the ideal score"
    assert abs(auc["logistic"] - auc["boosting"]) < 0.05
    flow = read_table(judged, "flow").set_index("step")
    groups = read_table(judged, "risk_groups")
    assert groups["visits"].sum() == flow.loc["test", "visits"]
    assert read_table(judged, "periods")["visits"].sum() == flow.loc["test", "visits"]
    assert flow.loc["returning", "visits"] > 0
    effects = read_table(judged, "effects").set_index("predictor")
    assert effects.loc["sodium", "low"] < 1 < effects.loc["sodium", "high"]
    assert effects.loc["lactate", "low"] > 1


def test_the_model_s_document_gives_the_risks_of_its_table(judged: Judged, values: Path) -> None:
    document = json.loads((judged.folder / "outputs/model.json").read_text(encoding="utf-8"))
    dataset = find_dataset("laboratory-values")
    assert dataset is not None
    rows = settle_values(dataset.read(values)).rows
    of_document = score_document(document, rows)
    table = read_table(judged, "coefficients").set_index("predictor")
    terms = [
        {"predictor": name, **row[["coefficient", "if_missing", "missing"]].to_dict()}
        for name, row in table.drop("intercept").iterrows()
    ]
    written = {"intercept": table.loc["intercept", "coefficient"], "terms": terms}
    # Five decimals of a coefficient are up to 7e-4 of log-odds where sodium is 140 mmol/L.
    assert abs(of_document - score_document(written, rows)).max() < 0.25 * 1e-3
    assert "patient" not in json.dumps(document["terms"])


def test_the_headlines_are_of_the_model(judged: Judged) -> None:
    folder, outputs = read_leaving(judged.folder, judged.result.outputs)
    files = {one.name: folder / one.file for one in outputs}
    left = {"performance": LeftTable(files["performance"].read_bytes())}
    told = read_headlines(judged.template.spec, left, "fr")
    performance = read_table(judged, "performance").set_index(["score", "measure"])["estimate"]
    expected = [performance["logistic", measure] for measure in ("auc", "slope")]
    assert [one.value for one in told] == [f"{one:.2f}".replace(".", ",") for one in expected]


def test_too_few_cases_are_refused_with_both_numbers(
    template: Template, values: Path, engine: WarmEngine, tmp_path: Path
) -> None:
    asked = ASKED | {"start": {"date": "2024-12-01"}}
    result = run_template(template, tmp_path / "run", {"values": values}, asked, engine=engine)
    assert result.failure is not None
    assert result.failure.problem == "few_cases"
    assert result.failure.details["need_train"] == 140


def test_values_of_the_next_day_and_a_wrong_day_are_refused(
    template: Template, values: Path, engine: WarmEngine, tmp_path: Path
) -> None:
    late = pd.read_parquet(values)
    late.loc[7, "taken_at"] = late.loc[7, "arrived"] + pd.Timedelta(hours=3)
    late.to_parquet(tmp_path / "late.parquet")
    source = {"values": tmp_path / "late.parquet"}
    result = run_template(template, tmp_path / "run", source, ASKED, engine=engine)
    assert result.failure is not None
    assert (result.failure.problem, result.failure.details["count"]) == ("recorded_late", 1)
    asked = ASKED | {"first_test_day": {"date": "2026-01-01"}}
    result = run_template(template, tmp_path / "other", {"values": values}, asked, engine=engine)
    assert result.failure is not None
    assert result.failure.problem == "day_outside"

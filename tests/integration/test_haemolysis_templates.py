"""Where haemolysed tubes come from, in Python and in R: whole runs, judged as a request's are."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.integration.test_activity_templates import Judged, judge
from tests.integration.test_templates_run import published_texts, run_template
from tests.r_side import require_r
from wardbook.domain.output import OutputKind, Verdict
from wardbook.domain.run import FailureKind
from wardbook.engines.warm_engine import WarmEngine
from wardbook.haemolysis.synthetic import write_tubes
from wardbook.template.spec import load_template

ASKED: dict[str, Any] = {
    "start": {"date": "2024-01-01"},
    "end": {"date": "2025-12-31"},
    "threshold": 50,
    "first_weeks": 52,
}
pytestmark = [
    pytest.mark.xdist_group("haemolysis_templates"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tubes")
    write_tubes(folder, patients=5_000, seed=4)
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


@pytest.fixture(scope="module")
def in_python(root: Path, exports: Path, engine: WarmEngine) -> Judged:
    template, run = load_template(root / "templates/haemolysis_origin"), exports / "python"
    result = run_template(template, run, {"tubes": exports / "tubes.csv"}, ASKED, engine=engine)
    assert result.failure is None
    return Judged(template, run, result, judge(root, template, run, result))


def require_lme4() -> None:
    require_r()
    ask = ["Rscript", "--vanilla", "-e", "stopifnot(requireNamespace('lme4', quietly = TRUE))"]
    if subprocess.run(ask, capture_output=True).returncode:
        pytest.skip("R lacks the package lme4 (Debian package r-cran-lme4)")


def test_the_report_says_what_is_planted_and_leaves_but_for_a_person(
    exports: Path, in_python: Judged
) -> None:
    truth = json.loads((exports / "truth.json").read_text(encoding="utf-8"))["tubes"]
    result, run = in_python.result, in_python.folder
    assert {one.name for one in result.outputs} == set(in_python.template.spec.outputs) - {"report"}
    assert all(one.alternative for one in result.outputs if one.kind is OutputKind.FIGURE)
    held = {name for name, verdict in in_python.verdicts.items() if verdict is not Verdict.PASS}
    assert held == {"report", "figure_chart"}, "weeks with few patients are cut"
    texts = published_texts(run).replace("\\", "")
    assert "Le plus évitable" in texts
    assert "Hépato-gastro-entérologie (" in texts
    assert "Maladies infectieuses (" in texts
    assert "**Pneumologie a changé" in texts
    assert truth["renamed"]["to"] in texts
    for told in ("reçus avant d'être prélevés", "transport inconnu", "sans indice", "en g/L"):
        assert told in texts
    by_ward = pd.read_csv(run / "outputs/by_ward.csv")
    assert set(by_ward["ward"].head(2)) == set(truth["bad_wards"])


def test_small_wards_are_neither_in_the_table_nor_in_the_funnel(
    root: Path, exports: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    lines = (exports / "tubes.csv").read_text(encoding="utf-8")
    added = "".join(
        f"X{at};PX{at};TINY;Petit;2025-02-03T10:0{at};2025-02-03T11:00;serum;venepuncture;elbow;"
        "porter;80;mg/dL;\n"
        for at in range(9)
    )
    (tmp_path / "tubes.csv").write_text(lines + added, encoding="utf-8")
    template = load_template(root / "templates/haemolysis_origin")
    given = {"tubes": tmp_path / "tubes.csv"}
    result = run_template(template, tmp_path / "run", given, ASKED, "en", engine)
    assert result.failure is None
    verdicts = judge(root, template, tmp_path / "run", result)
    assert verdicts["by_ward"] is verdicts["figure_funnel"] is Verdict.PASS
    outputs = tmp_path / "run/outputs"
    for name in ("by_ward", "ward_effects", "weekly", "by_ward_persons", "weekly_persons"):
        assert "TINY" not in set(pd.read_csv(outputs / f"{name}.csv")["ward"]), name
    texts = published_texts(tmp_path / "run").replace("\\", "")
    assert template.texts("en")["wards_hidden"].format(count=1) in texts
    assert "Petit" not in texts


@pytest.mark.parametrize("name", ["haemolysis_origin", "haemolysis_origin_r"])
def test_an_index_in_other_units_is_refused_and_nothing_is_declared(
    name: str, root: Path, exports: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    if name.endswith("_r"):
        require_lme4()
    lines = (exports / "tubes.csv").read_text(encoding="utf-8").splitlines(keepends=True)[:200]
    damaged = [*lines[:-1], lines[-1].replace("mg/dL", "µmol/L").replace("g/L;", "µmol/L;")]
    (tmp_path / "tubes.csv").write_text("".join(damaged), encoding="utf-8")
    template = load_template(root / "templates" / name)
    result = run_template(
        template, tmp_path / "run", {"tubes": tmp_path / "tubes.csv"}, ASKED, engine=engine
    )
    assert result.failure is not None
    assert result.failure.kind is FailureKind.DATA_PROBLEM
    assert (result.failure.problem, result.failure.cell) == ("unit_unknown", 2)
    assert result.failure.details["count"] == 1
    assert result.outputs == ()


@pytest.mark.r
def test_r_gives_the_same_counts_and_odds_ratios(
    root: Path, exports: Path, in_python: Judged, engine: WarmEngine
) -> None:
    require_lme4()
    template, run = load_template(root / "templates/haemolysis_origin_r"), exports / "r"
    result = run_template(template, run, {"tubes": exports / "tubes.csv"}, ASKED, engine=engine)
    assert result.failure is None
    assert {one.name for one in result.outputs} == set(template.spec.outputs) - {"report"}
    ours, theirs = in_python.folder / "outputs", run / "outputs"
    for name in ("by_ward", "weekly"):
        assert (theirs / f"{name}.csv").read_bytes() == (ours / f"{name}.csv").read_bytes(), name
    for name in ("by_ward_persons", "weekly_persons"):
        pd.testing.assert_frame_equal(
            pd.read_csv(theirs / f"{name}.csv"), pd.read_csv(ours / f"{name}.csv"),
            check_dtype=False,
        )  # fmt: skip
    odds, other = (pd.read_csv(one / "odds_ratios.csv") for one in (ours, theirs))
    assert list(odds["term"]) == list(other["term"])
    exact = ["name", "crude", "crude_low", "crude_high", "degrees"]
    pd.testing.assert_frame_equal(odds[exact], other[exact], atol=0.0011)
    estimates = ["odds_ratio", "low", "high"]
    np.testing.assert_allclose(odds[estimates], other[estimates], rtol=0.005)
    verdicts = judge(root, template, run, result)
    assert {name for name, one in verdicts.items() if one is not Verdict.PASS} == {
        "report",
        "figure_chart",
    }
    said, theirs_said = (published_texts(one).replace("\\", "") for one in (in_python.folder, run))
    of_data = said.partition("## Ce qu'il faut")[2].partition("## Les services")[0]
    assert of_data
    assert theirs_said.partition("## Ce qu'il faut")[2].partition("## Les services")[0] == of_data

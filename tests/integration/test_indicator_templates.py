"""The templates on tests and on any metric, run by the engine, judged as a request's are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.bench_indicators import write_rows
from tests.integration.test_activity_templates import judge
from tests.integration.test_templates_run import published_texts, run_template
from tests.planted.indicators import BASELINE, FIRST, draw_series
from wardbook.domain.output import OutputKind, Verdict
from wardbook.domain.run import FailureKind
from wardbook.engines.warm_engine import WarmEngine
from wardbook.epidemic.counting import export_counts, integrate
from wardbook.headlines.reading import LeftTable, read_headlines
from wardbook.template.spec import Template, load_template

pytestmark = [
    pytest.mark.xdist_group("indicator_templates"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
WATCH: dict[str, Any] = {
    "kind": "count",
    "baseline": BASELINE,
    "shift_percent": 30,
    "time_column": "date",
    "value_column": "value",
}
SPF = "data/spf"


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


@pytest.fixture(scope="module")
def indicators(root: Path) -> Template:
    return load_template(root / "templates" / "epidemic_indicators")


@pytest.fixture(scope="module")
def watch(root: Path) -> Template:
    return load_template(root / "templates" / "metric_watch")


def test_counts_of_a_store_are_reported_and_judged(
    root: Path, indicators: Template, engine: WarmEngine, tmp_path: Path
) -> None:
    store, run = tmp_path / "store", tmp_path / "run"
    for number in range(2):
        rows = tmp_path / f"{number}.parquet"
        write_rows(rows, 20_000, FIRST + timedelta(14 * number), 14, number)
        integrate(store, str(number), rows)
    export_counts(store, tmp_path / "counts.parquet")
    given = {"tests": tmp_path / "counts.parquet"}
    result = run_template(indicators, run, given, {}, "en", engine=engine)
    assert result.failure is None
    verdicts = judge(root, indicators, run, result)
    assert Verdict.REFUSE not in verdicts.values()
    assert verdicts["daily"] is Verdict.PASS
    # Overlapping windows tell the days between them: a person looks.
    assert {verdicts[name] for name in ("sliding", "department_sliding")} == {Verdict.HOLD}
    text = published_texts(run)
    assert "Population: INSEE, 1 January 2021" in text
    weekly = pd.read_csv(run / "outputs/weekly.csv")
    assert list(weekly["week"]) == ["2024-W01", "2024-W02", "2024-W03", "2024-W04"]
    assert weekly["tested"].sum() == 40_000
    parts = pd.read_csv(run / "outputs/department_weekly.csv")
    assert parts.groupby("week")["tested"].sum().tolist() == weekly["tested"].tolist()


@pytest.mark.shared_data
def test_the_report_on_the_real_sheet_of_france(
    indicators: Template, engine: WarmEngine, shared: Path, tmp_path: Path
) -> None:
    file = shared / SPF / "sidep_sp-pos-quot-france_vintage2022-03-21.csv"
    asked = {"start": {"date": "2021-11-01"}, "end": {"date": "2022-03-31"}}
    result = run_template(indicators, tmp_path / "run", {"tests": file}, asked, engine=engine)
    assert result.failure is None
    kinds = {o.name: o.kind for o in result.outputs}
    assert "department_weekly" not in kinds
    assert all(o.alternative for o in result.outputs if o.kind is OutputKind.FIGURE)
    text = published_texts(tmp_path / "run")
    assert "67 114 995 habitants" in text.replace("\u202f", " ")
    assert "s'arrêtent au 18 mars 2022" in text  # the source is late
    sliding = pd.read_csv(tmp_path / "run/outputs/sliding.csv").set_index("date")
    assert sliding.index[0] == "2021-11-01"  # the first day looks back
    left = {"weekly": LeftTable((tmp_path / "run/outputs/weekly.csv").read_bytes())}
    told = read_headlines(indicators.spec, left, "fr")
    assert told[0].value == "21,9\u00a0%"


def test_a_file_that_cannot_be_publishes_nothing(
    indicators: Template, engine: WarmEngine, tmp_path: Path
) -> None:
    file = tmp_path / "tests.csv"
    file.write_text("dep;jour;P;T;cl_age90\n35;2020-06-01;12;10;0\n", encoding="utf-8")
    result = run_template(indicators, tmp_path / "run", {"tests": file}, {}, engine=engine)
    assert result.failure is not None
    assert result.failure.kind is FailureKind.DATA_PROBLEM
    assert (result.failure.problem, result.outputs) == ("positives_above_tests", ())


def test_a_shift_is_reported_with_its_beginning(
    root: Path, watch: Template, engine: WarmEngine, tmp_path: Path
) -> None:
    values, shift = draw_series(5)
    lines = [f"{FIRST + timedelta(n)},{value}" for n, value in enumerate(values)]
    file = tmp_path / "visits.csv"
    file.write_text("\n".join(["date,value", *lines[:300], *lines[303:], ""]), encoding="utf-8")
    run = tmp_path / "run"
    result = run_template(watch, run, {"series": file}, WATCH, "en", engine=engine)
    assert result.failure is None
    text = published_texts(run)
    assert "3 period\\(s\\) are missing" in text or "3 period(s) are missing" in text
    change = pd.read_csv(run / "outputs/changes.csv").iloc[0]
    began = FIRST + timedelta(shift)
    assert change["began_low"] <= began.isoformat() <= change["began_high"]
    lengths = pd.read_csv(run / "outputs/run_lengths.csv")
    assert set(lengths["change"]) == {"none", "shift"}
    left = {"summary": LeftTable((run / "outputs/summary.csv").read_bytes())}
    assert len(read_headlines(watch.spec, left, "en")) == 1
    verdicts = judge(root, watch, run, result)
    assert Verdict.REFUSE not in verdicts.values()

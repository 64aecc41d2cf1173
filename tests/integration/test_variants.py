"""The templates on lineages and on COVID-19: run on the embedded hospital, judged and cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tests.integration.test_activity_templates import Judged, judge, metrics_of
from tests.integration.test_templates_run import published_texts, run_template
from wardbook.dashboards.check import find_unanswerable
from wardbook.dashboards.declared import declared_board
from wardbook.dashboards.reading import read_board
from wardbook.datasets import find_dataset
from wardbook.disclosure.leaving import read_leaving
from wardbook.disclosure.sheet import read_sheet
from wardbook.domain.output import OutputKind, Verdict
from wardbook.engines.warm_engine import WarmEngine
from wardbook.hospital.building import build_hospital
from wardbook.metrics.database import MetricsDatabase
from wardbook.metrics.series import Release, put_series, read_series
from wardbook.template.spec import load_template
from wardbook.warehouse import extract, open_warehouse

PATIENTS, SEED = 100_000, 3
PARIS = ZoneInfo("Europe/Paris")
START, END = date(2025, 8, 4), date(2025, 11, 23)
PERIOD = {"start": {"date": START.isoformat()}, "end": {"date": END.isoformat()}}
LINEAGES = PERIOD | {"least": 11, "new_weeks": 16}
DASHBOARD = PERIOD | {"critical_wards": ["REAM", "REAC"], "new_weeks": 16}
KINDS = {"sequences": "sequences", "tests": "covid-tests", "stays": "covid-stays"}
KEY = {
    "A": "",
    "B": "",
    "BA": "B.1.1.529",
    "JN": "B.1.1.529.2.86.1",
    "KP": "B.1.1.529.2.86.1.1.11.1",
    "LP": "B.1.1.529.2.86.1.1.11.1.1.1.3",
    "XEC": ["KS.1.1", "KP.3.3"],
    "XFG": ["LF.7", "LP.8.1.2", "LF.7"],
}
pytestmark = [
    pytest.mark.xdist_group("activity_templates"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the extracts of a large hospital, through the views, and a key of aliases."""
    folder = tmp_path_factory.mktemp("variants")
    database = build_hospital(
        folder / "hospital", patients=PATIENTS, seed=SEED, parts=("sars_cov_2",)
    )
    files = {name: folder / f"{name}.parquet" for name in KINDS}
    with open_warehouse(f"duckdb://{database}") as open_table:
        for name, kind in KINDS.items():
            dataset = find_dataset(kind)
            assert dataset is not None
            extract(dataset, open_table, {"start": START, "end": END}, files[name])
    key = folder / "alias_key.json"
    key.write_text(json.dumps(KEY))
    return files | {"aliases": key}


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


def run(
    root: Path, folder: Path, name: str, given: dict[str, Path], asked: Any, engine: WarmEngine
) -> Judged:
    template = load_template(root / "templates" / name)
    result = run_template(template, folder, given, asked, engine=engine)
    assert result.failure is None
    return Judged(template, folder, result, judge(root, template, folder, result))


@pytest.fixture(scope="module")
def lineages(
    root: Path,
    sources: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    engine: WarmEngine,
) -> Judged:
    given = {name: sources[name] for name in ("sequences", "aliases")}
    folder = tmp_path_factory.mktemp("lineages") / "run"
    return run(root, folder, "variant_emergence", given, LINEAGES, engine)


@pytest.fixture(scope="module")
def dashboard(
    root: Path,
    sources: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    engine: WarmEngine,
) -> Judged:
    folder = tmp_path_factory.mktemp("dashboard") / "run"
    return run(root, folder, "covid_dashboard", sources, DASHBOARD, engine)


def leaving(judged: Judged) -> dict[str, Path]:
    folder, outputs = read_leaving(judged.folder, judged.result.outputs)
    return {one.name: folder / one.file for one in outputs}


def test_the_new_lineage_is_named_and_its_tables_leave(lineages: Judged) -> None:
    held = {name for name, verdict in lineages.verdicts.items() if verdict is not Verdict.PASS}
    assert held == {"report"}, "a report on patients is read by a person"
    assert all(o.alternative for o in lineages.result.outputs if o.kind is OutputKind.FIGURE)
    texts = published_texts(lineages.folder).replace("\\", "")
    assert "**Alerte, nouvelle lignée\u00a0: BA.3.2**" in texts
    assert "**BA.3.2 progresse.**" in texts
    assert "Les dernières semaines sont incomplètes" in texts
    growth = pd.read_csv(leaving(lineages)["growth"], keep_default_na=False).set_index("lineage")
    low, high = (float(growth.loc["BA.3.2", f"advantage_{end}"]) for end in ("low", "high"))
    assert low < 0.07 < high, "as planted, against XFG"


def test_no_small_count_of_a_week_leaves(lineages: Judged) -> None:
    weekly = pd.read_csv(leaving(lineages)["weekly"], keep_default_na=False)
    told = pd.to_numeric(weekly["patients"]).dropna()
    assert ((told == 0) | (told >= 11)).all()
    whole = pd.read_csv(lineages.folder / "outputs/weekly.csv")["patients"]
    assert whole.between(1, 10).any(), "the control: there were some"
    period = pd.read_csv(leaving(lineages)["lineages"], keep_default_na=False)
    assert (period["patients"] >= 11).all()


def test_the_lineage_none_is_counted(root: Path, tmp_path: Path, engine: WarmEngine) -> None:
    """Where and as a file by hand: half a year of 2024, in which it was about."""
    lines = ["sequence;patient;sampled;reported;lineage"]
    for n in range(360):
        day = date.fromordinal(date(2024, 3, 4).toordinal() + n % 90)
        name = ("JN.1", "None", "KP.2", "BA.2.86.1.1")[n % 4]
        lines.append(f"{n};p{n};{day};{day};{name}")
    lines += ["x;px;2024-04-01;2024-03-01;JN.1", "y;py;2024-04-01;;Omicron"]
    path = tmp_path / "sequences.csv"
    path.write_text("\n".join([*lines, ""]))
    key = tmp_path / "alias_key.json"
    key.write_text(json.dumps(KEY))
    asked = LINEAGES | {"start": {"date": "2024-03-04"}, "end": {"date": "2024-06-30"}}
    given = {"sequences": path, "aliases": key}
    judged = run(root, tmp_path / "run", "variant_emergence", given, asked, engine)
    period = pd.read_csv(leaving(judged)["lineages"], keep_default_na=False)
    assert dict(zip(period["lineage"], period["patients"], strict=True)) == {
        "JN.1": 180,
        "None": 90,
        "KP.2": 90,
    }
    texts = published_texts(judged.folder).replace("\\", "")
    said = judged.template.texts("fr")
    for key_of in ("odd_dates", "odd_form"):
        assert said[key_of].format(count=1, file="sequences.csv") in texts
    assert "2024-W24" in texts, "the weeks in June without a sequence"


@pytest.mark.shared_data
def test_the_public_screening_in_place_of_sequences(
    root: Path, shared: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    template = load_template(root / "templates/variant_emergence")
    given = {"sequences": shared / "data/variants/spf_muta_dep_vintage2021-10-02.csv"}
    asked = LINEAGES | {"start": {"date": "2021-05-31"}, "end": {"date": "2021-07-11"}}
    result = run_template(template, tmp_path / "run", given, asked, "en", engine)
    assert result.failure is None
    assert {one.name for one in result.outputs} == {
        "mutations",
        "mutations_growth",
        "figure_mutations",
    }
    assert "**L452R is growing in France**" in published_texts(tmp_path / "run")


def test_the_dashboard_s_metrics_leave_by_themselves(dashboard: Judged) -> None:
    held = {name for name, verdict in dashboard.verdicts.items() if verdict is not Verdict.PASS}
    assert held <= {"report", "figure_present"}, "a picture of a table that was cut"
    assert {one.name for one in dashboard.result.outputs} == set(
        dashboard.template.spec.outputs
    ) - {"report"}
    files = leaving(dashboard)
    for name in metrics_of(dashboard.template):
        shown = pd.read_csv(files[name], keep_default_na=False)
        for column in {"patients", "admissions", "deaths", "positive", "new"} & set(shown):
            told = pd.to_numeric(shown[column]).dropna()
            assert ((told == 0) | (told >= 11)).all(), name
    wards = pd.read_csv(dashboard.folder / "outputs/wards.csv")["patients"]
    assert wards.between(1, 10).any(), "the control: there were small ones"


def test_every_panel_has_rows_and_the_new_lineage_calls(dashboard: Judged, ledger_url: str) -> None:
    """On a real PostgreSQL with Grafana's macros expanded, and on SQLite for the preview."""
    spec, files = dashboard.template.spec, leaving(dashboard)
    series = [
        read_series(read_sheet(files[name]), spec.name, name, spec.outputs[name], PARIS)
        for name in sorted(metrics_of(dashboard.template))
    ]
    board = declared_board(spec, "fr")
    with MetricsDatabase(ledger_url) as database:
        put_series(database, series, Release("DATA-1", "run", datetime.now(UTC)))
        with database.reading() as connection:
            assert list(find_unanswerable(connection, board)) == []
            values = read_board(connection, board)
    assert values is not None
    assert [one.panel.name for one in values.panels if not (one.lines or one.rows)] == []
    told = [value for one in values.panels for line in one.lines for _, value in line.points]
    assert any(value is not None for value in told)
    fired = {one.panel.name for one in values.alerts if one.crossed}
    assert fired == {"new_lineages"}

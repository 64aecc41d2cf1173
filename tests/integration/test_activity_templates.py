"""The templates on wards and laboratory: run by the engine, judged and cut as a request's are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pipelines.cutting import cut_run
from tests.integration.test_templates_run import published_texts, run_template
from wardbook.activity import synthetic
from wardbook.dashboards.check import find_unanswerable
from wardbook.dashboards.declared import declared_board
from wardbook.dashboards.reading import read_board
from wardbook.disclosure import check_outputs, load_policies
from wardbook.disclosure.leaving import hidden_rows, read_leaving
from wardbook.disclosure.sheet import read_sheet
from wardbook.domain.output import Channel, OutputKind, Verdict, verdicts_of
from wardbook.domain.run import RunResult, RunSpec
from wardbook.engines.warm_engine import WarmEngine
from wardbook.metrics.database import MetricsDatabase
from wardbook.metrics.series import Release, put_series, read_series
from wardbook.template.spec import Template, load_template

DAYS = 21
PARIS = ZoneInfo("Europe/Paris")
EXPECTED = {"wards": set(), "laboratory": {"Code du service URGE"}}
PERIOD = {"start": {"date": "2026-02-09"}, "end": {"date": "2026-03-01"}}
WARDS = PERIOD | {"census": "midnight"}
LABORATORY = PERIOD | {"target_minutes": 60, "haemolysis_threshold": 50}
pytestmark = [
    pytest.mark.xdist_group("activity_templates"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    synthetic.write_wards(folder, seed=7, days=DAYS)
    synthetic.write_laboratory(folder, seed=7, days=DAYS)
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


@pytest.fixture(scope="module")
def templates(root: Path) -> Path:
    return root / "templates"


@dataclass(frozen=True)
class Judged:
    """A run of a template whose outputs were judged; its cut tables stand beside them."""

    template: Template
    folder: Path
    result: RunResult
    verdicts: dict[str, Verdict]


@pytest.fixture(scope="module")
def wards(root: Path, templates: Path, exports: Path, engine: WarmEngine) -> Judged:
    return run_and_judge(root, templates / "ward_activity", exports, WARDS, engine)


@pytest.fixture(scope="module")
def laboratory(root: Path, templates: Path, exports: Path, engine: WarmEngine) -> Judged:
    return run_and_judge(root, templates / "laboratory_activity", exports, LABORATORY, engine)


def run_and_judge(
    root: Path, folder: Path, exports: Path, asked: dict[str, Any], engine: WarmEngine
) -> Judged:
    template, run = load_template(folder), exports / folder.name
    given = sources(exports, *(set(template.spec.sources) - {"deaths"}))
    result = run_template(template, run, given, asked, engine=engine)
    assert result.failure is None
    return Judged(template, run, result, judge(root, template, run, result))


def sources(folder: Path, *names: str) -> dict[str, Path]:
    return {name: folder / f"{name}.csv" for name in names}


def judge(root: Path, template: Template, folder: Path, result: RunResult) -> dict[str, Verdict]:
    """Return the verdict on each output; what is cut stands in the run's folder afterwards."""
    declared = template.spec.sources
    ran = RunSpec.read(folder)
    spec = replace(
        ran,
        sources={
            name: replace(one, sensitivity=declared[name].sensitivity)
            for name, one in ran.sources.items()
        },
    )
    spec.write(folder)
    policy = load_policies(root / "policies")["fr-hospital"]
    checks = check_outputs(result.outputs, folder / "outputs", template.spec, spec, policy)
    checks = cut_run(folder, template.spec, policy, checks, lambda _: (), datetime.now(UTC))
    return verdicts_of(checks)


def metrics_of(template: Template) -> set[str]:
    outputs = template.spec.outputs
    return {name for name, one in outputs.items() if one.channel is Channel.GRAFANA}


def test_the_wards_metrics_leave_by_themselves_and_small_wards_are_cut(
    root: Path, wards: Judged, tmp_path: Path
) -> None:
    template, result, verdicts = wards.template, wards.result, wards.verdicts
    run = tmp_path / "run"
    shutil.copytree(wards.folder, run)
    followed = {"readmissions", "readmissions_persons"}  # nobody can be, in three weeks
    assert {one.name for one in result.outputs} == set(template.spec.outputs) - {
        "report",
        *followed,
    }
    assert all(one.alternative for one in result.outputs if one.kind is OutputKind.FIGURE)
    held = {name for name, verdict in verdicts.items() if verdict is not Verdict.PASS}
    assert held == {"report"}, "a report on patients is read by a person"
    folder, outputs = read_leaving(run, result.outputs)
    files = {one.name: folder / one.file for one in outputs}
    presence = pd.read_csv(files["presence"]).groupby("ward")["patients"].count()
    small = {"REAC": 8}
    assert presence[list(small)].sum() == 0, "eight beds: never eleven patients"
    assert presence["SSRE"] == presence["CARD"] == DAYS
    for name in metrics_of(template) & set(hidden_rows(run)):
        shown = pd.read_csv(files[name])
        counts = [c for c in shown if c in ("patients", "movements", "stays", "beds")]
        told = shown[counts].stack().dropna()
        assert ((told == 0) | (told >= 11)).all(), name
    assert "Aucune anomalie" not in published_texts(run), "visits last at the end of the export"

    # The control: one median told of a ward and week with fewer than 22 patients, and it is held.
    stays = pd.read_csv(run / "outputs/length_of_stay.csv")
    untold = stays["median_nights"].isna()
    assert untold.any()
    assert not untold.all()
    stays.loc[untold.idxmax(), "median_nights"] = 3.0
    stays.to_csv(run / "outputs/length_of_stay.csv", index=False)
    policy = load_policies(root / "policies")["fr-hospital"]
    spec, outputs = RunSpec.read(run), run / "outputs"
    reasons = {
        (check.output, check.reason)
        for check in check_outputs(result.outputs, outputs, template.spec, spec, policy)
        if check.verdict is Verdict.HOLD
    }
    assert ("length_of_stay", "percentiles") in reasons


def test_the_laboratory_s_metrics_leave_and_the_bad_ward_is_named(laboratory: Judged) -> None:
    template, result, verdicts = laboratory.template, laboratory.result, laboratory.verdicts
    assert {one.name for one in result.outputs} == set(template.spec.outputs) - {"report"}
    held = {name for name, verdict in verdicts.items() if verdict is not Verdict.PASS}
    assert held <= {"report", "figure_positivity"}, "a picture of a table that was cut"
    assert metrics_of(template).isdisjoint(held)
    texts = published_texts(laboratory.folder).replace("\\", "")
    assert "**Nettement plus que les autres" in texts
    assert "Urgences (" in texts
    assert "Aucune anomalie n'a été trouvée" in texts


@pytest.mark.parametrize("of", ["wards", "laboratory"])
def test_every_panel_of_its_dashboard_has_rows_of_what_left(
    of: str, ledger_url: str, request: pytest.FixtureRequest
) -> None:
    """On a real PostgreSQL with Grafana's macros expanded, and on SQLite for the preview."""
    judged: Judged = request.getfixturevalue(of)
    spec = judged.template.spec
    folder, outputs = read_leaving(judged.folder, judged.result.outputs)
    files = {one.name: folder / one.file for one in outputs}
    series = [
        read_series(read_sheet(files[name]), spec.name, name, spec.outputs[name], PARIS)
        for name in sorted(metrics_of(judged.template))
    ]
    board = declared_board(spec, "fr")
    with MetricsDatabase(ledger_url) as database:
        put_series(database, series, Release("DATA-1", "run", datetime.now(UTC)))
        with database.reading() as connection:
            assert list(find_unanswerable(connection, board)) == []
            values = read_board(connection, board)
    assert values is not None
    silent = [one.panel.name for one in values.panels if not (one.lines or one.rows)]
    assert silent == []
    told = [value for one in values.panels for line in one.lines for _, value in line.points]
    assert any(value is not None for value in told)
    fired = {series for one in values.alerts for series, _ in one.crossed}
    assert fired == EXPECTED[of], "planted is one bad ward, in the laboratory's data"


def test_what_is_odd_is_named_with_its_count(
    templates: Path, exports: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(exports, damaged)
    lines = (
        "X1;Q1;CARD;2026-02-20T10:00;2026-02-19T10:00",
        "X2;Q2;CARD;2091-02-20T10:00;",
        "X3;Q3;NOWHERE;2026-02-20T10:00;",
        "X4;Q4;CARD;2026-02-20T10:00;2026-02-22T10:00",
        "X5;Q4;MEDI;2026-02-21T10:00;2026-02-23T10:00",
        "X6;Q5;CARD;2025-10-26T02:30;2026-02-10T10:00",
    )
    with (damaged / "stays.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    asked = WARDS | {"end": {"date": "2026-03-31"}}
    run = tmp_path / "run"
    template = load_template(templates / "ward_activity")
    result = run_template(template, run, sources(damaged, "stays", "beds"), asked, "en", engine)
    assert result.failure is None
    texts = published_texts(run)
    said = template.texts("en")
    for key in ("odd_reversed", "odd_future", "odd_ward", "odd_overlap", "odd_clock"):
        assert said[key].format(count=1, file="stays.csv") in texts.replace("\\", ""), key
    assert said["late"].partition("{file}")[0].format(end="31 March 2026") in texts
    assert said["without_emergency"] in texts
    presence = pd.read_csv(run / "outputs/presence.csv")
    assert presence["date"].max() == "2026-03-01", "nothing is shown after the export's end"
    assert set(presence["ward"]) == {ward.code for ward in synthetic.WARDS}


def test_without_beds_and_for_two_wards(
    templates: Path, exports: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    template = load_template(templates / "ward_activity")
    run = tmp_path / "run"
    asked = WARDS | {"wards": ["CARD", "SSRE"], "end": {"date": "2026-02-14"}}
    result = run_template(template, run, sources(exports, "stays"), asked, "en", engine)
    assert result.failure is None
    produced = {one.name for one in result.outputs}
    required = {name for name, one in template.spec.outputs.items() if one.required}
    assert required - {"report"} <= produced
    assert produced.isdisjoint({"occupancy", "wards_beds", "emergency_arrivals"})
    assert produced.isdisjoint({"length_of_stay", "movements_weekly"}), "no whole week"
    assert set(pd.read_csv(run / "outputs/presence.csv")["ward"]) == {"CARD", "SSRE"}
    moves = pd.read_csv(run / "outputs/movements_daily.csv").groupby("movement")["movements"].sum()
    assert moves["transfer_in"] > 0, "they come from wards that were not asked for"
    assert "no whole week" in published_texts(run)


@pytest.mark.shared_data
def test_the_public_sheet_in_place_of_visits(
    templates: Path, exports: Path, shared: Path, tmp_path: Path, engine: WarmEngine
) -> None:
    public = shared / "data/ward_flow/sursaud_oscour_dep_2020-04-21.csv"
    lines = (exports / "stays.csv").read_text().replace("2026-", "2020-").replace("2025-", "2019-")
    (tmp_path / "stays.csv").write_text(lines)
    template = load_template(templates / "ward_activity")
    asked = {"start": {"date": "2020-02-24"}, "end": {"date": "2020-03-01"}, "census": "midnight"}
    given = {"stays": tmp_path / "stays.csv", "emergency": public}
    result = run_template(template, tmp_path / "run", given, asked, engine=engine)
    assert result.failure is None
    arrivals = pd.read_csv(tmp_path / "run/outputs/emergency_arrivals.csv")
    national = pd.read_csv(public.with_name("sursaud_oscour_fra_2020-04-21.csv"), sep=";")
    national = national[national["sursaud_cl_age_corona"] == "0"].set_index("date_de_passage")
    assert list(arrivals["arrivals"]) == list(national.loc[arrivals["date"], "nbre_pass_tot"])
    assert "emergency_flow" not in {one.name for one in result.outputs}

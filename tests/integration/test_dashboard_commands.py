"""`wardbook dashboards`, as an operator calls it, on a real PostgreSQL and an imitated Grafana."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, text

from pipelines.cli.main import FAULT, REFUSED, main
from pipelines.dashboards import refresh_grafana
from pipelines.house import House
from pipelines.sample_settings import SAMPLE
from pipelines.story import Pass
from tests.metric_template import write_metric_template
from tests.metric_values import fill
from tests.sample_settings import write_sample
from tests.unit_values import fill_unit
from wardbook.sandbox.faults import Fault
from wardbook.sandbox.grafana import GrafanaSandbox
from wardbook.sandbox.grafana.server import EDITOR
from wardbook.settings import load_settings
from wardbook.template.spec import load_template

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("dashboard_commands")]


@pytest.fixture
def grafana(tmp_path: Path) -> Iterator[GrafanaSandbox]:
    with GrafanaSandbox(tmp_path / "grafana") as grafana:
        grafana.add_datasource("wardbook-metrics")
        yield grafana


@pytest.fixture
def unit(
    tmp_path: Path,
    grafana: GrafanaSandbox,
    postgresql_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """A unit with one template whose metrics were delivered; yields their database's address."""
    folder = write_metric_template(tmp_path / "templates")
    engine = create_engine(postgresql_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        fill(connection, load_template(folder).spec)
        fill_unit(connection)
    engine.dispose()
    here = f'[grafana]\ndatabase = "{postgresql_url}"\nurl = "{grafana.url}"\n'
    settings = SAMPLE.replace("[grafana]\n", here).replace(
        "[unit]\n", '[unit]\ntemplates = "templates"\n'
    )
    file = write_sample(tmp_path, settings)
    environ = {"JIRA_TOKEN": "a", "GITLAB_TOKEN": "b", "GRAFANA_TOKEN": EDITOR}
    for name, value in environ.items():
        monkeypatch.setenv(f"WARDBOOK_{name}", value)
    monkeypatch.setenv("WARDBOOK_SETTINGS", str(file))
    yield postgresql_url


def change(address: str, statement: str) -> None:
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_pushed_once_and_left_alone_after(
    unit: str, grafana: GrafanaSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboards", "push"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "beds: new, 2 alert rules written",
        "unit: new, 0 alert rules written",
    ]
    grafana.journal.clear()
    assert main(["dashboards", "push"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "beds: same, 0 alert rules written"
    assert list(grafana.journal.writes()) == []


def test_a_pass_that_moved_something_pushes_what_is_another_than_last_time(
    unit: str, grafana: GrafanaSandbox, tmp_path: Path
) -> None:
    def pass_over(*moved: str) -> tuple[dict[str, str], list[str]]:
        outcome = Pass(moved=list(moved))
        grafana.journal.clear()
        with House(load_settings(tmp_path / "wardbook.toml", dict(os.environ))) as house:
            refresh_grafana(house, outcome)
        return outcome.faults, [entry.path for entry in grafana.journal]

    assert pass_over() == ({}, []), "nothing moved"
    faults, called = pass_over("DATA-1")
    assert faults == {}
    assert called.count("/api/dashboards/db") == 2
    assert pass_over("DATA-1") == ({}, []), "as last time: Grafana is not even asked"
    change(unit, "delete from beds_daily where time > '2026-02-01'")
    change(unit, "delete from beds_arrivals where time > '2026-02-01'")
    grafana.faults.add(Fault("grafana", "500", nth=1))
    faults, _ = pass_over("DATA-1")
    assert "Grafana" in faults["grafana"]
    grafana.faults.clear()
    faults, called = pass_over("DATA-1")
    assert (faults, called.count("/api/dashboards/db")) == ({}, 1), "the other is as it was"


def test_a_dashboard_on_a_missing_table_is_held_whole(
    unit: str, grafana: GrafanaSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    change(unit, "drop table beds_arrivals")
    assert main(["dashboards", "push"]) == REFUSED
    told = capsys.readouterr()
    assert told.out.splitlines() == ["unit: new, 0 alert rules written"]
    held = told.err.splitlines()
    assert len(held) == 4
    assert held[0].startswith("Held: dashboard beds, panel flow, table beds_arrivals: the table")
    written = [entry.path for entry in grafana.journal.writes()]
    assert written == ["/api/folders", "/api/dashboards/db"], "nothing of it, not even its alerts"


def test_what_a_run_may_leave_out_and_never_came_has_no_panel_yet(
    unit: str, tmp_path: Path, grafana: GrafanaSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    change(unit, "drop table beds_arrivals")
    file = tmp_path / "templates" / "beds" / "template.toml"
    optional = "[outputs.arrivals]\nrequired = false\n"
    file.write_text(file.read_text().replace("[outputs.arrivals]\n", optional))
    assert main(["dashboards", "check"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "beds: 3 panels, 1 alerts"


def test_a_missing_column_is_named_by_the_check(
    unit: str, grafana: GrafanaSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboards", "check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "beds: 6 panels, 2 alerts",
        "unit: 8 panels, 0 alerts",
    ]
    change(unit, "alter table beds_daily drop column length")
    assert main(["dashboards", "check"]) == REFUSED
    (held,) = capsys.readouterr().err.splitlines()
    assert "panel stays, table beds_daily: column m.length does not exist" in held
    assert list(grafana.journal) == []


def test_the_files_are_those_that_grafana_provisions_from(
    unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "provisioning"
    (out / "dashboards" / "wardbook").mkdir(parents=True)
    (out / "dashboards" / "wardbook" / "wardbook-gone.json").write_text("{}")
    assert main(["dashboards", "build", "--out", str(out)]) == 0
    files = {file.relative_to(out).as_posix() for file in out.rglob("*.*")}
    assert files == {
        "alerting/wardbook.yaml",
        "dashboards/wardbook.yaml",
        "dashboards/wardbook/wardbook-beds.json",
        "dashboards/wardbook/wardbook-unit.json",
        "datasources/wardbook.yaml",
    }
    (source,) = yaml.safe_load((out / "datasources/wardbook.yaml").read_text())["datasources"]
    assert source["uid"] == "wardbook-metrics"
    assert source["secureJsonData"] == {"password": "$WARDBOOK_GRAFANA_PASSWORD"}
    (group,) = yaml.safe_load((out / "alerting/wardbook.yaml").read_text())["groups"]
    query = group["rules"][0]["data"][0]["model"]["rawSql"]
    assert '$$__timeFilter(m."time")' in query, "else Grafana takes it for its environment's"
    board = json.loads((out / "dashboards/wardbook/wardbook-beds.json").read_text())
    assert board["time"]["to"].startswith("2026-03-14T23:00:00"), "the data ended long ago"
    before = {file: (out / file).read_bytes() for file in files}
    assert main(["dashboards", "build", "--out", str(out)]) == 0
    assert {file: (out / file).read_bytes() for file in files} == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('url = "http', '# url = "http', "No Grafana to push to"),
        ('database = "', '# database = "', "yours stand in SQLite"),
    ],
)
def test_what_the_settings_lack_is_told(
    unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    file = tmp_path / "wardbook.toml"
    head, _, grafana = file.read_text().partition("[grafana]")
    file.write_text(f"{head}[grafana]{grafana.replace(old, new, 1)}")
    assert main(["dashboards", "push"]) == FAULT
    assert told in capsys.readouterr().err


def test_a_database_that_is_away_is_told(
    unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wardbook.toml"
    file.write_text(file.read_text().replace("?host=", "?host=/nowhere"))
    assert main(["dashboards", "check"]) == FAULT
    assert "Metrics could not be read" in capsys.readouterr().err

"""Every query of every dashboard, its macros expanded, on a real PostgreSQL and on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from tests.metric_template import DECLARED, write_metric_template
from tests.metric_values import DAYS, OLDER, REQUEST, WITHHELD_DAY, begin, fill
from tests.unit_values import fill_unit
from wardbook.dashboards.board import Board
from wardbook.dashboards.check import find_unanswerable
from wardbook.dashboards.declared import declared_board
from wardbook.dashboards.macros import UnknownMacro, Window, expand
from wardbook.dashboards.reading import BoardValues, PanelValues, read_board
from wardbook.dashboards.unit import unit_board
from wardbook.template.spec import TemplateSpec, load_template


@pytest.fixture
def connection(ledger_url: str) -> Iterator[Connection]:
    engine = create_engine(ledger_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def load(folder: Path, declared: str = DECLARED) -> TemplateSpec:
    return load_template(write_metric_template(folder, declared)).spec


def shown(connection: Connection, board: Board) -> BoardValues:
    assert list(find_unanswerable(connection, board)) == []
    values = read_board(connection, board)
    assert values is not None
    return values


def panel(values: BoardValues, name: str) -> PanelValues:
    return next(one for one in values.panels if one.panel.name == name)


def test_every_panel_of_a_template_has_rows(connection: Connection, tmp_path: Path) -> None:
    spec = load(tmp_path)
    fill(connection, spec)
    values = shown(connection, declared_board(spec, "fr"))
    assert values.request == REQUEST
    assert values.window.end == begin(DAYS - 1)
    for one in values.panels:
        assert one.lines or one.rows, one.panel.name


def test_a_line_for_each_ward_and_a_gap_where_it_is_withheld(
    connection: Connection, tmp_path: Path
) -> None:
    spec = load(tmp_path)
    fill(connection, spec)
    values = shown(connection, declared_board(spec, "fr"))
    lines = {line.name: line for line in panel(values, "occupancy").lines}
    assert set(lines) == {"Cardiologie", "GERI", "URGE"}, "words for codes; the total is no ward"
    assert len(lines["GERI"].points) == 61, "60 days, both ends"
    hidden = [moment for moment, value in lines["URGE"].points if value is None]
    assert hidden == [begin(WITHHELD_DAY)]
    (stays,) = (line for line in panel(values, "now").lines)
    assert stays.last == 80.0 + (DAYS - 1) % 12, "the total's own row, of the latest request"


def test_a_sum_over_a_withheld_cell_is_not_shown(connection: Connection, tmp_path: Path) -> None:
    spec = load(tmp_path)
    fill(connection, spec)
    values = shown(connection, declared_board(spec, "en"))
    arrivals, admitted = panel(values, "each_day").lines
    assert (arrivals.name, admitted.name) == ("Arrivals", "Admitted")
    days = dict(arrivals.points)
    assert days[begin(DAYS - 2)] is None
    assert days[begin(DAYS - 1)] == 3 * 2 * sum(10.0 + one for one in range(6))
    assert admitted.points[-2][1] is None
    heat = panel(values, "flow").lines
    assert [line.name for line in heat] == [f"{hour:02d}" for hour in range(0, 24, 2)]
    assert [line.name for line in heat if line.points[-2][1] is None] == ["08"]


def test_a_rate_is_made_of_sums(connection: Connection, tmp_path: Path) -> None:
    spec = load(tmp_path)
    fill(connection, spec)
    rows = panel(shown(connection, declared_board(spec, "fr")), "admission").rows
    shares = {row["triage"]: row["admitted_per_arrivals"] for row in rows}
    assert shares == {
        "2": pytest.approx(60),
        "3": pytest.approx(30),
        "5": pytest.approx(5),
    }


def test_an_alert_calls_after_its_periods_in_a_row(connection: Connection, tmp_path: Path) -> None:
    spec = load(tmp_path)
    fill(connection, spec)
    occupancy, admission = shown(connection, declared_board(spec, "fr")).alerts
    assert occupancy.crossed == (("Service GERI", 97.5),), "CARD is over it on one day only"
    assert [series for series, _ in admission.crossed] == ["Tri 5"]


def test_an_alert_says_nothing_where_a_period_is_withheld(
    connection: Connection, tmp_path: Path
) -> None:
    spec = load(tmp_path)
    fill(connection, spec)
    connection.execute(
        text("update beds_daily set occupancy = null where ward = 'GERI' and time = :time"),
        {"time": begin(DAYS - 2)}
        if connection.dialect.name == "postgresql"
        else {"time": begin(DAYS - 2).strftime("%Y-%m-%d %H:%M:%S.%f")},
    )
    occupancy, _ = shown(connection, declared_board(spec, "fr")).alerts
    assert occupancy.crossed == ()


def test_every_panel_of_the_unit_has_rows(connection: Connection) -> None:
    fill_unit(connection)
    values = shown(connection, unit_board("fr"))
    for one in values.panels:
        assert one.lines or one.rows, one.panel.name
    lead = {row["step"]: row["hours"] for row in panel(values, "lead").rows}
    assert lead["du dépôt à la réponse"] == pytest.approx(27.0), "the median of 24, 26, 28, 240"
    runs = {line.name: line for line in panel(values, "runs").lines}
    assert sum(value or 0 for _, value in runs["réussi"].points) == 6


def test_a_missing_table_is_named_with_its_place(connection: Connection, tmp_path: Path) -> None:
    spec = load(tmp_path)
    board = declared_board(spec, "fr")
    fill(connection, spec)
    connection.execute(text("drop table beds_arrivals"))
    told = [str(one) for one in find_unanswerable(connection, board)]
    assert len(told) == 4, "three panels and an alert"
    assert told[0].startswith("dashboard beds, panel flow, table beds_arrivals: ")
    assert read_board(connection, board) is None


def test_a_missing_column_is_named_with_its_place(connection: Connection, tmp_path: Path) -> None:
    spec = load(tmp_path)
    fill(connection, spec)
    connection.execute(text("alter table beds_daily drop column length"))
    (told,) = find_unanswerable(connection, declared_board(spec, "fr"))
    assert str(told).startswith("dashboard beds, panel stays, table beds_daily: ")
    assert "length" in told.said
    connection.execute(text("select 1"))  # the transaction goes on


def test_another_request_keeps_to_itself(connection: Connection, tmp_path: Path) -> None:
    spec = load(tmp_path)
    fill(connection, spec)
    board = declared_board(spec, "fr")
    query = next(one.query for one in board.panels if one.name == "stays")
    window = Window.ending(begin(DAYS), 90)
    dialect = "postgresql" if connection.dialect.name == "postgresql" else "sqlite"
    chosen = {"request": [OLDER], "ward": ["CARD"]}
    sent = expand(query, window, chosen, dialect)
    (row,) = connection.exec_driver_sql(sent).mappings()
    assert row["stays"] == 9_999.0


def test_codes_are_quoted_and_not_expanded_again(connection: Connection) -> None:
    hostile = 'x\') OR $__timeFilter("time") --'
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    sent = expand("SELECT ${ward:sqlstring} AS code", window, {"ward": [hostile]}, "postgresql")
    assert connection.exec_driver_sql(sent).scalar() == hostile


def test_what_is_not_expanded_is_refused() -> None:
    window = Window.ending(datetime(2026, 1, 2, tzinfo=UTC), 1)
    with pytest.raises(UnknownMacro, match=r"\$__interval"):
        expand("SELECT $__interval", window, {}, "postgresql")


def test_the_filter_of_time_holds_both_ends() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    window = Window(start, start + timedelta(days=1))
    assert expand('$__timeFilter(m."time")', window, {}, "postgresql") == (
        "m.\"time\" BETWEEN '2026-01-01T00:00:00.000Z' AND '2026-01-02T00:00:00.000Z'"
    )

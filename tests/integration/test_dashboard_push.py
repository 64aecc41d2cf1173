"""Dashboards are pushed by grafana-client to an imitation of Grafana, which can fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.metric_template import write_metric_template
from wardbook.dashboards.board import Board
from wardbook.dashboards.declared import declared_board
from wardbook.dashboards.grafana_port import GrafanaPort
from wardbook.dashboards.push import Place, Pushed, find_left_over, push_boards
from wardbook.dashboards.unit import unit_board
from wardbook.errors import ForeignFault
from wardbook.sandbox.faults import Fault
from wardbook.sandbox.grafana import GrafanaSandbox
from wardbook.sandbox.grafana.server import EDITOR, VIEWER
from wardbook.template.spec import load_template

PLACE = Place("wardbook", "Wardbook", "wardbook-metrics", "Europe/Paris")


@pytest.fixture
def grafana(tmp_path: Path) -> Iterator[GrafanaSandbox]:
    with GrafanaSandbox(tmp_path / "grafana") as grafana:
        grafana.add_datasource(PLACE.datasource)
        yield grafana


@pytest.fixture
def port(grafana: GrafanaSandbox) -> GrafanaPort:
    return GrafanaPort(grafana.url, EDITOR)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return declared_board(load_template(write_metric_template(tmp_path)).spec, "fr")


def test_what_is_there_is_not_written_again(
    grafana: GrafanaSandbox, port: GrafanaPort, board: Board
) -> None:
    boards = [(board, None), (unit_board("fr"), None)]
    assert push_boards(port, boards, PLACE) == [Pushed("beds", "new", 2), Pushed("unit", "new", 0)]
    grafana.journal.clear()
    assert push_boards(port, boards, PLACE) == [
        Pushed("beds", "same", 0),
        Pushed("unit", "same", 0),
    ]
    assert list(grafana.journal.writes()) == []


def test_what_changed_is_saved_over_its_version(port: GrafanaPort, board: Board) -> None:
    push_boards(port, [(board, None)], PLACE)
    changed = replace(board, title="Lits et séjours")
    # The rules name the panel, not the board's title: none of them changes.
    assert push_boards(port, [(changed, None)], PLACE) == [Pushed("beds", "changed", 0)]
    found = port.find_dashboard(board.uid)
    assert found is not None
    assert (found["dashboard"]["title"], found["meta"]["version"]) == ("Lits et séjours", 2)


def test_an_alert_that_is_declared_no_more_goes(port: GrafanaPort, board: Board) -> None:
    push_boards(port, [(board, None)], PLACE)
    fewer = replace(board, panels=tuple(p for p in board.panels if p.name != "admission"))
    assert push_boards(port, [(fewer, None)], PLACE) == [Pushed("beds", "changed", 1)]
    assert [one["labels"]["severity"] for one in port.find_rules("wardbook", "beds")] == [
        "critical"
    ]


def test_a_save_in_between_is_met_once(
    grafana: GrafanaSandbox, port: GrafanaPort, board: Board
) -> None:
    """Somebody saves while our own save is on its way: we look again and save over theirs."""
    push_boards(port, [(board, None)], PLACE)
    other = GrafanaPort(grafana.url, EDITOR)
    saved = port.save_dashboard

    def save_late(dashboard: dict[str, object], folder: str, message: str) -> None:
        port.save_dashboard = saved  # type: ignore[method-assign]
        found = other.find_dashboard(board.uid)
        assert found is not None
        other.save_dashboard({**found["dashboard"], "title": "Theirs"}, folder, "by hand")
        saved(dashboard, folder, message)

    port.save_dashboard = save_late  # type: ignore[method-assign,assignment]
    changed = replace(board, title="Ours")
    assert push_boards(port, [(changed, None)], PLACE)[0].dashboard == "changed"
    found = port.find_dashboard(board.uid)
    assert found is not None
    assert (found["dashboard"]["title"], found["meta"]["version"]) == ("Ours", 3)


def test_a_cut_connection_is_told_and_the_next_push_mends_it(
    grafana: GrafanaSandbox, port: GrafanaPort, board: Board
) -> None:
    grafana.faults.add(
        Fault(server="grafana", effect="cut_after", method="POST", path="/alert-rules$", nth=1)
    )
    with pytest.raises(ForeignFault, match="could not be reached to make an alert rule"):
        push_boards(port, [(board, None)], PLACE)
    assert push_boards(port, [(board, None)], PLACE) == [Pushed("beds", "same", 1)]
    assert len(port.find_rules("wardbook", "beds")) == 2, "none twice"


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        ("500", r"failed to save a dashboard \(HTTP 500: Internal server error\)"),
        ("503", r"failed to save a dashboard \(HTTP 503\)"),
        ("cut_before", "could not be reached to save a dashboard"),
    ],
)
def test_a_failing_grafana_is_told(
    grafana: GrafanaSandbox, port: GrafanaPort, board: Board, effect: str, told: str
) -> None:
    fault = {"server": "grafana", "effect": effect, "method": "POST", "path": "/dashboards/db$"}
    grafana.faults.add(Fault(**fault))  # type: ignore[arg-type]
    with pytest.raises(ForeignFault, match=told):
        push_boards(port, [(board, None)], PLACE)


def test_a_wrong_token_and_one_that_may_only_read(grafana: GrafanaSandbox, board: Board) -> None:
    with pytest.raises(ForeignFault, match="does not know our token"):
        push_boards(GrafanaPort(grafana.url, "wrong"), [(board, None)], PLACE)
    with pytest.raises(ForeignFault, match="does not let our account do it"):
        push_boards(GrafanaPort(grafana.url, VIEWER), [(board, None)], PLACE)
    assert list(grafana.journal.writes()) == []


def test_a_grafana_that_is_too_old_is_told(tmp_path: Path, board: Board) -> None:
    with GrafanaSandbox(tmp_path / "old", version="9.5.20") as old:
        with pytest.raises(ForeignFault, match=r"version 9\.5\.20, too old"):
            push_boards(GrafanaPort(old.url, EDITOR), [(board, None)], PLACE)
        assert list(old.journal.writes()) == []


def test_a_data_source_that_is_not_there_is_told(tmp_path: Path, board: Board) -> None:
    with (
        GrafanaSandbox(tmp_path / "bare") as bare,
        pytest.raises(ForeignFault, match="no data source with the uid 'wardbook-metrics'"),
    ):
        push_boards(GrafanaPort(bare.url, EDITOR), [(board, None)], PLACE)


def test_nobody_there_is_told(board: Board) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = GrafanaPort(f"http://127.0.0.1:{taken.getsockname()[1]}", EDITOR)
        with pytest.raises(ForeignFault, match="could not be reached to ask its version"):
            push_boards(port, [(board, None)], PLACE)


def test_what_no_template_declares_any_more_is_named(port: GrafanaPort, board: Board) -> None:
    push_boards(port, [(board, None), (unit_board("fr"), None)], PLACE)
    assert find_left_over(port, [board, unit_board("fr")], PLACE) == []
    assert find_left_over(port, [board], PLACE) == ["L’unité elle-même"]


def test_state_outlives_the_process(tmp_path: Path, board: Board) -> None:
    with GrafanaSandbox(tmp_path / "kept") as first:
        first.add_datasource(PLACE.datasource)
        push_boards(GrafanaPort(first.url, EDITOR), [(board, None)], PLACE)
    with GrafanaSandbox(tmp_path / "kept") as again:
        pushed = push_boards(GrafanaPort(again.url, EDITOR), [(board, None)], PLACE)
    assert pushed == [Pushed("beds", "same", 0)]

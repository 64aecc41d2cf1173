"""Every dashboard and alert holds to Grafana's own JSON schemas; what does not is refused."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.metric_template import write_metric_template
from wardbook.dashboards.alerts import build_rules
from wardbook.dashboards.board import Board
from wardbook.dashboards.declared import declared_board, declared_boards
from wardbook.dashboards.grafana import build_dashboard, write_json
from wardbook.dashboards.unit import unit_board
from wardbook.messages import LANGUAGES, Language
from wardbook.template.spec import load_catalogue, load_template

pytestmark = pytest.mark.shared_data
OPTIONS = {"timeseries", "stat", "table", "heatmap", "barchart"}


@cache
def schema(folder: Path, name: str) -> Any:
    file = folder / "grafana+grafana-foundation-sdk" / "jsonschema" / f"{name}.jsonschema.json"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture
def schemas(shared: Path) -> Path:
    return shared / "contracts" / "grafana"


def boards(root: Path, tmp_path: Path, language: Language) -> list[Board]:
    beds = load_template(write_metric_template(tmp_path / language))
    shipped = declared_boards(load_catalogue(root / "templates"), language)
    return [declared_board(beds.spec, language), unit_board(language), *shipped]


def check_dashboard(schemas: Path, built: Any) -> None:
    """Validate a dashboard, and each panel's options and fields by its own plugin's schema."""
    validate(schema(schemas, "dashboard"), "Dashboard", built)
    for panel in built["panels"]:
        plugin = schema(schemas, panel["type"])
        validate(plugin, "Options", panel.get("options", {}))
        custom = panel["fieldConfig"]["defaults"].get("custom")
        if custom is not None:
            validate(plugin, "FieldConfig", custom)


def validate(whole: Any, name: str, value: Any) -> None:
    held = {**whole, "$ref": f"#/definitions/{name}"}
    jsonschema.Draft7Validator.check_schema(held)
    jsonschema.Draft7Validator(held).validate(value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_dashboard_holds_to_the_schemas(
    root: Path, schemas: Path, tmp_path: Path, language: Language
) -> None:
    for board in boards(root, tmp_path, language):
        built = build_dashboard(board, "wardbook-metrics", "Europe/Paris")
        check_dashboard(schemas, built)
        assert {panel["type"] for panel in built["panels"]} <= OPTIONS
        assert len(built["panels"]) == len(board.panels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alert_holds_to_the_schemas(
    root: Path, schemas: Path, tmp_path: Path, language: Language
) -> None:
    alerting, expr = schema(schemas, "alerting"), schema(schemas, "expr")
    seen = 0
    for board in boards(root, tmp_path, language):
        for rule in build_rules(board, "wardbook-metrics", "wardbook"):
            validate(alerting, "Rule", rule)
            validate(expr, "TypeThreshold", rule["data"][1]["model"])
            seen += 1
    assert seen >= 2


BREAKS = {
    "a panel without its type": lambda built: built["panels"][0].pop("type"),
    "an unknown key": lambda built: built.update(colour="blue"),
    "a wrong option": lambda built: built["panels"][0]["options"].update(graphMode="loud"),
    "a text for a threshold": lambda built: built["panels"][0]["fieldConfig"]["defaults"][
        "thresholds"
    ]["steps"][1].update(value="x"),
    "a variable of no type": lambda built: built["templating"]["list"][0].update(type="guess"),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_dashboard_is_refused(schemas: Path, tmp_path: Path, broken: str) -> None:
    spec = load_template(write_metric_template(tmp_path)).spec
    built = build_dashboard(declared_board(spec, "fr"), "wardbook-metrics", "Europe/Paris")
    check_dashboard(schemas, copy.deepcopy(built))
    BREAKS[broken](built)
    with pytest.raises(jsonschema.ValidationError):
        check_dashboard(schemas, built)


def test_the_same_board_gives_the_same_bytes(tmp_path: Path) -> None:
    spec = load_template(write_metric_template(tmp_path)).spec
    first, again = (
        write_json(build_dashboard(declared_board(spec, "fr"), "wardbook-metrics", "Europe/Paris"))
        for _ in range(2)
    )
    assert first == again
    assert b"Occupation des lits" in first

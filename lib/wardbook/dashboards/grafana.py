"""A board as Grafana's own JSON, built with its foundation SDK: the same board, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, cast

from grafana_foundation_sdk.builders import (
    barchart,
    common,
    dashboard,
    heatmap,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heatmap_models

from wardbook.dashboards.board import TIME, Board, Panel, Threshold, Variable
from wardbook.dashboards.macros import Window
from wardbook.dashboards.spec import Kind, Severity, Unit
from wardbook.messages import Language, say

SOURCE_TYPE = "grafana-postgresql-datasource"
COLOURS: Mapping[Severity, str] = {"info": "blue", "warning": "orange", "critical": "red"}
WELL = "green"
_WIDTH: Mapping[Kind, int] = {"stat": 6, "timeseries": 12, "table": 12, "heatmap": 24, "bar": 12}
_HEIGHT: Mapping[Kind, int] = {"stat": 5, "timeseries": 9, "table": 9, "heatmap": 10, "bar": 9}
_ALL_WIDTH = 24
_NEWER_OPTIONS: Mapping[str, Mapping[str, object]] = {
    "heatmap": {"tooltip": {"mode": "single", "yHistogram": False}},
    "stat": {"percentChangeColorMode": "standard", "showPercentChange": False, "wideLayout": True},
}
"""What Grafana asks of a panel beyond what the SDK knows: its own defaults."""


class SqlQuery(cogvariants.Dataquery):
    """A query of Grafana's data source for PostgreSQL, which the SDK has no model of."""

    def __init__(self, query: str, shape: str, source: str, ref: str = "A") -> None:
        self._json = {
            "datasource": {"type": SOURCE_TYPE, "uid": source},
            "editorMode": "code",
            "format": shape,
            "rawQuery": True,
            "rawSql": query,
            "refId": ref,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the query as Grafana keeps it."""
        return self._json


class BuiltQuery(cogbuilder.Builder[cogvariants.Dataquery]):
    """A query, for the SDK's builders."""

    def __init__(self, query: cogvariants.Dataquery) -> None:
        self._query = query

    def build(self) -> cogvariants.Dataquery:
        """Return the query."""
        return self._query


class _Drawn(Protocol):
    """What the SDK's builders of panels have in common; each returns itself."""

    def build(self) -> models.Panel: ...


def encode(built: object) -> Any:
    """Return what the SDK built as plain JSON values."""
    return json.loads(json.dumps(built, cls=JSONEncoder))


def write_json(built: object) -> bytes:
    """Return JSON values as text: sorted, indented, ended by a line break."""
    return (json.dumps(built, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def build_dashboard(
    board: Board, source: str, zone: str, window: Window | None = None
) -> dict[str, Any]:
    """Build the dashboard of a board, as Grafana keeps it.

    Args:
        board: what it shows.
        source: the uid of the data source in Grafana.
        zone: the unit's time zone.
        window: the time shown at first, where the data ended long ago; otherwise the last days.
    """
    span = (
        (_stamp(window.start), _stamp(window.end)) if window else (f"now-{board.span_days}d", "now")
    )
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.help)
        .tags(["wardbook", board.name])
        .timezone(zone)
        .time(*span)
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .week_start("monday")
    )
    for variable in board.variables:
        built.with_variable(_variable(variable, source))
    for number, panel in enumerate(board.panels, start=1):
        built.with_panel(cast(Any, _panel(panel, number, board.language, source)))
    whole: dict[str, Any] = encode(built.build())
    # The SDK writes these two still; Grafana has them no more.
    del whole["style"]
    for variable in whole["templating"].get("list", []):
        del variable["id"]
    for panel in whole["panels"]:
        panel["options"].update(_NEWER_OPTIONS.get(panel["type"], {}))
    return whole


def _variable(variable: Variable, source: str) -> dashboard.QueryVariable:
    built = (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .query(variable.query)
        .datasource(_source(source))
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(models.VariableSort.DISABLED)
        .multi(variable.many)
        .include_all(variable.many)
    )
    if variable.many:
        everything = models.VariableOption(selected=True, text=["All"], value=["$__all"])
        built.current(everything)
    return built


def _panel(panel: Panel, number: int, language: Language, source: str) -> _Drawn:
    draw = {
        "timeseries": _timeseries,
        "stat": _stat,
        "table": _table,
        "heatmap": _heatmap,
        "bar": _bar if panel.latest else _timeseries,
    }[panel.kind]
    shape = "table" if panel.latest else "time_series"
    built: Any = draw(panel, language)
    built.id(number).title(panel.title).datasource(_source(source))
    built.with_target(BuiltQuery(SqlQuery(panel.query, shape, source)))
    built.height(_HEIGHT[panel.kind]).span(_ALL_WIDTH if panel.wide else _WIDTH[panel.kind])
    built.no_value(say(language, "dashboard.withheld")).unit(grafana_unit(panel.unit, language))
    built.thresholds(_steps(panel.thresholds))
    if panel.help:
        built.description(panel.help)
    if panel.decimals is not None:
        built.decimals(panel.decimals)
    if names := {k: label for k, label in panel.labels.items() if k != TIME or panel.latest}:
        built.with_transformation(_rename(names))
    return cast(_Drawn, built)


def _rename(names: Mapping[str, str]) -> models.DataTransformerConfig:
    # Not by overrides: the schemas take only objects where Grafana takes a column's name.
    options = {"renameByName": names, "excludeByName": {}, "indexByName": {}}
    return models.DataTransformerConfig(id_val="organize", options=options)


def _timeseries(panel: Panel, _language: Language) -> timeseries.Panel:
    bars = panel.kind == "bar"
    style = common_models.GraphDrawStyle
    built = (
        timeseries.Panel()
        .draw_style(style.BARS if bars else style.LINE)
        .fill_opacity(60 if bars else 0)
        .line_width(2)
        .span_nulls(False)  # what is withheld is a gap
        .axis_soft_min(0)
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
    )
    if panel.thresholds:
        dashed = common_models.GraphTresholdsStyleMode.DASHED
        built.thresholds_style(common.GraphThresholdsStyleConfig().mode(dashed))
    return built


def _stat(panel: Panel, _language: Language) -> stat.Panel:
    mode = common_models.BigValueColorMode
    return (
        stat.Panel()
        # `last`, not `lastNotNull`: a withheld value is not replaced by an older one.
        .reduce_options(common.ReduceDataOptions().calcs(["last"]).fields("").values(False))
        .color_mode(mode.VALUE if panel.thresholds else mode.NONE)
        .graph_mode(common_models.BigValueGraphMode.AREA)
    )


def _table(_panel: Panel, _language: Language) -> table.Panel:
    return table.Panel().show_header(True)


def _heatmap(panel: Panel, language: Language) -> heatmap.Panel:
    colour = (
        heatmap.HeatmapColorOptions()
        .mode(heatmap_models.HeatmapColorMode.SCHEME)
        .scheme("Blues")
        .steps(64)
    )
    cell = heatmap.CellValues().unit(grafana_unit(panel.unit, language))
    return heatmap.Panel().calculate(False).color(colour).cell_values(cell).show_legend()


def _bar(panel: Panel, _language: Language) -> barchart.Panel:
    labels = [label for column, label in panel.labels.items() if column != TIME]
    return (
        barchart.Panel()
        .x_field(labels[0])  # as it is called once renamed
        .orientation(common_models.VizOrientation.HORIZONTAL)
        .show_value(common_models.VisibilityMode.AUTO)
        .legend(_legend())
    )


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(common_models.LegendDisplayMode.LIST)
        .placement(common_models.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    )


def _steps(thresholds: tuple[Threshold, ...]) -> dashboard.ThresholdsConfig:
    below = sorted((one for one in thresholds if not one.above), key=lambda one: one.value)
    above = sorted((one for one in thresholds if one.above), key=lambda one: one.value)
    colours = [*(COLOURS[one.severity] for one in below), WELL]
    bounds = [None, *(one.value for one in below)]
    steps = [models.Threshold(value, colour) for value, colour in zip(bounds, colours, strict=True)]
    steps += [models.Threshold(one.value, COLOURS[one.severity]) for one in above]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def grafana_unit(unit: Unit, language: Language) -> str:
    """Return Grafana's word for a unit: a suffix, since its own durations are English."""
    if unit == "number":
        return "locale"
    if unit == "fraction":
        return "percentunit"
    return f"suffix:{say(language, f'dashboard.suffix_{unit}')}"


def _source(uid: str) -> models.DataSourceRef:
    return models.DataSourceRef(SOURCE_TYPE, uid)


def _stamp(moment: Any) -> str:
    return str(moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"))

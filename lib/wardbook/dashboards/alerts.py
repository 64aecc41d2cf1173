"""The alert rules of a board, for Grafana's unified alerting.

The query says for how many periods in a row; Grafana compares its rows with the threshold. A
query without rows is well: nothing lies beyond, or the rules withheld what would tell.
"""

from __future__ import annotations

from typing import Any, cast

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.models import alerting as models
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from wardbook.dashboards.board import Alert, Board, Panel, Threshold
from wardbook.dashboards.grafana import BuiltQuery, SqlQuery, encode
from wardbook.dashboards.macros import DAY_SECONDS

EXPRESSION = "__expr__"
_LONGEST_TITLE = 190


def build_rules(board: Board, source: str, folder: str) -> list[dict[str, Any]]:
    """Build the rules of a board, as Grafana keeps them; `source`, `folder` are uids there."""
    return [
        encode(
            _rule(board, panel, threshold, alert)
            .uid(uid)
            .folder_uid(folder)
            .queries([_query(alert, source), _compare(threshold)])
            .build()
        )
        for panel, threshold, alert, uid in board.alerts()
    ]


def _rule(board: Board, panel: Panel, threshold: Threshold, alert: Alert) -> alerting.Rule:
    place = next(n for n, one in enumerate(board.panels, start=1) if one is panel)
    return (
        alerting.Rule(_title(board, panel, threshold))
        .rule_group(board.name)
        .condition("B")
        .for_val("0s")
        .org_id(1)
        .no_data_state("OK")
        .exec_err_state("Error")
        .is_paused(False)
        .labels({"severity": threshold.severity, "dashboard": board.name})
        .annotations(
            {
                "summary": alert.message,
                "__dashboardUid__": board.uid,
                "__panelId__": str(place),
            }
        )
    )


def _title(board: Board, panel: Panel, threshold: Threshold) -> str:
    """Return a title that no other rule of a folder has."""
    sign = ">" if threshold.above else "<"
    place = f" ({board.name}.{panel.name} {sign} {threshold.value:g})"
    return panel.title[: _LONGEST_TITLE - len(place)] + place


def _query(alert: Alert, source: str) -> alerting.Query:
    return (
        alerting.Query("A")
        .datasource_uid(source)
        .relative_time_range(_last_days(alert.within_days))
        .model(BuiltQuery(SqlQuery(alert.query, "table", source)))
    )


def _compare(threshold: Threshold) -> alerting.Query:
    way = (
        expr.ExprTypeThresholdConditionsEvaluator()
        .params([threshold.value])
        .type("gt" if threshold.above else "lt")
    )
    compare = (
        expr.TypeThreshold()
        .datasource(DataSourceRef(EXPRESSION, EXPRESSION))
        .expression("A")
        .ref_id("B")
        .conditions([expr.ExprTypeThresholdConditions().evaluator(way)])
    )
    return (
        alerting.Query("B")
        .datasource_uid(EXPRESSION)
        .relative_time_range(_last_days(0))
        .model(cast(Any, compare))
    )


def _last_days(days: int) -> models.RelativeTimeRange:
    return models.RelativeTimeRange(from_val=days * DAY_SECONDS, to=0)

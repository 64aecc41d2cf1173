"""The dashboard that a template declares, with its queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from wardbook.dashboards import sql
from wardbook.dashboards.board import TIME, Alert, Board, Panel, Threshold, Variable
from wardbook.dashboards.spec import PanelSpec, ThresholdSpec
from wardbook.messages import Language, say
from wardbook.metrics.schema import REQUEST, metric_dimensions, table_name
from wardbook.template.spec import Template, TemplateSpec


def declared_boards(
    templates: Mapping[str, Template], language: Language, missing: Collection[str] = ()
) -> tuple[Board, ...]:
    """Return the boards of the templates that declare one, in the order of their names.

    Panels of the tables that are `missing` are left out, and a board of which none remains.
    """
    specs = (templates[name].spec for name in sorted(templates))
    boards = (declared_board(spec, language, missing) for spec in specs if spec.dashboard)
    return tuple(board for board in boards if board.panels)


def metric_tables(templates: Mapping[str, Template], *, optional: bool) -> frozenset[str]:
    """Return the tables that dashboards draw; `optional`: only of what a run may leave out."""
    return frozenset(
        table_name(spec.name, panel.output)
        for spec in (template.spec for template in templates.values())
        for panel in (spec.dashboard.panels.values() if spec.dashboard else ())
        if not optional or not spec.outputs[panel.output].required
    )


def declared_board(spec: TemplateSpec, language: Language, missing: Collection[str] = ()) -> Board:
    """Return the board of a template that declares one, without panels of `missing` tables."""
    dashboard = spec.dashboard
    assert dashboard is not None  # noqa: S101  what the caller looked at
    panels = {
        name: panel
        for name, panel in dashboard.panels.items()
        if table_name(spec.name, panel.output) not in missing
    }
    metrics = _metrics_of(spec, panels.values())
    words = {
        dimension: {code: word.in_language(language) for code, word in codes.items()}
        for dimension, codes in dashboard.words.items()
    }
    return Board(
        name=spec.name,
        title=dashboard.title.in_language(language),
        help=(dashboard.help or spec.question).in_language(language),
        language=language,
        span_days=dashboard.span_days,
        panels=tuple(
            _panel(name, panel, metrics[panel.output], words, language)
            for name, panel in panels.items()
        ),
        variables=tuple(_variables(panels.values(), metrics, words, language)),
    )


def _metrics_of(spec: TemplateSpec, panels: Collection[PanelSpec]) -> dict[str, sql.Metric]:
    chosen = {panel.by for panel in panels if panel.by}
    return {
        output: sql.Metric(
            table_name(spec.name, output),
            declared := spec.outputs[output],
            frozenset(chosen & {*metric_dimensions(declared)}),
        )
        for output in dict.fromkeys(panel.output for panel in panels)
    }


def _variables(
    panels: Collection[PanelSpec],
    metrics: Mapping[str, sql.Metric],
    words: Mapping[str, Mapping[str, str]],
    language: Language,
) -> Iterable[Variable]:
    tables = [metric.table for metric in metrics.values()]
    label = say(language, "dashboard.request")
    yield Variable(REQUEST, label, sql.write_requests(tables), many=False)
    for dimension in dict.fromkeys(one.by for one in panels if one.by):
        having = [metric for metric in metrics.values() if dimension in metric.chosen]
        label = having[0].declared.columns[dimension].in_language(language)
        query = sql.write_codes(dimension, having, words.get(dimension, {}))
        yield Variable(dimension, label, query, many=True)


def _panel(
    name: str,
    panel: PanelSpec,
    metric: sql.Metric,
    words: Mapping[str, Mapping[str, str]],
    language: Language,
) -> Panel:
    latest = panel.kind == "table" or (panel.kind == "bar" and bool(panel.by))
    write = sql.write_latest if latest else sql.write_series
    return Panel(
        name=name,
        title=panel.title.in_language(language),
        kind=panel.kind,
        table=metric.table,
        query=write(metric, panel, words.get(panel.by, {})),
        labels=_labels(panel, metric, language),
        latest=latest,
        help=panel.help.in_language(language) if panel.help else "",
        unit=panel.unit,
        decimals=panel.decimals,
        wide=panel.wide,
        thresholds=tuple(
            _threshold(one, panel, metric, words, language) for one in panel.thresholds
        ),
    )


def _labels(panel: PanelSpec, metric: sql.Metric, language: Language) -> dict[str, str]:
    columns = metric.declared.columns
    named = {TIME: columns[metric.declared.time].in_language(language)}
    if panel.by:
        named[panel.by] = columns[panel.by].in_language(language)
    for value in sql.value_names(panel):
        named[value] = columns.get(value, panel.title).in_language(language)
    return named


def _threshold(
    one: ThresholdSpec,
    panel: PanelSpec,
    metric: sql.Metric,
    words: Mapping[str, Mapping[str, str]],
    language: Language,
) -> Threshold:
    alert = None
    if one.alert is not None:
        message = one.alert.message.in_language(language)
        query = sql.write_alert(metric, panel, one, words.get(panel.by, {}))
        alert = Alert(query, message, one.alert.within_days, one.alert.periods)
    return Threshold(one.value, one.below is None, one.severity, alert)

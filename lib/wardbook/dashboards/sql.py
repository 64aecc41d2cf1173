"""The queries over a metric's table, as Grafana sends them: PostgreSQL, with Grafana's macros.

What the rules withheld is null, and whatever would be made with it is null too: a sum over a cell
that is not shown would be less than it is. Time is not grouped by `$__timeGroup`: its days are
those of Greenwich, and would part a hospital's day in two. Columns are named with their table
(`m`): SQLite takes a quoted name that it does not know for a text.
"""

# ruff: noqa: S608  # made of declared names and codes, quoted below; none comes from a ticket

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wardbook.dashboards.board import SERIES, TIME
from wardbook.dashboards.spec import PanelSpec, ThresholdSpec
from wardbook.metrics.schema import REQUEST, metric_dimensions
from wardbook.template.outputs import OutputSpec

IN_TIME = f'$__timeFilter(m."{TIME}")'
OF_REQUEST = f'm."{REQUEST}" = ${{{REQUEST}:sqlstring}}'


@dataclass(frozen=True)
class Metric:
    """A metric's table; readers choose codes of the dimensions that are `chosen`."""

    table: str
    declared: OutputSpec
    chosen: frozenset[str] = frozenset()


def write_series(metric: Metric, panel: PanelSpec, words: Mapping[str, str]) -> str:
    """Return the query of a panel over time: `time`, `metric` if `by`, and its values."""
    columns = [f'm."{TIME}" AS "{TIME}"']
    columns += [f"{_in_words(panel.by, words)} AS {SERIES}"] if panel.by else []
    where = [IN_TIME, OF_REQUEST, *_conditions(metric, panel, choosing=True)]
    return _select(metric, panel, columns, where, order=_keys(TIME, panel.by))


def write_latest(metric: Metric, panel: PanelSpec, words: Mapping[str, str]) -> str:
    """Return the query of a panel of the latest period: its time, the code if `by`, its values."""
    columns = [f'm."{TIME}" AS "{TIME}"']
    columns += [f"{_in_words(panel.by, words)} AS {_name(panel.by)}"] if panel.by else []
    own = [OF_REQUEST, *_conditions(metric, panel, choosing=True)]
    within = " AND ".join([IN_TIME, *own])
    latest = f'(SELECT max(m."{TIME}") FROM {_name(metric.table)} AS m WHERE {within})'
    return _select(
        metric, panel, columns, [f'm."{TIME}" = {latest}', *own], order=_keys(panel.by or TIME)
    )


def write_alert(
    metric: Metric, panel: PanelSpec, threshold: ThresholdSpec, words: Mapping[str, str]
) -> str:
    """Return the query of an alert: a row for each request and code, its `value` to compare.

    The value is the one nearest to the threshold of the last periods: when it lies beyond, all do.
    A series with a period that the rules withheld, or with too few periods, gives no row.
    """
    assert threshold.alert is not None  # noqa: S101  what the caller looked at
    periods = threshold.alert.periods
    where = [IN_TIME, *_conditions(metric, panel, choosing=False)]
    value = next(_values(panel))[0]
    keys = _keys(REQUEST, panel.by)
    grouped = f"\n  GROUP BY {_keys(REQUEST, panel.by, TIME)}" if panel.sum_over else ""
    listed = ", ".join(_name(one) for one in (REQUEST, panel.by) if one)
    shown = _column(REQUEST)
    if panel.by:
        shown += f", {_in_words(panel.by, words)} AS {_name(panel.by)}"
    nearest = "min" if threshold.below is None else "max"
    return (
        f"WITH series AS (\n"
        f'  SELECT {_keys(REQUEST, panel.by, TIME)}, {value} AS "value"\n'
        f"  FROM {_name(metric.table)} AS m\n"
        f"  WHERE {' AND '.join(where)}{grouped}\n"
        f"), recent AS (\n"
        f'  SELECT {listed}, "value",\n'
        f'    row_number() OVER (PARTITION BY {listed} ORDER BY "{TIME}" DESC) AS back\n'
        f"  FROM series\n"
        f")\n"
        f'SELECT {shown}, {nearest}("value") AS "value"\n'
        f"FROM recent AS m\nWHERE back <= {periods}\n"
        f'GROUP BY {keys}\nHAVING count("value") = {periods}\nORDER BY {keys}'
    )


def write_requests(tables: Iterable[str]) -> str:
    """Return the query of the requests that delivered to these tables, the latest first."""
    parts = (
        f'SELECT m."{REQUEST}", max(m."{TIME}") AS latest FROM {_name(table)} AS m '
        f'GROUP BY m."{REQUEST}"'
        for table in tables
    )
    union = "\n  UNION ALL ".join(parts)
    return (
        f'SELECT "{REQUEST}" AS __value, "{REQUEST}" AS __text\n'
        f"FROM (\n  {union}\n) AS delivered\n"
        f'GROUP BY "{REQUEST}"\nORDER BY max(latest) DESC, "{REQUEST}"'
    )


def write_codes(dimension: str, metrics: Iterable[Metric], words: Mapping[str, str]) -> str:
    """Return the query of a dimension's codes in these tables, without totals and parents."""
    column = _column(dimension)
    parts = []
    for metric in metrics:
        where = [OF_REQUEST, *_without(dimension, _margins(dimension, metric.declared))]
        parts.append(f"SELECT {column} FROM {_name(metric.table)} AS m WHERE {' AND '.join(where)}")
    union = "\n  UNION ".join(parts)
    return (
        f"SELECT {column} AS __value, {_in_words(dimension, words)} AS __text\n"
        f"FROM (\n  {union}\n) AS m\nGROUP BY {column}\nORDER BY {column}"
    )


def _select(
    metric: Metric, panel: PanelSpec, columns: list[str], where: list[str], order: str
) -> str:
    values = [f"{value} AS {_name(name)}" for value, name in _values(panel)]
    lines = [
        f"SELECT {', '.join([*columns, *values])}",
        f"FROM {_name(metric.table)} AS m",
        f"WHERE {' AND '.join(where)}",
    ]
    if panel.sum_over:
        lines.append(f"GROUP BY {_keys(TIME, panel.by)}")
    return "\n".join([*lines, f"ORDER BY {order}"])


def value_names(panel: PanelSpec) -> tuple[str, ...]:
    """Return the names of a panel's values in its queries."""
    return panel.measures or (f"{panel.numerator}_per_{panel.denominator}",)


def _values(panel: PanelSpec) -> Iterator[tuple[str, str]]:
    """Yield each value's expression and name."""
    named = map(_column, panel.drawn_columns)
    columns = [_added(one) if panel.sum_over else one for one in named]
    if panel.numerator:
        above, below = columns
        yield f"{panel.per:g} * {above} / nullif({below}, 0)", value_names(panel)[0]
        return
    yield from zip(columns, panel.measures, strict=True)


def _added(column: str) -> str:
    return f"CASE WHEN count(*) = count({column}) THEN sum({column}) END"


def _conditions(metric: Metric, panel: PanelSpec, *, choosing: bool) -> Iterator[str]:
    """Yield which codes of each dimension the panel takes; `choosing`: as the reader chose."""
    declared = metric.declared
    for dimension in metric_dimensions(declared):
        column = _column(dimension)
        if dimension in panel.where:
            yield f"{column} = {_text(panel.where[dimension])}"
        elif dimension not in (panel.by, *panel.sum_over) and dimension in declared.total:
            yield f"{column} = {_text(declared.total[dimension])}"
        elif choosing and dimension in metric.chosen:
            yield f"{column} IN (${{{dimension}:sqlstring}})"
        else:
            yield from _without(dimension, _margins(dimension, declared))


def _margins(dimension: str, declared: OutputSpec) -> tuple[str, ...]:
    """Return the codes of a dimension that stand for several others."""
    parents = set(declared.hierarchies.get(dimension, {}).values())
    total = declared.total.get(dimension)
    return tuple(sorted(parents | ({total} if total else set())))


def _without(dimension: str, codes: tuple[str, ...]) -> Iterator[str]:
    if codes:
        yield f"{_column(dimension)} NOT IN ({', '.join(map(_text, codes))})"


def _in_words(dimension: str, words: Mapping[str, str]) -> str:
    """Return the expression of a code in words."""
    column = _column(dimension)
    if not words:
        return column
    cases = " ".join(f"WHEN {_text(code)} THEN {_text(word)}" for code, word in words.items())
    return f"CASE {column} {cases} ELSE {column} END"


def _keys(*columns: str) -> str:
    return ", ".join(_column(column) for column in columns if column)


def _column(name: str) -> str:
    return f"m.{_name(name)}"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

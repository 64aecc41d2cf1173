"""What a template declares of its dashboard: panels over the metrics that it delivers.

docs/dashboards.md shows a whole declaration. A panel that names an output or a column that is not
there, or one whose lines could only be made by adding up what does not add up, is told when the
template is loaded.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from wardbook.domain.output import Channel
from wardbook.template.localised import DeclaredModel, Localised
from wardbook.template.outputs import OutputSpec

Kind = Literal["timeseries", "stat", "table", "heatmap", "bar"]
Unit = Literal[
    "number", "percent", "fraction", "per_mille", "seconds", "minutes", "hours", "days", "gigabytes"
]
Severity = Literal["info", "warning", "critical"]
PanelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]


class AlertSpec(DeclaredModel):
    """Whom a crossed threshold calls: after how many periods in a row, with which words.

    `within_days`: values that are older than these days call nobody; the data may have stopped.
    """

    message: Localised
    periods: Annotated[int, Field(ge=1, le=366)] = 1
    within_days: Annotated[int, Field(ge=1, le=3660)] = 35


class ThresholdSpec(DeclaredModel):
    """A value that is drawn, and beyond which a panel says so: `above` it, or `below` it."""

    above: float | None = None
    below: float | None = None
    severity: Severity = "warning"
    alert: AlertSpec | None = None

    @model_validator(mode="after")
    def _goes_one_way(self) -> ThresholdSpec:
        if (self.above is None) == (self.below is None):
            raise ValueError("a threshold has `above` or `below`, one of both")
        return self

    @property
    def value(self) -> float:
        """The value itself, whichever way it goes."""
        return self.below if self.above is None else self.above  # type: ignore[return-value]


class PanelSpec(DeclaredModel):
    """One panel: which columns of a metric, drawn how.

    `measures` are the columns drawn, or `per` × `numerator` / `denominator` is. `by` is the
    dimension that has a line (bar, row, tile) for each of its codes. Of every other dimension the
    panel takes the code that `where` says, or adds up over those named in `sum_over`, or else takes
    the total. Adding up is asked for by name: a share of beds may be declared as a sum too.
    """

    title: Localised
    help: Localised | None = None
    output: str
    kind: Kind
    measures: tuple[str, ...] = ()
    numerator: str = ""
    denominator: str = ""
    per: Annotated[float, Field(gt=0)] = 1
    by: str = ""
    where: Mapping[str, str] = Field(default_factory=dict)
    sum_over: tuple[str, ...] = ()
    unit: Unit = "number"
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    wide: bool = False
    thresholds: tuple[ThresholdSpec, ...] = ()

    @model_validator(mode="after")
    def _draws_something(self) -> PanelSpec:
        if bool(self.numerator) != bool(self.denominator):
            raise ValueError("`numerator` and `denominator` go together")
        if bool(self.measures) == bool(self.numerator):
            raise ValueError("a panel has `measures`, or `numerator` and `denominator`")
        if len(set(self.measures)) < len(self.measures):
            raise ValueError("`measures` names a column twice")
        if len(self.measures) > 1 and (self.by and self.kind != "table"):
            raise ValueError('several `measures` with `by` go with kind = "table" only')
        if self.kind == "heatmap" and not self.by:
            raise ValueError('kind = "heatmap" needs `by`: its rows')
        named = [*([self.by] if self.by else []), *self.where, *self.sum_over]
        if len(set(named)) < len(named):
            raise ValueError("a dimension is in one of `by`, `where` and `sum_over` only, once")
        return self

    @model_validator(mode="after")
    def _thresholds_are_apart(self) -> PanelSpec:
        if self.thresholds and len(self.measures) > 1:
            raise ValueError("`thresholds` go with one measure")
        values = [one.value for one in self.thresholds]
        if len(set(values)) < len(values):
            raise ValueError("two `thresholds` have the same value")
        below = [one.value for one in self.thresholds if one.above is None]
        above = [one.value for one in self.thresholds if one.above is not None]
        if below and above and max(below) > min(above):
            raise ValueError("a threshold `below` lies over one `above`: nothing would be well")
        return self

    @property
    def drawn_columns(self) -> tuple[str, ...]:
        """The columns of the metric's table that the panel reads, but for its dimensions."""
        return self.measures or (self.numerator, self.denominator)


class DashboardSpec(DeclaredModel):
    """A dashboard: its panels in their order, by name.

    `span_days` are the days that it shows at first. `words` say what codes of a dimension mean.
    """

    title: Localised
    help: Localised | None = None
    span_days: Annotated[int, Field(ge=1, le=3660)] = 90
    words: Mapping[str, Mapping[str, Localised]] = Field(default_factory=dict)
    panels: Annotated[Mapping[PanelName, PanelSpec], Field(min_length=1, max_length=40)]


def find_unfit_panels(dashboard: DashboardSpec, outputs: Mapping[str, OutputSpec]) -> Iterator[str]:
    """Yield what is wrong between a dashboard and the outputs that it draws, with the place."""
    metrics = {name: one for name, one in outputs.items() if one.channel is Channel.GRAFANA}
    known = {dimension for one in metrics.values() for dimension in one.dimensions}
    for dimension in dashboard.words:
        if dimension not in known:
            yield f"words.{dimension}: no metric has this dimension"
    yield from _find_unquotable(dashboard, metrics.values())
    for name, panel in dashboard.panels.items():
        if panel.output not in metrics:
            yield (
                f'panels.{name}.output: {panel.output!r} is no output with channel = "grafana"; '
                f"there are {', '.join(map(repr, metrics)) or 'none'}"
            )
            continue
        for problem in _find_unfit_columns(panel, metrics[panel.output]):
            yield f"panels.{name}.{problem}"


def _find_unquotable(dashboard: DashboardSpec, metrics: Iterable[OutputSpec]) -> Iterator[str]:
    """Yield names and codes in which Grafana would look for its variables, wherever they stand."""
    names = {panel.by for panel in dashboard.panels.values() if panel.by}
    for name in sorted(names):
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None:
            yield f"{name!r} is shown `by`: its name has letters, digits and _ only"
    codes = [code for panel in dashboard.panels.values() for code in panel.where.values()]
    for words in dashboard.words.values():
        codes += (*words, *(text for word in words.values() for text in (word.fr, word.en)))
    for metric in metrics:
        codes += metric.total.values()
        codes += (code for parents in metric.hierarchies.values() for code in parents.values())
    for code in codes:
        if "$" in code or "[[" in code:
            yield f"Grafana would look for a variable in {code!r}: no `$` and no `[[` in codes"


def _find_unfit_columns(panel: PanelSpec, metric: OutputSpec) -> Iterator[str]:
    measured = metric.measured_columns
    keys = "measures" if panel.measures else "numerator, denominator"
    for column in panel.drawn_columns:
        if column not in measured:
            yield (
                f"{keys}: {column!r} neither counts nor measures in outputs.{panel.output}; "
                f"there are {', '.join(map(repr, measured))}"
            )
    others = [name for name in metric.dimensions if name != metric.time]
    for key, dimension in itertools.chain(
        [("by", panel.by)] if panel.by else [],
        (("where", name) for name in panel.where),
        (("sum_over", name) for name in panel.sum_over),
    ):
        if dimension not in others:
            yield (
                f"{key}: {dimension!r} is no dimension of outputs.{panel.output} beside its time; "
                f"there are {', '.join(map(repr, others)) or 'none'}"
            )
    for dimension in others:
        if dimension not in (panel.by, *panel.where, *panel.sum_over, *metric.total):
            yield (
                f"{keys}: which {dimension!r}? Show the panel `by` it, fix a code in `where`, name "
                f"it in `sum_over`, or declare outputs.{panel.output}.total"
            )
    for column in panel.drawn_columns if panel.sum_over else ():
        if column in measured and not _adds_up(column, metric):
            yield f"sum_over: {column!r} is neither a count nor a sum; it does not add up"


def _adds_up(column: str, metric: OutputSpec) -> bool:
    if column in metric.measures:
        return metric.measures[column].statistic in {"count", "sum"}
    return column == metric.count

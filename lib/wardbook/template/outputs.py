"""What a template declares of each output, so that the disclosure rules can judge it.

docs/disclosure.md shows a whole declaration. What is impossible (a role for a column that is not
there, a hierarchy that turns in a circle) is told when the template is loaded; what is merely left
undeclared makes the output wait for a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from wardbook.domain.output import Channel, OutputKind, Sensitivity
from wardbook.template.localised import DeclaredModel, Localised

Statistic = Literal[
    "count", "sum", "mean", "deviation", "ratio", "percentile", "minimum", "maximum"
]


class MeasureSpec(DeclaredModel):
    """What a column tells of the persons behind its row.

    `count` is the column with the number of those persons, the table's own unless it says another.
    `largest` are the columns, of the output's backing, with the greatest contributions of single
    persons to a sum or mean, descending. A ratio has its `numerator` and `denominator`; a count may
    have a `denominator` too: the persons of whom it counts a part.
    """

    statistic: Statistic
    count: str = ""
    largest: tuple[str, ...] = ()
    percent: Annotated[float, Field(gt=0, lt=100)] | None = None
    numerator: str = ""
    denominator: str = ""

    @model_validator(mode="after")
    def _parts_fit_the_statistic(self) -> MeasureSpec:
        if (self.statistic == "percentile") != (self.percent is not None):
            raise ValueError('`percent` goes with statistic = "percentile", and only with it')
        if (self.statistic == "ratio") != bool(self.numerator):
            raise ValueError('`numerator` goes with statistic = "ratio", and only with it')
        if self.denominator and self.statistic not in {"ratio", "count"}:
            raise ValueError("`denominator` goes with a ratio or a count")
        if self.statistic == "ratio" and not self.denominator:
            raise ValueError("a ratio has a `denominator`")
        if self.largest and self.statistic not in {"sum", "mean"}:
            raise ValueError("`largest` goes with a sum or a mean")
        return self


class SurvivalSpec(DeclaredModel):
    """A survival table: a row for each step; `estimates` are the columns that follow from them."""

    time: str
    at_risk: str
    events: str
    estimates: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that have a part in it."""
        return (self.time, self.at_risk, self.events, *self.estimates)


class RegressionSpec(DeclaredModel):
    """A table of coefficients: a row for each term, with the model's residual degrees of freedom.

    `estimates` are the columns with coefficients, their errors, bounds and the like.
    """

    term: str
    degrees_of_freedom: str
    estimates: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that have a part in it."""
        return (self.term, self.degrees_of_freedom, *self.estimates)


_OF_METRICS = frozenset({"time", "request", "run"})
_IN_CLEAR = frozenset({Channel.SITE, Channel.GRAFANA, Channel.TICKET})


class OutputSpec(DeclaredModel):
    """One output that a run may produce; what is not declared here never leaves.

    Of a table, for the disclosure rules: `dimensions` are the columns that place a row, `time` the
    one of them that is a time, `labels` columns that only name a dimension's code; `total` is the
    code of each dimension's margin, `hierarchies` the parent of each code that has one. `count` is
    the column with the number of persons behind a row, `measures` tell of the other columns.
    `rounded` says that its counts are rounded and redacted by the policy. `population` says who is
    counted: tables with the same are compared with each other. Columns that may not be in the
    table itself stand in another, its `backing`, with the same dimensions, that stays inside.
    `days` are the parameters with the first and the last day that a table tells about, and `limits`
    says which dimension a parameter is a code of: both where the parameters' own names do not tell.
    A figure is `drawn_from` tables.
    """

    kind: OutputKind
    title: Localised
    sensitivity: Sensitivity
    channel: Channel
    required: bool = True
    columns: Mapping[str, Localised] = Field(default_factory=dict)
    dimensions: Annotated[tuple[str, ...], Field(max_length=8)] = ()
    time: str = ""
    labels: Mapping[str, str] = Field(default_factory=dict)
    total: Mapping[str, str] = Field(default_factory=dict)
    hierarchies: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    count: str | None = None
    measures: Mapping[str, MeasureSpec] = Field(default_factory=dict)
    rounded: bool = False
    population: str = ""
    days: tuple[str, str] | None = None
    limits: Mapping[str, str] = Field(default_factory=dict)
    backing: str = ""
    survival: SurvivalSpec | None = None
    regression: RegressionSpec | None = None
    drawn_from: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _tables_name_their_columns(self) -> OutputSpec:
        if (self.kind is OutputKind.TABLE) != bool(self.columns):
            raise ValueError("`columns` describes each column of a table, and only of a table")
        if self.sensitivity is Sensitivity.SENSITIVE and self.channel in _IN_CLEAR:
            raise ValueError('a sensitive output leaves sealed: channel = "share"')
        if self.channel is Channel.GRAFANA and not (self.time and self.measured_columns):
            raise ValueError(
                'channel = "grafana" is for metrics: a table with `time` and `count` or `measures`'
            )
        taken = _OF_METRICS & {*self.dimensions, *self.measured_columns} - {self.time}
        if self.channel is Channel.GRAFANA and taken:
            raise ValueError(f"a metric's table has columns of its own named {sorted(taken)}")
        if self.channel is Channel.INSIDE and self.kind is not OutputKind.TABLE:
            raise ValueError('channel = "inside" is for tables that the checks read')
        if self.drawn_from and self.kind is not OutputKind.FIGURE:
            raise ValueError("`drawn_from` goes with a figure")
        return self

    @model_validator(mode="after")
    def _roles_fit_the_columns(self) -> OutputSpec:
        for problem in _find_role_problems(self):
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _codes_make_a_tree(self) -> OutputSpec:
        for dimension in self.dimensions:
            parents = self.hierarchies.get(dimension, {})
            if self.total.get(dimension) in parents:
                raise ValueError(f"`hierarchies.{dimension}`: the total has no parent")
            for code in parents:
                _require_no_circle(dimension, code, parents)
        return self

    @property
    def measured_columns(self) -> tuple[str, ...]:
        """The columns of the table itself that count or measure something, in their order."""
        measured = {self.count, *self.measures}
        return tuple(column for column in self.columns if column in measured)

    @property
    def untold_columns(self) -> tuple[str, ...]:
        """The columns of which nothing is declared that a rule could judge."""
        told = {*self.dimensions, *self.labels, *self.measures, *_own_parts(self)}
        return tuple(column for column in self.columns if column not in told)

    def needed_columns(self) -> tuple[str, ...]:
        """Return the columns that the rules read of the table or else of its backing."""
        needed = [self.count or ""]
        for measure in self.measures.values():
            needed += (measure.count, *measure.largest, measure.numerator, measure.denominator)
        return tuple(dict.fromkeys(column for column in needed if column))


def find_impossible(outputs: Mapping[str, OutputSpec]) -> Iterator[str]:
    """Yield what is wrong between outputs: backing and tables of figures that do not fit."""
    for name, output in outputs.items():
        for table in output.drawn_from:
            other = outputs.get(table)
            if other is None or other.kind is not OutputKind.TABLE:
                yield f"{name}.drawn_from: {table!r} is not a declared table"
        backing = outputs.get(output.backing) if output.backing else None
        if output.backing and (backing is None or backing.channel is not Channel.INSIDE):
            yield f'{name}.backing: no table {output.backing!r} with channel = "inside"'
        elif backing is not None and backing.dimensions != output.dimensions:
            yield f"{name}.backing: {output.backing!r} has other dimensions"
        for column in output.needed_columns():
            if column not in output.columns and column not in (backing or output).columns:
                yield f"{name}: {column!r} is neither a column of it nor of its backing"


def _find_role_problems(output: OutputSpec) -> Iterator[str]:
    known, dimensions = set(output.columns), set(output.dimensions)
    parts = _own_parts(output)
    roles = Counter([*output.dimensions, *output.labels, *output.measures, *parts])
    for column, times in roles.items():
        if column not in known:
            yield f"{column!r} is not a declared column"
        if times > 1:
            yield f"the column {column!r} has more than one role"
    for key in ("labels", "total", "hierarchies"):
        keyed: Mapping[str, object] = getattr(output, key)
        named = set(output.labels.values()) if key == "labels" else set(keyed)
        for name in sorted(named - dimensions):
            yield f"`{key}`: {name!r} is not one of the dimensions"
    if output.time and output.time not in dimensions:
        yield f"`time`: {output.time!r} is not one of the dimensions"
    if output.rounded and not output.count:
        yield "`rounded` goes with `count`"
    if output.rounded and any(one.statistic != "count" for one in output.measures.values()):
        yield "`rounded` goes with counts only"
    if output.survival and output.regression:
        yield "a table is of a survival curve or of a regression, not of both"
    if (output.measures or output.rounded) and (output.survival or output.regression):
        yield "`measures` and `rounded` do not go with a survival curve or a regression"
    leaving = output.channel is not Channel.INSIDE
    for column, measure in output.measures.items():
        if leaving and (shown := sorted(known & set(measure.largest))):
            yield (
                f"`measures.{column}.largest`: {shown[0]!r} is what single persons contributed; "
                'put it in a `backing` table with channel = "inside"'
            )
        if measure.statistic != "ratio" and not (measure.count or output.count):
            yield f"`measures.{column}`: no `count` of the persons behind it"


def _own_parts(output: OutputSpec) -> tuple[str, ...]:
    """Return the columns that have a role beside dimensions, labels and measures."""
    counted = {output.count, *(measure.count for measure in output.measures.values())}
    own = [column for column in output.columns if column in counted - {*output.measures}]
    model = output.survival or output.regression
    return (*own, *(model.columns if model else ()))


def _require_no_circle(dimension: str, code: str, parents: Mapping[str, str]) -> None:
    seen = {code}
    while code in parents:
        code = parents[code]
        if code in seen:
            raise ValueError(f"`hierarchies.{dimension}` turns in a circle at {code!r}")
        seen.add(code)

"""What a template declares of its headlines: which figure of which table its reader sees first.

A headline stands in the open, on the ticket and at the report's head. So it is of a table that
leaves in clear and is not sensitive, and of a column that counts or measures; both are asked for
when the template is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from wardbook.domain.output import Channel, OutputKind, Sensitivity
from wardbook.template.localised import DeclaredModel, Localised
from wardbook.template.outputs import OutputSpec

_IN_CLEAR = frozenset({Channel.SITE, Channel.GRAFANA, Channel.TICKET})


class HeadlineSpec(DeclaredModel):
    """One figure of a table: the cell of a `column` in the row that is meant.

    `where` gives the code of each dimension; `row = "last"` leaves out the table's time and takes
    its latest, `row = "only"` gives all of them. `compare_days` sets beside it how much it changed
    since so many days before, in the same table. `format` is how the cell is written: a number, or
    a share from 0 to 1 as a percentage; `unit` follows it.
    """

    label: Localised
    output: str
    column: str
    row: Literal["last", "only"] = "last"
    where: Mapping[str, str] = Field(default_factory=dict)
    compare_days: Annotated[int, Field(ge=2, le=3660)] | None = None
    format: Literal["number", "percent"] = "number"
    decimals: Annotated[int, Field(ge=0, le=6)] = 0
    unit: Localised | None = None
    note: Localised | None = None

    @model_validator(mode="after")
    def _parts_fit_each_other(self) -> HeadlineSpec:
        if self.compare_days and self.row != "last":
            raise ValueError('`compare_days` goes with row = "last"')
        if self.unit and self.format == "percent":
            raise ValueError('format = "percent" writes its own sign; leave `unit` out')
        return self


def find_unfit_headlines(
    headlines: Mapping[str, HeadlineSpec], outputs: Mapping[str, OutputSpec]
) -> Iterator[str]:
    """Yield what is wrong with each headline, beginning with its name and key."""
    for name, headline in headlines.items():
        output = outputs.get(headline.output)
        if output is None or output.kind is not OutputKind.TABLE:
            yield f"{name}.output: {headline.output!r} is not a declared table"
            continue
        if output.sensitivity is Sensitivity.SENSITIVE:
            yield f"{name}.output: {headline.output!r} is sensitive; it has no figure in the open"
        elif output.channel not in _IN_CLEAR:
            yield f"{name}.output: {headline.output!r} does not leave in clear"
        yield from (f"{name}.{problem}" for problem in _find_misplaced(headline, output))


def _find_misplaced(headline: HeadlineSpec, output: OutputSpec) -> Iterator[str]:
    if headline.column not in output.columns:
        yield f"column: {headline.column!r} is not a column of {headline.output!r}"
    elif headline.column in {*output.dimensions, *output.labels}:
        yield f"column: {headline.column!r} places a row; a headline is a figure"
    if headline.row == "last" and not output.time:
        yield f'row: {headline.output!r} has no `time`; write row = "only"'
        return
    left = {output.time} if headline.row == "last" else set()
    wanted = set(output.dimensions) - left
    if set(headline.where) != wanted:
        named = ", ".join(sorted(wanted)) or "nothing"
        yield f'where: with row = "{headline.row}" it gives the code of {named}, and of no other'

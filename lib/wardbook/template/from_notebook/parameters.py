"""The parameters of a template that is begun, as its notebook's constants become them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from wardbook.datasets import Column
from wardbook.template.from_notebook.exploration import Cell, Edit, place_of
from wardbook.template.from_notebook.literals import Value
from wardbook.template.from_notebook.names import free_name, slug
from wardbook.template.from_notebook.persons import looks_like_a_number_of_somebody


@dataclass(frozen=True)
class Parameter:
    """A constant that becomes a parameter.

    `column` is what it is compared with, "" where that could not be seen. The value of a `secret`
    one tells a person: it is written nowhere. `setup` is a line for the first cell, `setup_kept`
    that line where the analyst wants the constant to stay.
    """

    name: str
    value: Value
    cell: int
    line: int
    reason: str
    column: str
    edits: tuple[Edit, ...]
    setup: str = ""
    setup_kept: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    secret: bool = False


@dataclass(frozen=True)
class Place:
    """Where a constant was found, and why it is worth a parameter of this name."""

    cell: Cell
    line: int
    wanted: str
    reason: str
    column: str
    roles: Collection[str]
    secret: bool


class Parameters:
    """Collects parameters, each under a name of its own.

    Args:
        alias: what the parameters are called by in the notebook.
        columns: those of the notebook's sources, for choices.
    """

    def __init__(self, alias: str, columns: Mapping[str, Column]) -> None:
        self._alias, self._columns = alias, columns
        self._names: set[str] = set()
        self.all: list[Parameter] = []
        self.asked: dict[str, set[str]] = defaultdict(set)
        """By column, the texts of the values that it is compared with."""

    def note(self, column: str, value: Value) -> None:
        """Note a value that a column is compared with, be it a parameter's or not."""
        self.asked[column].update(value.texts)

    def add(self, place: Place, value: Value, literals: Sequence[tuple[Cell, ast.expr]]) -> None:
        """Add a parameter that takes the place of literals in the code."""
        name, form = self._name(place), value.form
        edits = [place_of(cell, node, form.format(self._asked(name))) for cell, node in literals]
        self._add(place, value, name, edits)

    def add_to_query(self, place: Place, value: Value, edit: Edit, called: str, kept: str) -> None:
        """Add a parameter that a query knows by the name `called`, made in the first cell.

        Args:
            place: where the query stands.
            value: what stood in it.
            edit: puts the query in its new form.
            called: the name in the query.
            kept: the literal as Python writes it.
        """
        name = self._name(place)
        setup = f"{called} = {value.form.format(self._asked(name))}"
        self._add(place, value, name, [edit], setup, f"{called} = {kept}")

    def _name(self, place: Place) -> str:
        return free_name(slug(place.wanted) or "value", self._names)

    def _asked(self, name: str) -> str:
        return f"{self._alias}.{name}"

    def _add(
        self,
        place: Place,
        value: Value,
        name: str,
        edits: Sequence[Edit],
        setup: str = "",
        setup_kept: str = "",
    ) -> None:
        self.note(place.column, value)
        known = self._columns.get(place.column)
        low, high = _guess_bounds(value, place.roles)
        masked = any(
            text.endswith("-removed") or looks_like_a_number_of_somebody(text)
            for text in value.texts
        )
        fits = known is not None and set(value.texts) <= set(known.choices)
        self.all.append(
            Parameter(
                name,
                value,
                place.cell.number,
                place.line,
                place.reason,
                place.column,
                tuple(edits),
                setup,
                setup_kept,
                known.choices if known is not None and fits else (),
                low,
                high,
                place.secret or masked,
            )
        )


def _guess_bounds(value: Value, roles: Collection[str]) -> tuple[float | None, float | None]:
    """Guess what can be asked: what counts is not negative, a divisor or a length is at least 1."""
    if value.type not in {"integer", "number"}:
        return None, None
    numbers = [float(text) for text in value.texts]
    if min(numbers) < 0:
        return None, None
    if value.type == "integer":
        return (1 if {"divisor", "length"} & set(roles) else 0), None
    return 0, 1 if max(numbers) <= 1 else None

"""The constants of a notebook: which are worth being parameters, and why the others are not."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from wardbook.datasets import Dataset
from wardbook.template.from_notebook.exploration import (
    MASKED_PATH,
    CannotRead,
    Cell,
    Found,
)
from wardbook.template.from_notebook.filters import STANDS_FOR_ITSELF, search_filters
from wardbook.template.from_notebook.literals import Value, read_literal
from wardbook.template.from_notebook.parameters import Parameter, Parameters, Place
from wardbook.template.from_notebook.persons import names_a_person, tells_a_person
from wardbook.template.from_notebook.uses import Uses

_FILE_NAME = re.compile(
    r"[\\/]|\.(?:csv|tsv|txt|parquet|xlsx?|json|png|pdf|svg|feather|zip)\Z|\Ahttps?:", re.I
)
_CONVERSIONS = frozenset({"10", "24", "60", "100", "365", "365.25", "1000", "3600", "86400"})


class Constants:
    """Finds the constants of a notebook.

    Args:
        cells: the notebook's.
        datasets: those of its sources, for bounds and choices.
        alias: what the parameters are called by in the notebook.
        taken: names that are in use.
    """

    def __init__(
        self, cells: Sequence[Cell], datasets: Iterable[Dataset], alias: str, taken: set[str]
    ) -> None:
        self._cells, self._taken = cells, taken
        columns = {c.name: c for dataset in datasets for c in dataset.columns}
        self._uses = Uses(cells, frozenset(columns))
        self._parameters = Parameters(alias, columns)
        self.asked = self._parameters.asked
        self.found: list[Found] = []
        self.paths: list[tuple[Cell, ast.Assign]] = []

    @property
    def parameters(self) -> list[Parameter]:
        """Those that were found to be worth it."""
        return self._parameters.all

    def search(self) -> None:
        """Look at every literal: NAME = literal at the top level of a cell, then the filters.

        Raises:
            CannotRead: one name is given two values, or a value that tells a person cannot be
                taken out.
        """
        self._search_named()
        found = search_filters(self._cells, self._uses, self._parameters, self._taken)
        self.found.extend(found)

    def _search_named(self) -> None:
        self._refuse_twice()
        for cell in self._cells:
            for statement in cell.tree.body:
                match statement:
                    case ast.Assign(targets=[ast.Name(id=name)], value=node):
                        value = read_literal(node, cell)
                        if value is not None:
                            self._judge_named(cell, statement, name, node, value)

    def _refuse_twice(self) -> None:
        given: dict[str, list[str]] = defaultdict(list)
        for cell in self._cells:
            for statement in cell.tree.body:
                match statement:
                    case ast.Assign(targets=[ast.Name(id=name)], value=node) if read_literal(
                        node, cell
                    ):
                        given[name].append(f"cell {cell.number}, line {statement.lineno}")
        for name, places in given.items():
            if len(places) > 1 and len(places) == self._uses.stores[name]:
                raise CannotRead(
                    f"{name} is given a value twice: {' and '.join(places)}. A parameter has one: "
                    "keep one of them, or give the other its own name, and call again."
                )

    def _judge_named(
        self, cell: Cell, statement: ast.Assign, name: str, node: ast.expr, value: Value
    ) -> None:
        uses = self._uses.of(name)
        roles = {one.role for one in uses}
        # A number above or below a count of patients is a threshold.
        threshold = value.type in {"integer", "number"} and "order" in roles - {"filter"}
        told = names_a_person(name) or any(map(tells_a_person, self._uses.compared_with(name)))
        secret = told and not threshold
        why = self._why_not(name, value, roles)
        if why and secret and value.type != "boolean":
            raise CannotRead(
                f"Cell {cell.number}, line {statement.lineno}: {name} can tell a person, and "
                f"cannot become a parameter ({why}). Remove its value, and call again. Nothing "
                "was written."
            )
        if why:
            self.found.append(Found("constant", name, cell.number, statement.lineno, why))
            if why.startswith("a file"):
                self.paths.append((cell, statement))
            return
        column = next((one.column for one in uses if one.column), "")
        where = f"compared with {column}" if column else f"used {_times(len(uses))}"
        reason = f"a named constant, {where}"
        place = Place(cell, statement.lineno, name, reason, column, roles, secret)
        self._parameters.add(place, value, [(cell, node)])

    def _why_not(self, name: str, value: Value, roles: Collection[str]) -> str:
        if self._uses.stores[name] > 1:
            return "changed later on: a part of the calculation"
        if not roles:
            return "never used"
        if "file" in roles or any(
            _FILE_NAME.search(text) or MASKED_PATH in text for text in value.texts
        ):
            return "a file's name: the run names the files"
        if roles == {"drawing"}:
            return "for the drawing only"
        if set(roles) <= {"form", "drawing"}:
            return "a format or a frequency, not a question"
        if value.type == "text" and "column" in roles:
            return "the name of a column"
        if value.many and any("," in text for text in value.texts):
            return "a text in it holds a comma, which parts a request's list"
        if value.type == "text" and any(re.search(r"%[a-zA-Z]|\{", text) for text in value.texts):
            return "a format, not a question"
        return _why_no_question(value, roles)


def _why_no_question(value: Value, roles: Collection[str]) -> str:
    if "chance" in roles:
        return "a seed: it makes chance the same again"
    if value.type not in {"integer", "number"} or value.many or {"filter", "order"} & set(roles):
        return ""
    if value.texts[0] in STANDS_FOR_ITSELF:
        return "0 and 1 stand for themselves"
    if value.texts[0].removesuffix(".0") in _CONVERSIONS and set(roles) <= {"factor", "divisor"}:
        return "turns one unit into another"
    return ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

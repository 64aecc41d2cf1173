"""Constants without a name: what stands in comparisons, `isin`, `between`, queries, `start=`."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wardbook.template.from_notebook.exploration import Cell, Found, place_of
from wardbook.template.from_notebook.literals import Value, read_literal
from wardbook.template.from_notebook.names import free_name
from wardbook.template.from_notebook.parameters import Parameters, Place
from wardbook.template.from_notebook.persons import tells_a_person
from wardbook.template.from_notebook.queries import AT, parse_query
from wardbook.template.from_notebook.uses import ASKING, Uses

STANDS_FOR_ITSELF = frozenset({"0", "1", "-1"})
_NO_NAME = "stands once and has no name: name it at the top of a cell to make it a parameter"
_NO_QUERY = "a query that cannot be parsed: its constants stay as they are"
_PERIOD = frozenset({"start", "end", "start_date", "end_date"})
_TEXT_CALLS = ASKING | {"contains", "match", "fullmatch"}


@dataclass(frozen=True)
class _Asked:
    """A literal, the column that it is compared with, the name it wants, and whether by order."""

    node: ast.expr
    column: str
    wanted: str
    ordered: bool = False


def search_filters(
    cells: Sequence[Cell], uses: Uses, parameters: Parameters, taken: set[str]
) -> Iterator[Found]:
    """Find the filters' constants; yield those that become none, and why.

    Args:
        cells: the notebook's.
        uses: what is known of its names and columns.
        parameters: gets those that are found.
        taken: names that the notebook uses; those made for queries are added.
    """
    places: dict[tuple[str, Value], list[tuple[Cell, _Asked]]] = defaultdict(list)
    for cell in cells:
        for node in ast.walk(cell.tree):
            for asked in _asked_in(node, uses):
                value = read_literal(asked.node, cell)
                if value is not None:
                    places[asked.column, value].append((cell, asked))
    for (column, value), found in places.items():
        parameters.note(column, value)
        yield from _judge(column, value, found, parameters)
    for cell in cells:
        for node in ast.walk(cell.tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="query"), args=[ast.Constant(value=str()) as text, *_]
                ):
                    yield from _judge_query(cell, text, parameters, taken)


def _asked_in(node: ast.AST, uses: Uses) -> Iterable[_Asked]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            column, other = uses.column_of(left), uses.column_of(right)
            if column:
                yield _compared(right, column, op)
            elif other:
                yield _compared(left, other, op)
        case ast.Call(func=ast.Attribute(attr="isin", value=of), args=[listed]):
            column = uses.column_of(of)
            yield _Asked(listed, column, f"{column or 'value'}s")
        case ast.Call(func=ast.Attribute(attr="between", value=of), args=[low, high, *_]):
            column = uses.column_of(of)
            yield _Asked(low, column, f"{column or 'value'}_from", ordered=True)
            yield _Asked(high, column, f"{column or 'value'}_to", ordered=True)
        case ast.Call(func=ast.Attribute(attr=attr, value=of), args=[asked, *_]) if (
            attr in _TEXT_CALLS and uses.column_of(of)
        ):
            yield _Asked(asked, uses.column_of(of), uses.column_of(of))
        case ast.Call(func=ast.Attribute(attr="date_range"), args=args):
            yield from (_Asked(one, "", n) for one, n in zip(args, ("start", "end"), strict=False))
    if isinstance(node, ast.Call):
        for word in node.keywords:
            if word.arg in _PERIOD:
                yield _Asked(word.value, "", word.arg)


def _judge(
    column: str, value: Value, found: Sequence[tuple[Cell, _Asked]], parameters: Parameters
) -> Iterator[Found]:
    cell, first = found[0]
    secret = _is_secret(value, column, ordered=all(asked.ordered for _, asked in found))
    why = "" if secret or value.type == "date" or value.many or len(found) > 1 else _NO_NAME
    if not secret and not value.many and value.texts[0] in {*STANDS_FOR_ITSELF, "yes", "no"}:
        why = "0, 1, true and false stand for themselves"
    if why:
        yield Found("constant", first.wanted or "value", cell.number, first.node.lineno, why)
        return
    reason = "a value without a name in " + (
        "a filter" if len(found) == 1 else f"{len(found)} filters"
    )
    place = Place(cell, first.node.lineno, first.wanted, reason, column, {"filter"}, secret)
    parameters.add(place, value, [(at, asked.node) for at, asked in found])


def _judge_query(
    cell: Cell, text: ast.Constant, parameters: Parameters, taken: set[str]
) -> Iterator[Found]:
    query = parse_query(str(text.value))
    if query is None:
        yield Found("constant", "query", cell.number, text.lineno, _NO_QUERY, todo=True)
        return
    asked: list[tuple[_Asked, Value, str]] = []
    for node in ast.walk(query):
        match node:
            case ast.Compare(left=ast.Name(id=column), ops=[op], comparators=[right]):
                one = _compared(right, column, op)
                value = read_literal(right, cell)
                if value is None:
                    continue
                parameters.note(column, value)
                if value.type == "date" or value.many or _is_secret(value, column, one.ordered):
                    called = free_name(f"{one.wanted}_asked", taken)
                    asked.append((one, value, called))
                    node.comparators = [ast.Name(id=f"{AT}{called}")]
                else:
                    yield Found("constant", one.wanted, cell.number, text.lineno, _NO_NAME)
    edit = place_of(cell, text, repr(ast.unparse(query).replace(AT, "@")))
    for one, value, called in asked:
        reason = "a value without a name in a query"
        secret = _is_secret(value, one.column, one.ordered)
        place = Place(cell, text.lineno, one.wanted, reason, one.column, {"filter"}, secret)
        parameters.add_to_query(place, value, edit, called, ast.unparse(one.node))


def _is_secret(value: Value, column: str, ordered: bool) -> bool:
    """Whether a value tells a person; a number above or below a count is a threshold."""
    return tells_a_person(column) and not (ordered and value.type != "date")


def _compared(node: ast.expr, column: str, op: ast.cmpop) -> _Asked:
    match op:
        case ast.GtE() | ast.Gt():
            return _Asked(node, column, f"{column}_from", ordered=True)
        case ast.LtE() | ast.Lt():
            return _Asked(node, column, f"{column}_to", ordered=True)
        case ast.In() | ast.NotIn():
            return _Asked(node, column, f"{column}s")
    return _Asked(node, column, column)

"""What tells a person: columns and constants of which no value may stand in a template.

A name or a number of a patient has no form by which it could be found in a text. It is known by
the column that it is compared with, and by what the analyst called it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from wardbook.template.from_notebook.exploration import CannotRead, texts_in
from wardbook.template.from_notebook.queries import parse_query
from wardbook.template.from_notebook.written import Written

_NAMED = re.compile(
    r"(?:\A|_)(?:patients?|persons?|personnes?|malades?|ipp|nip|nda|nir|ins|iep|nom|pr[eé]nom"
    r"|surname|first_?name|last_?name|birth\w*|naissance|ddn|dob)(?:\Z|_)",
    re.I,
)
_COUNTED = r"(?:stay|s[eé]jour|tube|sample|isolate|pr[eé]l[eè]vement)s?"
_NUMBERED = re.compile(
    rf"names?|{_COUNTED}|(?:id|num|numero|no)_?{_COUNTED}|{_COUNTED}_?(?:id|num|number|numero|no)",
    re.I,
)
ORDERS = ast.Lt | ast.LtE | ast.Gt | ast.GtE
_ASKS = frozenset({
    "eq", "ne", "isin", "contains", "startswith", "endswith", "match", "fullmatch", "replace",
    "map", "apply", "where", "mask", "between", "get_group",
})  # fmt: skip
_RENAMES = frozenset({"agg", "aggregate", "rename", "astype", "rename_axis", "sort_values"})
_ROWS = frozenset({"loc", "at"})
_NUMBER = re.compile(r"\d{6,}")
_LARGEST_COUNT = 99_999


def tells_a_person(column: str) -> bool:
    """Whether a value of this column is that of one person, stay or sample."""
    return names_a_person(column) or bool(_NUMBERED.fullmatch(column))


def names_a_person(constant: str) -> bool:
    """Whether what is called so tells a person, wherever it is used."""
    return bool(_NAMED.search(constant))


def looks_like_a_number_of_somebody(text: str) -> bool:
    """Whether a text has as many digits in a row as the numbers of patients and stays have."""
    return bool(_NUMBER.search(text))


def refuse_persons(cells: Sequence[tuple[int, str]]) -> None:
    """Refuse rewritten code in which a value that tells a person still stands.

    Args:
        cells: number and code of each, after the parameters took the place of their constants.

    Raises:
        CannotRead: with the cell and the name, never with the value.
    """
    trees = [(number, ast.parse(code)) for number, code in cells]
    indexed = any(_indexes_by_a_person(node) for _, tree in trees for node in ast.walk(tree))
    written = Written(tree for _, tree in trees)
    for number, tree in trees:
        for node in ast.walk(tree):
            for name in (*_left_in(node, written), *(_row_of(node) if indexed else ())):
                raise CannotRead(
                    f"Cell {number}: beside {name} stands a value that can tell a person. Put it "
                    "in a filter as in `rows[rows[column] == VALUE]`, where it becomes a "
                    "parameter without a default, or remove it, and call again. Nothing was "
                    "written."
                )


def column_of(node: ast.expr, known: Sequence[str] | frozenset[str] = ()) -> str:
    """Return the column that an expression is made of, "" where none is seen.

    Args:
        node: as `stays["ward"].str.upper()`.
        known: columns that may be written as attributes, beside those that tell a person.
    """
    match node:
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
        case ast.Attribute(value=value, attr=attr):
            inner = column_of(value, known)
            return inner or (attr if attr in known or tells_a_person(attr) else "")
        case ast.Call(func=ast.Attribute(attr="to_datetime"), args=[first, *_]):
            return column_of(first, known)
        case ast.Call(func=ast.Attribute(value=value)):
            return column_of(value, known)
    return ""


def _left_in(node: ast.AST, written: Written) -> Iterator[str]:
    match node:
        case ast.Compare(left=left, comparators=others):
            sides, ordered = [left, *others], _orders(node)
            for side in sides:
                name = column_of(side)
                rest = [one for one in sides if one is not side]
                if tells_a_person(name) and any(
                    _holds(one, numbers=not ordered) or (not ordered and written.holds(one))
                    for one in rest
                ):
                    yield name
        case ast.Call(func=ast.Attribute(attr=("query" | "eval") as name), args=[asked, *_]):
            if any(_asks_for_a_person(text) for text in texts_in(asked)):
                yield name
        case ast.Call(func=ast.Attribute(attr=attr, value=of), args=args):
            name = column_of(of)
            if (
                attr in _ASKS
                and tells_a_person(name)
                and any(_holds(one) or written.holds(one) for one in args)
            ):
                yield name
            if attr not in _RENAMES:
                yield from _named_in(node)
        case ast.Call():
            yield from _named_in(node)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for one in node.generators:
                if tells_a_person(column_of(one.iter)) and _compares(node):
                    yield column_of(one.iter)
        case ast.For(iter=over) if tells_a_person(column_of(over)) and _compares(node):
            yield column_of(over)
        case ast.Assign(targets=[target], value=value):
            name = target.id if isinstance(target, ast.Name) else column_of(target)
            plain = isinstance(value, ast.Constant | ast.List | ast.Tuple | ast.Set | ast.Dict)
            if plain and names_a_person(name) and _holds(value, numbers=False):
                yield name


def _compares(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Compare) and _holds(one) for one in ast.walk(node))


def _named_in(call: ast.Call) -> Iterator[str]:
    """Yield what a call names: `DataFrame({"patient": ["…"]})`, `assign(patient="…")`."""
    for word in call.keywords:
        if word.arg and names_a_person(word.arg) and _is_plain(word.value):
            yield word.arg
    for table in (*call.args, *(word.value for word in call.keywords)):
        if isinstance(table, ast.Dict) and not _names_types(call):
            for key, value in zip(table.keys, table.values, strict=True):
                name = key.value if isinstance(key, ast.Constant) else ""
                if isinstance(name, str) and tells_a_person(name) and _is_plain(value):
                    yield name


def _names_types(call: ast.Call) -> bool:
    return any(word.arg in {"dtype", "columns"} for word in call.keywords)


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.Set | ast.Dict) and _holds(
        node
    )


def _holds(node: ast.AST, *, numbers: bool = True) -> bool:
    """Whether a text or a number is written in an expression, but as a column's name."""
    if isinstance(node, ast.Subscript):
        return _holds(node.value, numbers=numbers)
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return bool(node.value.strip())
        if not isinstance(node.value, int) or node.value in {0, 1}:
            return False
        return numbers or node.value > _LARGEST_COUNT
    return any(_holds(child, numbers=numbers) for child in ast.iter_child_nodes(node))


def _asks_for_a_person(text: str) -> bool:
    """Whether a query compares a column that tells a person with a value of its own."""
    query = parse_query(text)
    if query is None:
        names = re.findall(r"[^\W\d]\w*", text)
        return any(map(tells_a_person, names)) and bool(re.search(r"[\"']|\b\d{2}", text))
    return any(
        isinstance(node, ast.Compare | ast.Call)
        and any(isinstance(one, ast.Name) and tells_a_person(one.id) for one in ast.walk(node))
        and _holds(node, numbers=not _orders(node))
        for node in ast.walk(query)
    )


def _orders(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare) and all(isinstance(op, ORDERS) for op in node.ops)


def _indexes_by_a_person(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=("set_index" | "groupby")), args=[by, *_]):
            return any(map(tells_a_person, texts_in(by)))
        case ast.keyword(arg="index_col", value=value):
            return any(map(tells_a_person, texts_in(value)))
    return False


def _row_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Subscript(value=ast.Attribute(attr=attr), slice=key) if attr in _ROWS:
            row = key.elts[0] if isinstance(key, ast.Tuple) and key.elts else key
            if isinstance(row, ast.Constant | ast.List) and _holds(row):
                yield attr
        case ast.Call(func=ast.Attribute(attr=("xs" | "get_group") as attr), args=[row, *_]):
            if _holds(row):
                yield attr

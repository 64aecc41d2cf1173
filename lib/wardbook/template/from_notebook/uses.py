"""How a notebook uses a value: in a filter on which column, to draw, as a file's name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from wardbook.template.from_notebook.exploration import Cell
from wardbook.template.from_notebook.persons import ORDERS, column_of
from wardbook.template.from_notebook.queries import AT, parse_query

_COLUMN_WORDS = frozenset({
    "by", "on", "left_on", "right_on", "columns", "subset", "index", "values", "id_vars",
    "value_vars", "var_name", "value_name", "key", "usecols", "parse_dates", "hue", "x", "y",
    "names", "name", "c",
})  # fmt: skip
_COLUMN_CALLS = frozenset({
    "groupby", "sort_values", "set_index", "drop", "rename", "drop_duplicates", "pivot",
    "pivot_table", "getattr", "merge",
})  # fmt: skip
_FORM_CALLS = frozenset({
    "strftime", "strptime", "format", "to_period", "floor", "ceil", "resample",
})  # fmt: skip
_FORM_WORDS = frozenset({
    "format", "freq", "rule", "date_format", "float_format", "how", "sep", "delimiter",
    "encoding",
})  # fmt: skip
_DRAWING = frozenset({
    "figure", "subplots", "plot", "bar", "barh", "hist", "scatter", "set_title", "set_xlabel",
    "set_ylabel", "title", "xlabel", "ylabel", "legend", "suptitle", "tight_layout", "set_xlim",
    "set_ylim", "axhline", "axvline", "text", "annotate", "xticks", "yticks", "set_size_inches",
    "subplots_adjust", "grid", "fill_between", "set", "boxplot",
})  # fmt: skip
_DRAWING_WORDS = frozenset({"figsize", "dpi", "color", "alpha", "lw", "linewidth", "bins"})
_LENGTHS = frozenset({"rolling", "head", "nlargest", "nsmallest", "shift", "tail"})
_CHANCE = frozenset({"seed", "default_rng", "RandomState", "random_state"})
_FILE_CALLS = re.compile(
    r"(?:read|scan|to)_(?:csv|parquet|excel|json|table|feather)\Z"
    r"|savefig\Z|open\Z|Path\Z|join\Z|makedirs\Z|mkdir\Z|glob\Z"
)


@dataclass(frozen=True)
class Use:
    """One place in which a value is used.

    `role` is "filter" (compared with `column`), "order" (by < or >),
    "column", "drawing", "file", "form", "length",
    "factor", "divisor", "chance" or "value" where none of them was seen.
    """

    role: str
    column: str = ""


class Uses:
    """Where the names of a notebook are given a value and where they are used.

    Args:
        cells: the notebook's.
        columns: those of its sources, which may be written as attributes.
    """

    def __init__(self, cells: Sequence[Cell], columns: frozenset[str]) -> None:
        self._columns = columns
        self._parents = {
            child: parent
            for cell in cells
            for parent in ast.walk(cell.tree)
            for child in ast.iter_child_nodes(parent)
        }
        self.stores: dict[str, int] = defaultdict(int)
        self._loads: dict[str, list[ast.Name]] = defaultdict(list)
        self._asked: dict[str, list[Use]] = defaultdict(list)
        for cell in cells:
            for node in ast.walk(cell.tree):
                match node:
                    case ast.Name(id=name, ctx=ast.Load()):
                        self._loads[name].append(node)
                    case ast.Name(id=name):
                        self.stores[name] += 1
                    case ast.Constant(value=str() as text) if "@" in text:
                        self._read_query(text)

    def of(self, name: str) -> list[Use]:
        """Return the uses of a name."""
        return [*map(self._use_of, self._loads[name]), *self._asked[name]]

    def compared_with(self, name: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """Return the columns that a name is compared with, itself or under another name."""
        columns = {use.column for use in self.of(name) if use.column}
        for load in self._loads[name]:
            node: ast.AST | None = load
            while node is not None and not isinstance(node, ast.stmt):
                node = self._parents.get(node)
            match node:
                case ast.Assign(targets=[ast.Name(id=other)]) if other not in {name, *seen}:
                    columns |= self.compared_with(other, seen | {name})
        return columns

    def column_of(self, node: ast.expr) -> str:
        """Return the column that an expression is made of, "" where none is seen."""
        return column_of(node, self._columns)

    def _read_query(self, text: str) -> None:
        """Take in a query, which names a constant as @NAME."""
        query = parse_query(text)
        told: dict[str, Use] = {name: Use("filter") for name in re.findall(r"@(\w+)", text)}
        for node in ast.walk(query) if query else ():
            if isinstance(node, ast.Compare):
                names = [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
                columns = [name for name in names if not name.startswith(AT)]
                ordered = all(isinstance(op, ORDERS) for op in node.ops)
                for name in names:
                    if name.startswith(AT) and columns:
                        role = "order" if ordered else "filter"
                        told[name.removeprefix(AT)] = Use(role, columns[0])
        for name, use in told.items():
            self._asked[name].append(use)

    def _use_of(self, node: ast.AST) -> Use:
        child = node
        while child in self._parents:
            parent = self._parents[child]
            match parent:
                case ast.Subscript(slice=key) if key is child and not isinstance(
                    child, ast.Compare
                ):
                    return Use("column")
                case ast.Compare(left=left, ops=ops, comparators=others):
                    columns = (self.column_of(one) for one in (left, *others))
                    ordered = all(isinstance(op, ORDERS) for op in ops)
                    role = "order" if ordered else "filter"
                    return Use(role, next(filter(None, columns), ""))
                case ast.Call(func=func) if func is not child:
                    use = self._use_in(func)
                    if use is not None:
                        return use
                case ast.keyword(arg=str() as word) if word in _ROLE_OF_WORD:
                    return Use(_ROLE_OF_WORD[word])
                case ast.BinOp(op=ast.Div() | ast.FloorDiv(), right=right) if right is child:
                    return Use("divisor")
                case ast.BinOp(op=ast.Mult()):
                    return Use("factor")
                case ast.stmt():
                    break
            child = parent
        return Use("value")

    def _use_in(self, func: ast.expr) -> Use | None:
        called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        if isinstance(func, ast.Attribute):
            column = self.column_of(func.value)
            if called in ASKING or (column and called in {"contains", "match", "fullmatch"}):
                return Use("filter", column)
        if _FILE_CALLS.match(called):
            return Use("file")
        # As a function of its own, `set` draws nothing.
        known = called in _ROLE_OF_CALL and (isinstance(func, ast.Attribute) or called != "set")
        return Use(_ROLE_OF_CALL[called]) if known else None


ASKING = frozenset({"isin", "between", "eq", "ne", "ge", "gt", "le", "lt", "startswith"})
"""Methods of a column that compare it."""

_ROLE_OF_CALL = {
    **dict.fromkeys(_DRAWING, "drawing"),
    **dict.fromkeys(_FORM_CALLS, "form"),
    **dict.fromkeys(_COLUMN_CALLS, "column"),
    **dict.fromkeys(_LENGTHS, "length"),
    **dict.fromkeys(_CHANCE, "chance"),
}
_ROLE_OF_WORD = {
    **dict.fromkeys(_COLUMN_WORDS, "column"),
    **dict.fromkeys(_FORM_WORDS, "form"),
    **dict.fromkeys(_DRAWING_WORDS, "drawing"),
    **dict.fromkeys(_CHANCE, "chance"),
}

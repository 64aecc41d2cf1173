"""What is known of the frames of a notebook without running it: columns, index, origin.

A small reader of pandas: it follows names through assignments and the calls that tables are made
of. Where it cannot know, it says None, and never guesses.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

SAME = frozenset({
    "copy", "sort_values", "sort_index", "head", "tail", "dropna", "fillna", "drop_duplicates",
    "query", "round", "astype", "sample", "nlargest", "nsmallest", "where", "mask", "clip", "abs",
    "set_axis", "reindex", "ffill", "bfill", "convert_dtypes", "infer_objects", "cumsum", "diff",
    "shift", "rank",
})  # fmt: skip
LOOKS = frozenset({"head", "tail", "sample", "describe", "info"})
REDUCES = frozenset({
    "nunique", "count", "sum", "mean", "median", "max", "min", "std", "var", "first", "last",
    "size", "any", "all", "prod",
})  # fmt: skip
SPREADS = frozenset({
    "unstack", "pivot", "pivot_table", "crosstab", "get_dummies", "T", "transpose", "stack",
})  # fmt: skip
DRAWS = frozenset({"plot", "hist", "boxplot", "bar", "barh", "scatter"})


@dataclass(frozen=True)
class Shape:
    """What is known of a value.

    `columns` of a frame, or the one name of a series; None: not known. `index` are the names of an
    index that holds something, () a mere count of rows, None: not known. `rows` says that its rows
    are still those of a file. `spread`: its columns are values of the data. `keys` are what it is
    grouped by, `told` how each column was made: a statistic and the column it is of.
    """

    kind: Literal["frame", "series", "groups", "resampled", "drawing", "other"] = "other"
    columns: tuple[str, ...] | None = None
    index: tuple[str, ...] | None = ()
    rows: bool = False
    spread: bool = False
    keys: tuple[str, ...] = ()
    plain_index: bool = False
    origins: frozenset[str] = frozenset()
    told: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    made: bool = False

    @property
    def is_table(self) -> bool:
        """Whether it can become a table."""
        return self.kind in {"frame", "series"}

    @property
    def header(self) -> tuple[str, ...] | None:
        """The columns of the table that it becomes, its index's first; None: not known."""
        if self.columns is None or self.index is None or self.spread:
            return None
        return (*self.index, *self.columns)


NOTHING = Shape()


class Frames:
    """The names of a notebook and what they hold, statement after statement."""

    def __init__(self) -> None:
        self.names: dict[str, Shape] = {}
        self.reads: dict[int, Shape] = {}
        self.used: dict[str, set[str]] = {}
        self.texts: dict[str, str | tuple[str, ...]] = {}

    def follow(self, statement: ast.stmt) -> None:
        """Take in one statement of a cell's top level."""
        match statement:
            case ast.Assign(targets=[target], value=value):
                self._assign(target, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self.names[name] = self.look_at(value)
            case ast.AugAssign(target=target, value=value):
                self.look_at(value)
            case ast.Expr(value=value):
                self.look_at(value)
            case ast.If(test=test, body=body, orelse=orelse):
                self.look_at(test)
                before = dict(self.names)
                for one in (*body, *orelse):
                    self.follow(one)
                # What is another thing in one case than in the other is not known.
                for name, shape in self.names.items():
                    if before.get(name) != shape:
                        self.names[name] = NOTHING
            case _:
                for node in ast.walk(statement):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        self.names[node.id] = NOTHING
                for node in ast.walk(statement):
                    if isinstance(node, ast.Subscript | ast.Call):
                        self.look_at(node)

    def look_at(self, node: ast.expr | None) -> Shape:
        """Return what is known of an expression's value, and note the columns that it uses."""
        match node:
            case ast.Name(id=name):
                return self.names.get(name, NOTHING)
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=value, slice=key):
                return self._subscript(self.look_at(value), key)
            case ast.Attribute(value=value, attr=attr):
                return self._attribute(self.look_at(value), attr)
            case ast.BinOp(left=left, right=right):
                return _either(self.look_at(left), self.look_at(right))
            case ast.UnaryOp(operand=operand):
                return self.look_at(operand)
            case ast.Compare(left=left, comparators=others):
                shapes = [self.look_at(one) for one in (left, *others)]
                return next((one for one in shapes if one.kind != "other"), NOTHING)
            case ast.BoolOp(values=values):
                for one in values:
                    self.look_at(one)
                return NOTHING
        if node is not None:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.look_at(child)
        return NOTHING

    def column_names(self, node: ast.expr | None) -> tuple[str, ...] | None:
        """Return the names that an argument tells, as `by=["ward", "day"]`; None: not known."""
        match node:
            case ast.Constant(value=str() as name):
                return (name,)
            case ast.Name(id=name) if name in self.texts:
                told = self.texts[name]
                return (told,) if isinstance(told, str) else told
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                names = [self.column_names(part) for part in parts]
                if any(one is None for one in names):
                    return None
                return tuple(name for one in names if one for name in one)
            case ast.Call(func=ast.Attribute(attr="Grouper"), keywords=keywords):
                key = {one.arg: one.value for one in keywords}.get("key")
                return self.column_names(key)
            case ast.expr():
                shape = self.look_at(node)
                return shape.columns if shape.kind == "series" else None
        return None

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        shape = self.look_at(value)
        match target:
            case ast.Name(id=name):
                self.names[name] = shape
                told = self.column_names(value)
                if isinstance(value, ast.Constant | ast.List | ast.Tuple) and told:
                    self.texts[name] = told[0] if isinstance(value, ast.Constant) else told
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    if isinstance(part, ast.Name):
                        drawn = shape.kind == "drawing"
                        self.names[part.id] = shape if drawn else NOTHING
            case ast.Subscript(value=ast.Name(id=name), slice=key):
                added = self.column_names(key)
                self._add_columns(name, added)
            case ast.Attribute(value=ast.Name(id=name), attr="columns"):
                old = self.names.get(name, NOTHING)
                names = self.column_names(value)
                self.names[name] = replace(old, columns=names, spread=False, told={})
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                old = self.names.get(name, NOTHING)
                if old.kind == "frame" and not (old.columns and attr in old.columns):
                    self.names[name] = replace(old, columns=None)

    def _add_columns(self, name: str, added: tuple[str, ...] | None) -> None:
        old = self.names.get(name, NOTHING)
        if old.kind != "frame":
            return
        if added is None or old.columns is None:
            self.names[name] = replace(old, columns=None)
            if added and old.rows:
                self.names[name] = replace(
                    old, told={**old.told, **dict.fromkeys(added, ("made", ""))}
                )
            return
        new = tuple(one for one in added if one not in old.columns)
        self.names[name] = replace(old, columns=(*old.columns, *new))

    def use(self, shape: Shape, names: tuple[str, ...] | None) -> None:
        """Note columns that are taken from rows as they were read."""
        if shape.rows:
            for origin in shape.origins:
                new = {one for one in names or () if one not in shape.told}
                self.used.setdefault(origin, set()).update(new)

    def _subscript(self, shape: Shape, key: ast.expr) -> Shape:
        names = self.column_names(key) if not isinstance(key, ast.Compare) else None
        if shape.kind == "frame":
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                self.use(shape, (key.value,))
                return replace(shape, kind="series", columns=(key.value,), spread=False)
            if isinstance(key, ast.List) or (isinstance(key, ast.Name) and key.id in self.texts):
                self.use(shape, names)
                single = isinstance(key, ast.Name) and isinstance(self.texts[key.id], str)
                return replace(
                    shape, kind="series" if single else "frame", columns=names, spread=False
                )
            self.look_at(key)
            return shape
        if shape.kind in {"groups", "resampled"}:
            self.use(shape, names)
            single = not isinstance(key, ast.List)
            return replace(shape, columns=names, made=single)
        self.look_at(key)
        return shape if shape.kind == "series" else NOTHING

    def _attribute(self, shape: Shape, attr: str) -> Shape:
        if shape.kind == "frame" and attr == "T":
            return replace(shape, spread=True)
        if shape.kind in {"frame", "groups"} and not _is_a_method(attr):
            self.use(shape, (attr,))
            made = replace(shape, columns=(attr,), made=True)
            return made if shape.kind == "groups" else replace(made, kind="series")
        if shape.kind == "series" and attr in {"dt", "str", "date", "year", "month", "day", "hour"}:
            return shape
        if shape.kind == "series" and attr in {"dayofweek", "weekday", "quarter", "days"}:
            return shape
        if shape.kind in {"frame", "series", "groups"} and attr in {"loc", "iloc", "at", "iat"}:
            return shape
        return shape if attr in {"plot"} and shape.is_table else NOTHING

    def _call(self, node: ast.Call) -> Shape:
        from wardbook.template.from_notebook.pandas_calls import call_of

        if id(node) in self.reads:
            return self.reads[id(node)]
        for one in (*node.args, *(word.value for word in node.keywords)):
            self.look_at(one)
        return call_of(self, node)


def _either(left: Shape, right: Shape) -> Shape:
    if left.kind == "series" and right.kind == "series" and left.columns != right.columns:
        return replace(left, columns=None)
    return left if left.is_table else right


def _is_a_method(name: str) -> bool:
    import pandas as pd
    from pandas.core.groupby import DataFrameGroupBy

    return hasattr(pd.DataFrame, name) or hasattr(DataFrameGroupBy, name)

"""What a notebook shows or writes, as the outputs of a template."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from wardbook.template.from_notebook.exploration import (
    Cell,
    Edit,
    Found,
    edited_source,
    place_of,
    source_of,
)
from wardbook.template.from_notebook.frames import LOOKS, NOTHING, SPREADS, Frames, Shape
from wardbook.template.from_notebook.names import free_name, in_words, slug
from wardbook.template.rules import UNKNOWN_COLUMNS

_DRAWN_BY = frozenset({
    "plot", "bar", "barh", "hist", "scatter", "boxplot", "fill_between", "step", "errorbar",
    "imshow", "pie", "stackplot", "heatmap",
})  # fmt: skip
_WRITES = frozenset({"to_csv", "to_excel", "savefig", "show"})


@dataclass(frozen=True)
class Output:
    """A table or a figure: where it is made, of what, and the text that makes it."""

    name: str
    kind: str
    title: str
    cell: int
    line: int
    columns: tuple[str, ...] = ()
    shape: Shape = NOTHING
    formula: str = ""


class Outputs:
    """Finds outputs, cell after cell, while the frames are followed.

    Args:
        frames: what is known of the notebook's tables.
        taken: names that no output may have.
        plt: what the notebook calls matplotlib's pyplot, "" where it does not.
        asked: the edits by which parameters take the place of constants: code that is told or
            kept as a comment holds none of them either.
    """

    def __init__(self, frames: Frames, taken: set[str], plt: str, asked: Sequence[Edit]) -> None:
        self._frames, self._taken, self._plt, self._asked = frames, taken, plt, asked
        self.outputs: list[Output] = []
        self.edits: list[Edit] = []
        self.found: list[Found] = []
        self._made: dict[str, str] = {}
        self._values: dict[str, tuple[Cell, ast.expr]] = {}
        self._heading = ""

    def hear(self, markdown: str) -> None:
        """Take in a Markdown cell: its heading names what comes next."""
        headings = re.findall(r"^#{2,6}\s+(.+)$", markdown, re.M)
        if headings:
            self._heading = headings[-1].strip(" #*")

    def search(self, cell: Cell) -> None:
        """Find what one code cell shows or writes, and follow its statements."""
        drawn: int | None = None
        figure_done = False
        for number, statement in enumerate(cell.tree.body):
            self._frames.follow(statement)
            self._remember(cell, statement)
            if _draws(statement):
                drawn, figure_done = statement.lineno, False
            last = number == len(cell.tree.body) - 1
            if isinstance(statement, ast.Expr):
                made = self._judge(cell, statement, last=last, drawn=drawn, done=figure_done)
                figure_done = figure_done or made
            elif not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
                self._warn_inside(cell, statement)
        if drawn is not None and not figure_done:
            self._end_with_figure(cell, drawn)

    def _judge(
        self, cell: Cell, statement: ast.Expr, *, last: bool, drawn: int | None, done: bool
    ) -> bool:
        """Judge an expression; tell whether it ends the cell's figure."""
        match statement.value:
            case ast.Call(func=ast.Name(id="display"), args=[shown, *_]) as call:
                self._table(cell, shown, call, "displayed")
            case ast.Call(func=ast.Name(id="print")) as call:
                text = self._as_comment(cell, call)
                self.edits.append(place_of(cell, call, f"{text}  # TODO: say it with wb.say"))
                why = "print shows what is not declared: kept as a comment; say it with wb.say"
                self.found.append(
                    Found("left out", "print", cell.number, call.lineno, why, todo=True)
                )
            case (
                ast.Call(
                    func=ast.Attribute(attr=("to_csv" | "to_excel" | "to_parquet"), value=of)
                ) as call
            ):
                self._written(cell, of, call)
            case ast.Call(func=ast.Attribute(attr=("show" | "savefig") as how, value=of)) as call:
                if how == "show" and not (isinstance(of, ast.Name) and of.id == self._plt):
                    return False
                if done:
                    self._comment_out(cell, call, "the figure is made above")
                else:
                    self._figure(cell, call, of, drawn or call.lineno)
                return True
            case value if last:
                self._shown_last(cell, value)
        return False

    def _shown_last(self, cell: Cell, value: ast.expr) -> None:
        shape = self._frames.look_at(value)
        if shape.is_table or (isinstance(value, ast.Name) and cell.header is not None):
            self._table(cell, value, None, "the last expression of a cell")
        elif (
            not isinstance(value, ast.Constant)
            and shape.kind != "drawing"
            and not _draws_expr(value)
        ):
            why = "a value that only the analyst sees; say it with wb.say where it matters"
            self.found.append(
                Found("look", self._short(cell, value), cell.number, value.lineno, why)
            )

    def _written(self, cell: Cell, of: ast.expr, call: ast.Call) -> None:
        words = {one.arg: one.value for one in call.keywords}
        flat = words.get("index")
        plain = isinstance(flat, ast.Constant) and flat.value is False
        path = call.args[0] if call.args else words.get("path_or_buf")
        stem = ""
        if isinstance(path, ast.Constant) and isinstance(path.value, str):
            stem = slug(re.split(r"[\\/]", path.value)[-1].rpartition(".")[0])
        self._table(cell, of, call, "written to a file", wanted=stem, plain=plain)

    def _table(
        self,
        cell: Cell,
        shown: ast.expr,
        call: ast.Call | None,
        how: str,
        *,
        wanted: str = "",
        plain: bool = False,
    ) -> None:
        inner = _without_looks(shown)
        shape = self._frames.look_at(inner)
        if shape.rows:
            why = "rows of persons or of a file as read: seen by the analyst, no output"
            self.found.append(
                Found("look", self._short(cell, shown), cell.number, shown.lineno, why)
            )
            if call is not None:
                self._comment_out(cell, call, "rows are no output; declare what is counted")
            return
        key = source_of(cell, inner)
        if key in self._made and isinstance(inner, ast.Name):
            self._comment_out(cell, call or shown, f"it is the output {self._made[key]}")
            return
        named = inner.id if isinstance(inner, ast.Name) else ""
        name = free_name(wanted or slug(named) or slug(self._heading) or "table", self._taken)
        columns, ending, why = self._columns_of(cell, shape, inner, plain)
        title = self._heading or in_words(name)
        formula = self._formula(cell, inner)
        self.outputs.append(
            Output(name, "table", title, cell.number, shown.lineno, columns, shape, formula)
        )
        todo = columns == (UNKNOWN_COLUMNS,)
        self.found.append(
            Found("output", name, cell.number, shown.lineno, f"{how}; {why}", todo=todo)
        )
        self._made[key] = name
        simple = isinstance(inner, ast.Name | ast.Call | ast.Subscript | ast.Attribute)
        opening, closing = ("", "") if simple or not ending else ("(", ")")
        whole = call or shown
        start, end = _ends_of(whole)
        first, stop = _ends_of(inner)
        head = f'wb.table("{name}", {opening}'
        tail = f'{closing}{ending}, caption=wb.text("caption_{name}"))'
        self.edits.append(Edit(cell.number, start, first, head))
        self.edits.append(Edit(cell.number, stop, end, tail))

    def _columns_of(
        self, cell: Cell, shape: Shape, node: ast.expr, plain: bool
    ) -> tuple[tuple[str, ...], str, str]:
        """Return a table's columns, what makes it one, and how they are known."""
        if shape.is_table and shape.header is not None and shape.columns is not None:
            if plain and shape.kind == "frame":
                return shape.columns, "", "its columns follow from the code"
            ending = ""
            if shape.kind == "series":
                ending = f'.reset_index(name="{shape.columns[0]}")'
                if not shape.index:
                    ending = f'.to_frame("{shape.columns[0]}")'
            elif shape.index:
                ending = ".reset_index()"
            return shape.header, ending, "its columns follow from the code"
        spread = shape.spread or any(
            isinstance(one, ast.Attribute) and one.attr in SPREADS for one in ast.walk(node)
        )
        if spread:
            return (
                (UNKNOWN_COLUMNS,),
                "",
                "its columns are values of the data: make them rows, then declare",
            )
        if cell.header is not None and node is _last(cell):
            ending = ".reset_index()" if cell.header.index else ""
            names = (*cell.header.index, *cell.header.columns)
            return names, ending, "its columns are those of the saved output's header"
        return (UNKNOWN_COLUMNS,), "", "its columns could not be known: declare them"

    def _figure(self, cell: Cell, call: ast.Call, of: ast.expr, line: int) -> None:
        stem = ""
        if call.args and isinstance(call.args[0], ast.Constant):
            stem = slug(re.split(r"[\\/]", str(call.args[0].value))[-1].rpartition(".")[0])
        drawn = f"{self._plt}.gcf()"
        if not (isinstance(of, ast.Name) and of.id == self._plt):
            drawn = source_of(cell, of)
        name = self._declare_figure(cell, line, stem, "shown" if not stem else "written to a file")
        self.edits.append(place_of(cell, call, _make_figure(name, drawn)))

    def _end_with_figure(self, cell: Cell, line: int) -> None:
        last = cell.tree.body[-1]
        start, end = _ends_of(last)
        how = "drawn and shown at the cell's end"
        match last:
            case _ if self._plt:
                name = self._declare_figure(cell, line, "", how)
                text = f"\n{_make_figure(name, f'{self._plt}.gcf()')}"
                self.edits.append(Edit(cell.number, end, end, text))
            case ast.Assign(targets=[ast.Name(id=axes)], value=ast.Call() as value) if (
                self._frames.look_at(value).kind == "drawing"
            ):
                name = self._declare_figure(cell, line, "", how)
                text = f"\n{_make_figure(name, f'{axes}.get_figure()')}"
                self.edits.append(Edit(cell.number, end, end, text))
            case ast.Expr(value=ast.Call() as value) if (
                self._frames.look_at(value).kind == "drawing"
            ):
                name = self._declare_figure(cell, line, "", how)
                head, _, tail = _make_figure(name, "\0").partition("\0")
                self.edits.append(Edit(cell.number, start, start, head))
                self.edits.append(Edit(cell.number, end, end, f".get_figure(){tail}"))
            case _:
                why = "drawn without matplotlib's pyplot: declare it and write wb.figure by hand"
                self.found.append(Found("left out", "figure", cell.number, line, why, todo=True))

    def _declare_figure(self, cell: Cell, line: int, stem: str, how: str) -> str:
        title = _title_of(cell) or self._heading or "Figure"
        name = free_name(stem or slug(title) or "figure", self._taken)
        shapes = [
            self._frames.names[node.id]
            for node in ast.walk(cell.tree)
            if isinstance(node, ast.Name) and node.id in self._frames.names
        ]
        origins = frozenset().union(*(one.origins for one in shapes))
        shape = Shape("drawing", origins=origins)
        self.outputs.append(Output(name, "figure", title, cell.number, line, (), shape))
        self.found.append(Found("output", name, cell.number, line, f"a figure, {how}"))
        return name

    def _comment_out(self, cell: Cell, node: ast.expr, why: str) -> None:
        self.edits.append(place_of(cell, node, f"{self._as_comment(cell, node)}  # {why}"))

    def _as_comment(self, cell: Cell, node: ast.expr) -> str:
        lines = _pathless(self._text(cell, node)).split("\n")
        return "\n".join(f"# {line}" for line in lines)

    def _text(self, cell: Cell, node: ast.expr) -> str:
        return edited_source(cell, node, self._asked)

    def _short(self, cell: Cell, node: ast.expr) -> str:
        text = " ".join(self._text(cell, node).split())
        return text if len(text) <= 40 else f"{text[:39]}…"

    def _remember(self, cell: Cell, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._values[name] = (cell, value)
                self._made.pop(name, None)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
                self._made.pop(name, None)

    def _formula(self, cell: Cell, node: ast.expr) -> str:
        if isinstance(node, ast.Name) and node.id in self._values:
            at, value = self._values[node.id]
            return " ".join(_pathless(self._text(at, value)).split())
        return " ".join(_pathless(self._text(cell, node)).split())

    def _warn_inside(self, cell: Cell, statement: ast.stmt) -> None:
        for node in ast.walk(statement):
            match node:
                case ast.Call(func=ast.Attribute(attr=attr)) if attr in _WRITES:
                    why = f"{attr} in a loop, a condition or a function: write it by hand"
                    self.found.append(
                        Found("output", attr, cell.number, node.lineno, why, todo=True)
                    )


def _make_figure(name: str, drawn: str) -> str:
    return (
        f'wb.figure(\n    "{name}",\n    {drawn},\n    caption=wb.text("caption_{name}"),\n'
        f'    alternative=wb.text("alternative_{name}"),\n)'
    )


def _without_looks(node: ast.expr) -> ast.expr:
    match node:
        case ast.Call(func=ast.Attribute(attr=attr, value=of)) if attr in LOOKS - {
            "describe",
            "info",
        }:
            return of
        case ast.Attribute(attr="style", value=of):
            return of
    return node


def _draws(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr | ast.Assign | ast.For | ast.With) and any(
        _draws_expr(node) for node in ast.walk(statement)
    )


def _draws_expr(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    inner = node.func.value
    return node.func.attr in _DRAWN_BY or (
        isinstance(inner, ast.Attribute) and inner.attr == "plot"
    )


def _title_of(cell: Cell) -> str:
    for node in ast.walk(cell.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr=("set_title" | "title" | "suptitle")),
                args=[ast.Constant(value=str() as title), *_],
            ):
                return title
            case ast.keyword(arg="title", value=ast.Constant(value=str() as title)):
                return title
    return ""


def _last(cell: Cell) -> ast.expr | None:
    last = cell.tree.body[-1]
    if not isinstance(last, ast.Expr):
        return None
    match last.value:
        case ast.Call(func=ast.Name(id="display"), args=[shown, *_]):
            return shown
    return _without_looks(last.value)


def _ends_of(node: ast.stmt | ast.expr) -> tuple[tuple[int, int], tuple[int, int]]:
    return (node.lineno, node.col_offset), (
        node.end_lineno or node.lineno,
        node.end_col_offset or node.col_offset,
    )


def _pathless(text: str) -> str:
    return re.sub(r"""(["'])[^"']*(?:[\\/]|\.[a-z]{3,7}(?=["']))[^"']*\1""", '"…"', text)

"""The constants of a notebook: which are worth being parameters, and why the others are not."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from wardbook.datasets import Dataset
from wardbook.template.from_notebook.exploration import (
    MASKED_PATH,
    CannotRead,
    Cell,
    Edit,
    Found,
    place_of,
    source_of,
)
from wardbook.template.from_notebook.names import free_name, slug

IDENTIFYING = frozenset(
    "patient patients person ipp nip nda nir ins stay sejour séjour tube sample isolate nom prenom "
    "prénom name surname birth naissance patient_id stay_id".split()
)
_COLUMN_WORDS = frozenset(
    "by on left_on right_on columns subset index values id_vars value_vars var_name value_name key "
    "usecols parse_dates hue x y names name c color".split()
)
_COLUMN_CALLS = frozenset(
    "groupby sort_values set_index drop rename drop_duplicates pivot pivot_table getattr merge".split()
)
_FORM_CALLS = frozenset("strftime strptime format to_period floor ceil resample".split())
_FORM_WORDS = frozenset(
    "format freq rule date_format float_format how sep delimiter encoding".split()
)
_DRAWING = frozenset(
    "figure subplots plot bar barh hist scatter set_title set_xlabel set_ylabel title xlabel ylabel "
    "legend suptitle tight_layout set_xlim set_ylim axhline axvline text annotate xticks yticks "
    "set_size_inches subplots_adjust grid fill_between set boxplot".split()
)
_FILE_CALLS = re.compile(
    r"(?:read|scan|to)_(?:csv|parquet|excel|json|table|feather)\Z|savefig\Z|open\Z|Path\Z|join\Z|makedirs\Z|mkdir\Z|glob\Z"
)
_FILE_NAME = re.compile(
    r"[\\/]|\.(?:csv|tsv|txt|parquet|xlsx?|json|png|pdf|svg|feather|zip)\Z|\Ahttps?:", re.I
)


@dataclass(frozen=True)
class Value:
    """A literal: its type as a parameter's, its texts, and how a parameter becomes it again."""

    type: str
    texts: tuple[str, ...]
    many: bool = False
    form: str = "{}"


@dataclass(frozen=True)
class Parameter:
    """A constant that becomes a parameter.

    `column` is what it is compared with, "" where that could not be seen. Without `value` texts
    (an identifier stood there) the requester must give it. `setup` is a line for the first cell.
    """

    name: str
    value: Value
    cell: int
    line: int
    reason: str
    column: str
    edits: tuple[Edit, ...]
    setup: str = ""
    choices: tuple[str, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    secret: bool = False


@dataclass(frozen=True)
class _Use:
    cell: Cell
    node: ast.AST
    role: str
    column: str = ""


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
        self._cells, self._alias, self._taken = cells, alias, taken
        self._columns = {c.name: c for dataset in datasets for c in dataset.columns}
        self._parents = {
            child: (cell, parent)
            for cell in cells
            for parent in ast.walk(cell.tree)
            for child in ast.iter_child_nodes(parent)
        }
        self._stores, self._loads = self._find_names()
        self.parameters: list[Parameter] = []
        self.found: list[Found] = []
        self.paths: list[tuple[Cell, ast.Assign]] = []

    def search(self) -> None:
        """Look at every literal.

        Raises:
            CannotRead: one name is given two values.
        """
        self._search_named()
        self._search_unnamed()

    # Named: NAME = literal at the top level of a cell.

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
            if len(places) > 1 and len(places) == self._stores[name]:
                raise CannotRead(
                    f"{name} is given a value twice: {' and '.join(places)}. A parameter has one: "
                    "keep one of them, or give the other its own name, and call again."
                )

    def _judge_named(
        self, cell: Cell, statement: ast.Assign, name: str, node: ast.expr, value: Value
    ) -> None:
        uses = [self._role_of(one, load) for one, load in self._loads[name]]
        why = self._why_not(name, value, uses)
        if why:
            self.found.append(Found("constant", name, cell.number, statement.lineno, why))
            if why.startswith("a file"):
                self.paths.append((cell, statement))
            return
        column = next((one.column for one in uses if one.column), "")
        told = f"compared with {column}" if column else f"used {_times(len(uses))}"
        self._add(
            slug(name) or "value",
            value,
            cell,
            statement.lineno,
            f"a named constant, {told}",
            column,
            [(cell, node, value)],
            [one.role for one in uses],
        )

    def _why_not(self, name: str, value: Value, uses: Sequence[_Use]) -> str:
        roles = {one.role for one in uses}
        if self._stores[name] > 1:
            return "changed later on: a part of the calculation"
        if not uses:
            return "never used"
        if "file" in roles or any(
            _FILE_NAME.search(text) or MASKED_PATH in text for text in value.texts
        ):
            return "a file's name: the run names the files"
        if roles == {"drawing"}:
            return "for the drawing only"
        if roles <= {"form", "drawing"}:
            return "a format or a frequency, not a question"
        if value.type == "text" and "column" in roles:
            return "the name of a column"
        if any("," in text for text in value.texts) and value.many:
            return "a text in it holds a comma, which parts a request's list"
        if value.type == "text" and any(re.search(r"%[a-zA-Z]|\{", text) for text in value.texts):
            return "a format, not a question"
        return ""

    # Unnamed: literals in comparisons, isin, query, Timestamp, start=.

    def _search_unnamed(self) -> None:
        places: dict[tuple[str, Value], list[tuple[Cell, ast.expr, str]]] = defaultdict(list)
        for cell in self._cells:
            for node in ast.walk(cell.tree):
                for literal, column, wanted in self._literals_in(cell, node):
                    value = read_literal(literal, cell)
                    if value is not None:
                        places[column, value].append((cell, literal, wanted))
        for (column, value), found in places.items():
            self._judge_unnamed(column, value, found)
        for cell in self._cells:
            for node in ast.walk(cell.tree):
                match node:
                    case ast.Call(
                        func=ast.Attribute(attr="query"),
                        args=[ast.Constant(value=str()) as text, *_],
                    ):
                        self._judge_query(cell, text)

    def _literals_in(self, cell: Cell, node: ast.AST) -> Iterable[tuple[ast.expr, str, str]]:
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                column, other = self._column_of(left), self._column_of(right)
                if column:
                    yield right, column, _name_compared(column, op)
                elif other:
                    yield left, other, _name_compared(other, op)
            case ast.Call(func=ast.Attribute(attr="isin", value=of), args=[listed]):
                column = self._column_of(of)
                yield listed, column, f"{column or 'value'}s"
            case ast.Call(func=ast.Attribute(attr="between", value=of), args=[low, high, *_]):
                column = self._column_of(of)
                yield low, column, f"{column or 'value'}_from"
                yield high, column, f"{column or 'value'}_to"
            case ast.Call(func=ast.Attribute(attr="date_range"), args=args):
                yield from ((one, "", n) for one, n in zip(args, ("start", "end"), strict=False))
        if isinstance(node, ast.Call):
            for word in node.keywords:
                if word.arg in {"start", "end", "start_date", "end_date"}:
                    yield word.value, "", word.arg

    def _judge_unnamed(
        self, column: str, value: Value, found: Sequence[tuple[Cell, ast.expr, str]]
    ) -> None:
        cell, node, wanted = found[0]
        secret = _tells_a_person(column)
        worth = secret or value.type == "date" or value.many or len(found) > 1
        if value.type in {"integer", "number", "boolean"} and value.texts[0] in {
            "0",
            "1",
            "-1",
            "yes",
            "no",
        }:
            why = "0, 1, true and false stand for themselves"
        elif not worth:
            why = "stands once and has no name: name it at the top of a cell to make it a parameter"
        else:
            told = "in a filter" if len(found) == 1 else f"in {len(found)} filters"
            places = [(one, literal, value) for one, literal, _ in found]
            self._add(
                wanted,
                value,
                cell,
                node.lineno,
                f"a value without a name {told}",
                column,
                places,
                [],
            )
            return
        name = wanted or "value"
        self.found.append(Found("constant", name, cell.number, node.lineno, why))

    def _judge_query(self, cell: Cell, text: ast.Constant) -> None:
        try:
            asked = ast.parse(str(text.value).strip(), mode="eval")
        except SyntaxError:
            self.found.append(
                Found(
                    "constant",
                    "query",
                    cell.number,
                    text.lineno,
                    "a query that is no Python",
                    todo=True,
                )
            )
            return
        made = ast.unparse(asked)
        setups: list[tuple[Value, str, ast.expr, str]] = []
        for node in ast.walk(asked):
            match node:
                case ast.Compare(left=ast.Name(id=column), ops=[op], comparators=[right]):
                    value = read_literal(right, cell)
                    if value is None:
                        continue
                    worth = value.type == "date" or value.many or _tells_a_person(column)
                    if worth:
                        setups.append((value, column, right, _name_compared(column, op)))
                    else:
                        why = "stands once and has no name: name it at the top of a cell to make it a parameter"
                        name = _name_compared(column, op)
                        self.found.append(Found("constant", name, cell.number, text.lineno, why))
        if not setups:
            return
        parts = []
        for value, column, right, wanted in setups:
            name = free_name(f"{wanted}_asked", self._taken)
            parts.append((value, column, wanted, name))
            made = made.replace(ast.unparse(right), f"@{name}", 1)
        for number, (value, column, wanted, name) in enumerate(parts):
            edits = [place_of(cell, text, repr(made))] if number == 0 else []
            self._add(
                wanted,
                value,
                cell,
                text.lineno,
                "a value without a name in a query",
                column,
                [],
                [],
                edits=edits,
                setup=name,
            )

    def _add(
        self,
        wanted: str,
        value: Value,
        cell: Cell,
        line: int,
        reason: str,
        column: str,
        places: Sequence[tuple[Cell, ast.expr, Value]],
        roles: Sequence[str],
        *,
        edits: Sequence[Edit] = (),
        setup: str = "",
    ) -> None:
        used = {one.name for one in self.parameters}
        name = free_name(slug(wanted) or "value", used)
        known = self._columns.get(column)
        low, high = _guess_bounds(value, roles)
        choices = (
            known.choices if known is not None and set(value.texts) <= set(known.choices) else ()
        )
        masked = any(text.endswith("-removed") for text in value.texts)
        asked = f"{self._alias}.{name}"
        self.parameters.append(
            Parameter(
                name,
                value,
                cell.number,
                line,
                reason,
                column,
                (*edits, *(place_of(at, node, one.form.format(asked)) for at, node, one in places)),
                f"{setup} = {value.form.format(asked)}" if setup else "",
                choices,
                low,
                high,
                masked or _tells_a_person(column),
            )
        )

    # How a name is used.

    def _find_names(self) -> tuple[Mapping[str, int], Mapping[str, list[tuple[Cell, ast.Name]]]]:
        stores: dict[str, int] = defaultdict(int)
        loads: dict[str, list[tuple[Cell, ast.Name]]] = defaultdict(list)
        for cell in self._cells:
            for node in ast.walk(cell.tree):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    loads[node.id].append((cell, node))
                elif isinstance(node, ast.Name):
                    stores[node.id] += 1
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    # A query names it as @NAME.
                    for name in re.findall(r"@(\w+)", node.value):
                        loads[name].append((cell, ast.Name(id=name, ctx=ast.Load())))
        return stores, loads

    def _role_of(self, cell: Cell, node: ast.AST) -> _Use:
        child = node
        while child in self._parents:
            _, parent = self._parents[child]
            match parent:
                case ast.Subscript(slice=key) if key is child and not isinstance(
                    child, ast.Compare
                ):
                    return _Use(cell, node, "column")
                case ast.Compare():
                    sides = (parent.left, *parent.comparators)
                    column = next(filter(None, (self._column_of(one) for one in sides)), "")
                    return _Use(cell, node, "filter", column)
                case ast.Call(func=ast.Attribute(attr=("isin" | "between"), value=of)) if (
                    child is not parent.func
                ):
                    return _Use(cell, node, "filter", self._column_of(of))
                case ast.Call(func=func) if func is not child:
                    called = (
                        func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
                    )
                    word = ""
                    if called in _DRAWING:
                        return _Use(cell, node, "drawing")
                    if _FILE_CALLS.match(called):
                        return _Use(cell, node, "file")
                    if called in _FORM_CALLS:
                        return _Use(cell, node, "form")
                    if called in _COLUMN_CALLS:
                        return _Use(cell, node, "column")
                    if called in {"rolling", "head", "nlargest", "nsmallest", "shift", "tail"}:
                        return _Use(cell, node, f"length{word}")
                case ast.keyword(arg=word) if word in _COLUMN_WORDS:
                    return _Use(cell, node, "column")
                case ast.keyword(arg=word) if word in _FORM_WORDS:
                    return _Use(cell, node, "form")
                case ast.keyword(arg=("figsize" | "dpi" | "color" | "alpha" | "lw" | "linewidth")):
                    return _Use(cell, node, "drawing")
                case ast.BinOp(op=ast.Div(), right=right) if right is child:
                    return _Use(cell, node, "divisor")
                case ast.stmt():
                    break
            child = parent
        return _Use(cell, node, "value")

    def _column_of(self, node: ast.expr) -> str:
        match node:
            case ast.Subscript(slice=ast.Constant(value=str() as name)):
                return name
            case ast.Attribute(value=value, attr=attr):
                inner = self._column_of(value)
                return inner or (attr if attr in self._columns else "")
            case ast.Call(func=ast.Attribute(value=value)):
                return self._column_of(value)
            case ast.Call(func=ast.Attribute(attr="to_datetime"), args=[first, *_]):
                return self._column_of(first)
        return ""


def read_literal(node: ast.expr, cell: Cell) -> Value | None:
    """Return a literal's value: a date, number, text, truth, or a list of one kind of them."""
    match node:
        case ast.Constant(value=bool() as truth):
            return Value("boolean", ("yes" if truth else "no",))
        case ast.Constant(value=int() as number):
            return Value("integer", (str(number),))
        case ast.Constant(value=float() as number):
            return Value("number", (repr(number),))
        case ast.Constant(value=str() as text):
            if _is_day(text):
                return Value("date", (text,), form="{}.isoformat()")
            return Value("text", (text,)) if text.strip() else None
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=(int() | float()) as number)):
            return Value("integer" if isinstance(number, int) else "number", (f"-{number}",))
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) if parts:
            return _read_list(node, parts, cell)
        case ast.Call(func=func, args=args, keywords=[]):
            return _read_day(func, args, cell)
    return None


def _read_list(node: ast.expr, parts: Sequence[ast.expr], cell: Cell) -> Value | None:
    read = [read_literal(part, cell) for part in parts]
    values = [one for one in read if one is not None]
    same = {(one.type, one.form) for one in values}
    if len(values) < len(parts) or len(same) != 1 or any(one.many for one in values):
        return None
    kind, form = same.pop()
    listed = "list({})" if form == "{}" else f"[{form.format('one')} for one in {{}}]"
    if isinstance(node, ast.List):
        whole = "{}" if form == "{}" else listed
    else:
        whole = f"{'tuple' if isinstance(node, ast.Tuple) else 'set'}({{}})"
        if form != "{}":
            whole = whole.format(f"{form.format('one')} for one in {{}}")
    return Value(kind, tuple(one.texts[0] for one in values), many=True, form=whole)


def _read_day(func: ast.expr, args: Sequence[ast.expr], cell: Cell) -> Value | None:
    called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    written = source_of(cell, func) if hasattr(func, "lineno") else ast.unparse(func)
    texts = [one.value for one in args if isinstance(one, ast.Constant)]
    if called in {"Timestamp", "to_datetime", "datetime64"} and len(args) == len(texts) == 1:
        if isinstance(texts[0], str) and _is_day(texts[0]):
            return Value("date", (texts[0],), form=f"{written}({{}})")
    numbers = [one for one in texts if isinstance(one, int)]
    if called in {"date", "datetime"} and len(args) == len(numbers) == 3:
        try:
            day = date(*numbers).isoformat()
        except ValueError:
            return None
        form = "{}" if called == "date" else f"{written}.fromisoformat({{}}.isoformat())"
        return Value("date", (day,), form=form)
    return None


def _is_day(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _tells_a_person(column: str) -> bool:
    return column.lower() in IDENTIFYING


def _name_compared(column: str, op: ast.cmpop) -> str:
    match op:
        case ast.GtE() | ast.Gt():
            return f"{column}_from"
        case ast.LtE() | ast.Lt():
            return f"{column}_to"
        case ast.In() | ast.NotIn():
            return f"{column}s"
    return column


def _guess_bounds(
    value: Value, roles: Sequence[str]
) -> tuple[float | str | None, float | str | None]:
    """Guess what can be asked: what counts is not negative, a divisor or a length is at least 1."""
    if value.type not in {"integer", "number"}:
        return None, None
    numbers = [float(text) for text in value.texts]
    if min(numbers) < 0:
        return None, None
    if value.type == "integer":
        return (1 if {"divisor", "length"} & set(roles) else 0), None
    return 0, 1 if max(numbers) <= 1 else None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


Decide = Callable[[Parameter], bool]

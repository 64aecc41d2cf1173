"""The literals of a notebook: dates, numbers, texts, truths, and lists of one kind of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from wardbook.template.from_notebook.exploration import Cell, source_of


@dataclass(frozen=True)
class Value:
    """A literal: its type as a parameter's, its texts, and how a parameter becomes it again."""

    type: str
    texts: tuple[str, ...]
    many: bool = False
    form: str = "{}"


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
            if is_day(text):
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
    if called in {"Timestamp", "to_datetime", "datetime64"} and len(args) == 1:
        match texts:
            case [str() as day] if is_day(day):
                return Value("date", (day,), form=f"{written}({{}})")
    numbers = [one for one in texts if isinstance(one, int)]
    if called in {"date", "datetime"} and len(args) == len(numbers) == 3:
        try:
            day = date(*numbers).isoformat()
        except ValueError:
            return None
        form = "{}" if called == "date" else f"{written}.fromisoformat({{}}.isoformat())"
        return Value("date", (day,), form=form)
    return None


def is_day(text: str) -> bool:
    """Whether a text is a day as 2026-01-31."""
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False

"""The columns of a file that is no dataset, by how the notebook uses them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from wardbook.template.from_notebook.exploration import Cell, texts_in, walk_code
from wardbook.template.from_notebook.literals import is_day
from wardbook.template.from_notebook.persons import column_of
from wardbook.template.from_notebook.sources import Source


def guess_columns(
    source: Source, cells: Sequence[Cell], asked: Mapping[str, set[str]]
) -> dict[str, str]:
    """Return the columns that the notebook uses of a source, each with its type.

    Types are those of `invented.invent_rows`.

    Args:
        source: the file.
        cells: the notebook's.
        asked: by column, the texts that it is compared with.
    """
    told: dict[str, str] = {}
    for _, node in walk_code(cells):
        for column, kind in _kinds_in(node, source.used):
            told.setdefault(column, kind)
    guessed = {}
    read = {column for _, call in source.calls for column in _named_by(call)}
    for column in sorted(source.used | read) or ["column"]:
        texts = asked.get(column, set())
        if texts and all(map(is_day, texts)):
            guessed[column] = "date"
        elif texts and not all(map(_is_number, texts)):
            guessed[column] = "text"
        elif any("." in text for text in texts):
            guessed[column] = "number"
        else:
            guessed[column] = told.get(column, "integer")
    return guessed


def delimiter_of(source: Source) -> str:
    """Return what stands between the columns of a source's file."""
    for _, call in source.calls:
        for word in call.keywords:
            match word:
                case ast.keyword(arg=("sep" | "delimiter"), value=ast.Constant(value=str() as sep)):
                    return sep
    return ","


def _named_by(call: ast.Call) -> Iterator[str]:
    """Yield the columns that a call names as it reads the file."""
    for word in call.keywords:
        if word.arg in {"parse_dates", "usecols"}:
            yield from texts_in(word.value)
        elif word.arg == "dtype" and isinstance(word.value, ast.Dict):
            keys = (key for key in word.value.keys if key is not None)
            yield from (column for key in keys for column in texts_in(key))


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _kinds_in(node: ast.AST, used: frozenset[str]) -> Iterator[tuple[str, str]]:
    match node:
        case ast.keyword(arg="parse_dates", value=value):
            yield from ((column, "date") for column in texts_in(value))
        case ast.keyword(arg="dtype", value=ast.Dict(keys=keys, values=values)):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and ast.unparse(value).strip("'\"") == "str":
                    yield str(key.value), "text"
        case ast.Call(func=ast.Attribute(attr="to_datetime"), args=[first, *_]):
            yield column_of(first, used), "date"
        case ast.Attribute(attr="dt", value=of):
            yield column_of(of, used), "date"
        case ast.Attribute(attr="str", value=of):
            yield column_of(of, used), "text"
        case ast.Call(func=ast.Attribute(attr="groupby"), args=[by, *_]):
            yield from ((column, "text") for column in texts_in(by))
        case ast.Tuple(elts=[ast.Constant(value=str() as column), ast.Constant(value="nunique")]):
            yield column, "text"

"""What pandas' calls make of a frame's columns and index: the part of pandas that tables need."""

from __future__ import annotations

import ast
from dataclasses import replace

from wardbook.template.from_notebook.frames import (
    DRAWS,
    NOTHING,
    REDUCES,
    SAME,
    SPREADS,
    Frames,
    Shape,
)


def call_of(frames: Frames, node: ast.Call) -> Shape:
    """Return what is known of a call's value."""
    words = {one.arg: one.value for one in node.keywords if one.arg}
    if not isinstance(node.func, ast.Attribute):
        return NOTHING
    method, of = node.func.attr, node.func.value
    if isinstance(of, ast.Name) and of.id in {"pd", "pandas", "plt", "pl"}:
        return _of_module(frames, of.id, method, node, words)
    shape = frames.look_at(of)
    if isinstance(of, ast.Attribute) and of.attr in {"plot", "hist"} and shape.is_table:
        return Shape("drawing", origins=shape.origins)
    if shape.kind == "other":
        return NOTHING
    if method in DRAWS and shape.is_table:
        return Shape("drawing", origins=shape.origins)
    if shape.kind in {"groups", "resampled"}:
        return _of_groups(frames, shape, method, node, words)
    if shape.is_table:
        return _of_table(frames, shape, method, node, words)
    return shape if shape.kind == "drawing" else NOTHING


def _of_module(
    frames: Frames, module: str, method: str, node: ast.Call, words: dict[str, ast.expr]
) -> Shape:
    first = node.args[0] if node.args else None
    if module == "plt":
        return Shape("drawing") if method in {"subplots", "figure", "gcf", "gca"} else NOTHING
    shape = frames.look_at(first)
    match method:
        case "DataFrame" if isinstance(first, ast.Dict):
            names = [
                key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
                for key in first.keys
            ]
            index = () if "index" not in words else None
            origins = _origins(frames, first)
            if any(name is None for name in names):
                return Shape("frame", None, index, origins=origins)
            return Shape("frame", tuple(n for n in names if n), index, origins=origins)
        case "DataFrame":
            return Shape(
                "frame", frames.column_names(words.get("columns")), origins=_origins(frames, node)
            )
        case "to_datetime" | "to_numeric" | "cut" | "qcut" | "to_timedelta":
            return shape
        case "merge":
            other = frames.look_at(node.args[1]) if len(node.args) > 1 else NOTHING
            return _merge(frames, shape, other, words)
        case "concat":
            return Shape("frame", None, None, origins=_origins(frames, node))
        case _ if method in SPREADS:
            return Shape("frame", None, None, spread=True, origins=_origins(frames, node))
    return NOTHING


def _of_groups(
    frames: Frames, shape: Shape, method: str, node: ast.Call, words: dict[str, ast.expr]
) -> Shape:
    first = node.args[0] if node.args else None
    index = () if shape.plain_index else shape.keys
    lead = shape.keys if shape.plain_index else ()
    if method == "resample":
        return replace(shape, kind="groups")
    if method == "size":
        told = {"size": ("rows", "")}
        if shape.plain_index:
            return _made(shape, "frame", (*lead, "size"), (), told)
        return _made(shape, "series", ("size",), index, told)
    if method in REDUCES:
        columns = shape.columns if shape.made or shape.columns else None
        told = {name: (method, name) for name in columns or ()}
        kind = "series" if shape.made and not lead else "frame"
        whole = None if columns is None else (*lead, *columns)
        return _made(shape, kind, whole, index, told)
    if method in {"agg", "aggregate"}:
        return _aggregate(frames, shape, first, words, index, lead)
    if method in SAME | {"transform", "rolling", "cumcount"}:
        return replace(shape, kind="series", index=(), keys=(), rows=False)
    return Shape("frame", None, None, origins=shape.origins, keys=shape.keys)


def _aggregate(
    frames: Frames,
    shape: Shape,
    first: ast.expr | None,
    words: dict[str, ast.expr],
    index: tuple[str, ...],
    lead: tuple[str, ...],
) -> Shape:
    told: dict[str, tuple[str, str]] = {}
    if words:
        for name, value in words.items():
            match value:
                case ast.Tuple(elts=[ast.Constant(value=str() as of), how]):
                    frames.use(shape, (of,))
                    told[name] = (_statistic(how), of)
                case _:
                    told[name] = (_statistic(value), (shape.columns or ("",))[0])
        return _made(shape, "frame", (*lead, *words), index, told)
    match first:
        case ast.Dict(keys=keys, values=values):
            names = []
            for key, how in zip(keys, values, strict=True):
                if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                    return _made(shape, "frame", None, None, {})
                if isinstance(how, ast.List):
                    return _made(shape, "frame", None, None, {})
                frames.use(shape, (key.value,))
                names.append(key.value)
                told[key.value] = (_statistic(how), key.value)
            return _made(shape, "frame", (*lead, *names), index, told)
        case ast.List(elts=parts) if shape.made:
            hows = [part.value for part in parts if isinstance(part, ast.Constant)]
            names = [str(one) for one in hows]
            of = (shape.columns or ("",))[0]
            told = {name: (name, of) for name in names}
            known = len(names) == len(parts)
            return _made(shape, "frame", (*lead, *names) if known else None, index, told)
        case ast.Constant(value=str() as single) if shape.columns:
            told = {name: (single, name) for name in shape.columns}
            kind = "series" if shape.made and not lead else "frame"
            return _made(shape, kind, (*lead, *shape.columns), index, told)
    return _made(shape, "frame", None, index, {})


def _of_table(
    frames: Frames, shape: Shape, method: str, node: ast.Call, words: dict[str, ast.expr]
) -> Shape:
    first = node.args[0] if node.args else None
    names = frames.column_names(first) if first is not None else None
    if method in {"groupby", "resample"}:
        by = first if first is not None else words.get("by")
        if method == "resample":
            by = words.get("on")
            keys = frames.column_names(by) if by is not None else shape.index
        else:
            keys = frames.column_names(by)
        frames.use(shape, keys)
        flat = words.get("as_index")
        plain = isinstance(flat, ast.Constant) and flat.value is False
        kept = shape.columns if shape.kind == "series" else None
        made = replace(
            shape,
            kind="groups",
            keys=keys or (),
            plain_index=plain,
            columns=kept,
            made=shape.kind == "series",
        )
        return made if keys else replace(made, index=None, kind="other")
    if method == "reset_index":
        return _reset(frames, shape, words)
    if method == "rename":
        return _rename(frames, shape, first, words)
    if method == "rename_axis":
        return replace(shape, index=names)
    if method == "set_index":
        left = None
        if shape.columns is not None and names:
            left = tuple(one for one in shape.columns if one not in names)
        return replace(shape, columns=left, index=names)
    if method == "assign":
        added = tuple(words)
        for one in added:
            frames.look_at(words[one])
        if shape.columns is None:
            return replace(shape, told={**shape.told, **dict.fromkeys(added, ("made", ""))})
        new = tuple(one for one in added if one not in shape.columns)
        return replace(shape, columns=(*shape.columns, *new))
    if method == "drop":
        gone = frames.column_names(words.get("columns"))
        if gone is None:
            return shape if "index" in words else replace(shape, columns=None)
        kept = shape.columns and tuple(one for one in shape.columns if one not in gone)
        return replace(shape, columns=kept)
    if method == "to_frame":
        return replace(shape, kind="frame", columns=names or shape.columns)
    if method == "value_counts":
        keys = shape.columns if shape.kind == "series" else names
        told = {"count": ("rows", "")}
        return replace(
            shape,
            kind="series",
            columns=("count",),
            index=keys,
            rows=False,
            keys=keys or (),
            told=told,
        )
    if method == "merge":
        return _merge(frames, shape, frames.look_at(first), words)
    if method in SPREADS:
        return replace(shape, kind="frame", columns=None, index=None, spread=True, rows=False)
    if method == "melt":
        keep = frames.column_names(words.get("id_vars")) or ()
        var = frames.column_names(words.get("var_name")) or ("variable",)
        value = frames.column_names(words.get("value_name")) or ("value",)
        return replace(shape, columns=(*keep, *var, *value), index=(), spread=False)
    if method in {"rolling", "ewm", "expanding"}:
        return shape
    if method == "describe":
        return Shape("frame", None, None, rows=True, origins=shape.origins)
    if method in REDUCES:
        return NOTHING if shape.kind == "series" and not _rolls(node) else replace(shape, told={})
    if method in {"sort_values", "dropna", "drop_duplicates"}:
        frames.use(shape, names or frames.column_names(words.get("by") or words.get("subset")))
    if method in SAME or (shape.kind == "series" and method not in {"tolist", "to_list", "item"}):
        return shape
    return (
        NOTHING
        if method in {"tolist", "to_list", "to_dict", "item"}
        else replace(shape, columns=None)
    )


def _rolls(node: ast.Call) -> bool:
    return any(
        isinstance(one, ast.Attribute) and one.attr in {"rolling", "ewm", "expanding"}
        for one in ast.walk(node.func)
    )


def _reset(frames: Frames, shape: Shape, words: dict[str, ast.expr]) -> Shape:
    dropped = words.get("drop")
    if isinstance(dropped, ast.Constant) and dropped.value is True:
        return replace(shape, index=())
    if shape.index is None or shape.columns is None:
        return replace(shape, kind="frame", columns=None, index=())
    columns, told = shape.columns, dict(shape.told)
    name = frames.column_names(words.get("name"))
    if name and shape.kind == "series":
        told = {name[0]: told.get(columns[0], ("", ""))}
        columns = name
    lead = shape.index or ("index",)
    return replace(shape, kind="frame", columns=(*lead, *columns), index=(), told=told)


def _rename(
    frames: Frames, shape: Shape, first: ast.expr | None, words: dict[str, ast.expr]
) -> Shape:
    if shape.kind == "series":
        names = frames.column_names(first)
        told = {names[0]: next(iter(shape.told.values()), ("", ""))} if names else {}
        return replace(shape, columns=names, told=told)
    told_by = words.get("columns")
    if not isinstance(told_by, ast.Dict):
        return replace(shape, columns=None)
    pairs = {}
    for key, value in zip(told_by.keys, told_by.values, strict=True):
        old, new = frames.column_names(key), frames.column_names(value)
        if not old or not new:
            return replace(shape, columns=None)
        pairs[old[0]] = new[0]
    frames.use(shape, tuple(pairs))
    if shape.columns is None:
        return replace(shape, told={**shape.told, **dict.fromkeys(pairs.values(), ("made", ""))})
    told = {pairs.get(name, name): how for name, how in shape.told.items()}
    keys = tuple(pairs.get(name, name) for name in shape.keys)
    return replace(
        shape, columns=tuple(pairs.get(one, one) for one in shape.columns), told=told, keys=keys
    )


def _merge(frames: Frames, left: Shape, right: Shape, words: dict[str, ast.expr]) -> Shape:
    on = frames.column_names(words.get("on"))
    for side in (left, right):
        frames.use(side, on)
    origins, rows = left.origins | right.origins, left.rows and right.rows
    known = left.columns is not None and right.columns is not None and on is not None
    extra = tuple(one for one in right.columns or () if one not in (on or ()))
    if not known or set(extra) & set(left.columns or ()) or left.index or right.index:
        return Shape("frame", None, None, rows=rows, origins=origins, keys=left.keys)
    columns = (*(left.columns or ()), *extra)
    told = {**right.told, **left.told}
    return Shape("frame", columns, (), rows=rows, origins=origins, keys=left.keys, told=told)


def _made(
    shape: Shape,
    kind: str,
    columns: tuple[str, ...] | None,
    index: tuple[str, ...] | None,
    told: dict[str, tuple[str, str]],
) -> Shape:
    return Shape(
        "series" if kind == "series" else "frame",
        columns,
        index,
        origins=shape.origins,
        keys=shape.keys,
        told=told,
    )


def _statistic(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _origins(frames: Frames, node: ast.AST) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found |= frames.names.get(one.id, NOTHING).origins
    return found

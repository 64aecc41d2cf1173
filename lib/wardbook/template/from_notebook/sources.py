"""The files that a notebook reads, as the sources of a template."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import wardbook.datasets
from wardbook.datasets import Dataset, Kind, find_dataset
from wardbook.template.from_notebook.exploration import (
    CannotRead,
    Cell,
    Edit,
    Found,
    place_of,
    source_of,
    walk_code,
)
from wardbook.template.from_notebook.frames import Frames, Shape
from wardbook.template.from_notebook.names import free_name, slug

_READERS = re.compile(r"(?:read|scan)_(?:csv|parquet|excel|table|feather|json|fwf|ipc)\Z|open\Z")
_DATABASES = frozenset({
    "read_sql", "read_sql_query", "read_sql_table", "read_database", "read_database_uri",
    "create_engine", "read_gbq", "connect",
})  # fmt: skip
_CONNECTION = re.compile(r"\w+(?:\+\w+)?://[^\s/]*@|\b(?:postgresql|mysql|mssql|oracle|duckdb)[+:]")
_OF_THE_FORM = frozenset({"sep", "delimiter", "encoding", "parse_dates", "dtype", "low_memory"})
_PUBLIC = re.compile(
    r"data\.gouv\.fr|santepubliquefrance|insee\.fr|covid-hosp|sursaud|donnees-hosp"
)
_SPF_HOSPITAL = frozenset({
    "dep", "sexe", "jour", "hosp", "rea", "rad", "dc", "HospConv", "SSR_USLD", "autres",
    "incid_hosp", "incid_rea", "incid_dc", "incid_rad",
})  # fmt: skip
_SPF_OWN = frozenset({"hosp", "rea", "incid_hosp", "incid_rea"})


@dataclass
class Source:
    """A file that the notebook reads, what it uses of it, and the dataset that it is."""

    name: str
    cell: int
    line: int
    calls: list[tuple[Cell, ast.Call]] = field(default_factory=list)
    used: frozenset[str] = frozenset()
    dataset: Dataset | None = None
    public: bool = False
    kind: str = ""
    read_as_dataset: bool = False


def refuse_databases(cells: Sequence[Cell]) -> None:
    """Refuse a notebook that speaks to a database itself.

    Raises:
        CannotRead: with the place and what to do.
    """
    for cell, node in walk_code(cells):
        called = isinstance(node, ast.Call) and _called(node) in _DATABASES
        told = (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _CONNECTION.search(node.value)
        )
        if called or told:
            raise CannotRead(
                f"Cell {cell.number}, line {getattr(node, 'lineno', 1)}: the notebook reads a "
                "database itself. A template holds no connection: let the operator name the "
                "database in the settings (docs/sources.md), export the rows that you need to a "
                "CSV file, read that file here and call again."
            )


def find_sources(cells: Sequence[Cell], taken: set[str]) -> list[Source]:
    """Return what is read, in the order of the notebook; a file that is read twice is one source.

    Args:
        cells: the notebook's.
        taken: names that no source may have; those found are added.
    """
    found: dict[str, Source] = {}
    for cell in cells:
        for name, call in _reads(cell):
            file = ast.unparse(call.args[0]) if call.args else str(call.lineno)
            path = _path_of(cells, call)
            if file not in found:
                wanted = name or slug(re.split(r"[\\/]", path)[-1].rpartition(".")[0]) or "data"
                found[file] = Source(free_name(wanted, taken), cell.number, call.lineno)
                found[file].public = bool(_PUBLIC.search(path))
            found[file].calls.append((cell, call))
    return list(found.values())


def match_source(source: Source, frames: Frames, cells: Sequence[Cell]) -> None:
    """Find the dataset whose columns the notebook uses, else give the source a kind of its own."""
    source.used = frozenset(frames.used.get(source.name, ()))
    fits = []
    for module in pkgutil.iter_modules(wardbook.datasets.__path__):
        dataset = find_dataset(module.name.replace("_", "-"))
        if dataset is not None and len(source.used) >= 2 and source.used <= set(dataset.names):
            fits.append(dataset)
    if fits:
        source.dataset = max(fits, key=lambda one: (len(source.used) / len(one.names), one.name))
        source.kind = source.dataset.name
        source.read_as_dataset = all(
            _reads_the_same(call, source, cells) for _, call in source.calls
        )
    elif source.used & _SPF_OWN and source.used <= _SPF_HOSPITAL:
        source.public = True
        flow = any(one.startswith("incid") for one in source.used)
        source.kind = "spf-admissions" if flow else "spf-hospital"
    else:
        source.kind = f"{source.name.replace('_', '-')}-file"


def edit_reads(source: Source) -> Iterator[Edit]:
    """Yield the edits by which the notebook reads the source that the run gives it."""
    for cell, call in source.calls:
        if source.read_as_dataset:
            yield place_of(cell, call, f'wb.read("{source.name}")')
        elif isinstance(call.func, ast.Name):
            rest = [source_of(cell, one) for one in call.args[1:]]
            rest += [f"{one.arg}={source_of(cell, one.value)}" for one in call.keywords]
            yield place_of(cell, call, f'wb.source("{source.name}").open({", ".join(rest)})')
        elif call.args:
            yield place_of(cell, call.args[0], f'wb.source("{source.name}")')


def tell_source(source: Source) -> Found:
    """Say what a source became and why."""
    columns = ", ".join(sorted(source.used)) or "none that could be seen"
    if source.dataset is not None:
        why = f"has the columns of {source.kind}: {columns}"
        if not source.read_as_dataset:
            why += "; read as the notebook reads it, for it reads it another way than the dataset"
    elif source.public:
        why = f"a public file of Santé publique France by its columns or address: {columns}"
    else:
        why = f"a kind of its own; declare a dataset with the columns {columns}"
    return Found(
        "source",
        source.name,
        source.cell,
        source.line,
        why,
        todo=not (source.dataset or source.public),
    )


def shape_of(source: Source) -> Shape:
    """Return what is known of the frame that is read."""
    columns = source.dataset.names if source.dataset else None
    return Shape("frame", columns, rows=True, origins=frozenset({source.name}))


def _reads(cell: Cell) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call that reads a file, with the name that takes it."""
    for statement in ast.walk(cell.tree):
        name = ""
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = slug(statement.targets[0].id)
        if not isinstance(
            statement, ast.Assign | ast.Expr | ast.AnnAssign | ast.withitem | ast.Return
        ):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and _READERS.match(_called(node)) and _reads_a_file(node):
                yield "" if name in {"df", "data", "f"} else name, node


def _reads_a_file(call: ast.Call) -> bool:
    modes = [one.value for one in call.args[1:2] if isinstance(one, ast.Constant)]
    modes += [
        one.value.value
        for one in call.keywords
        if one.arg == "mode" and isinstance(one.value, ast.Constant)
    ]
    return not any(isinstance(mode, str) and set(mode) & set("wax") for mode in modes)


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _path_of(cells: Sequence[Cell], call: ast.Call) -> str:
    """Return the texts that a path is made of, for its name and host alone."""
    first = call.args[0] if call.args else None
    if first is None:
        return ""
    named = {node.id for node in ast.walk(first) if isinstance(node, ast.Name)}
    parts = [first]
    for cell in cells:
        for one in cell.tree.body:
            match one:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in named:
                    parts.insert(0, value)
    return "/".join(
        node.value
        for part in parts
        for node in ast.walk(part)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _reads_the_same(call: ast.Call, source: Source, cells: Sequence[Cell]) -> bool:
    """Tell whether the dataset's own reader gives the notebook the frame that it works on."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in {
        "read_csv",
        "read_parquet",
    }:
        return False
    words = {one.arg: one.value for one in call.keywords}
    if set(words) - _OF_THE_FORM or len(call.args) > 1 or source.dataset is None:
        return False
    if call.func.attr == "read_parquet":
        return True
    parsed = {
        node.value
        for node in ast.walk(words.get("parse_dates", ast.Constant(value=None)))
        if isinstance(node, ast.Constant)
    }
    for _, node in walk_code(cells):
        if isinstance(node, ast.Call) and _called(node) == "to_datetime":
            parsed |= {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}
            parsed |= {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    times = {one.name for one in source.dataset.columns if one.kind in {Kind.DAY, Kind.MOMENT}}
    return source.used & times <= parsed

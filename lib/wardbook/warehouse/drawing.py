"""One source made ready: extracted of its database, and looked at."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.datasets import Dataset, find_dataset
from wardbook.errors import DataProblem
from wardbook.omop.views import find_view, optional_tables
from wardbook.template.parameters import decode_value
from wardbook.warehouse.extracting import extract
from wardbook.warehouse.modelling import TableNotThere, open_model
from wardbook.warehouse.order import Draw, Drawn, Warehouse
from wardbook.warehouse.versions import read_version

if TYPE_CHECKING:
    from wardbook.warehouse.opening import OpenTable


def tell_version(source: str, warehouse: Warehouse, kind: str) -> Drawn:
    """Tell the version of the data of which a kind is made; that there is none is an answer."""
    try:
        return Drawn(version=_version_of(warehouse, kind))
    except TableNotThere as missing:
        return Drawn(DataProblem("form_differs", file=source, column=str(missing)))
    except DataProblem as problem:
        return Drawn(problem)


def _version_of(warehouse: Warehouse, kind: str) -> str:
    tables = _tables_of(kind)
    with open_model(warehouse) as open_table:
        if warehouse.form == "i2b2":
            return read_version(open_table, ())
        there = [name for name in optional_tables(kind) if _is_there(open_table, name)]
        return read_version(open_table, (*tables, *there))


def _is_there(open_table: OpenTable, name: str) -> bool:
    try:
        open_table(name)
    except TableNotThere:
        return False
    return True


def _tables_of(kind: str) -> tuple[str, ...]:
    if not kind:
        return ("person",)  # every form has it: the database is looked at, no kind of data
    view = find_view(kind)
    if view is None:
        raise DataProblem("no_view", kind=kind)
    return tuple(view.TABLES)


def draw(one: Draw) -> Drawn:
    """Make one source ready; what is wrong with its data is an answer."""
    try:
        return _draw(one)
    except TableNotThere as missing:
        return Drawn(DataProblem("form_differs", file=one.source, column=str(missing)))
    except DataProblem as problem:
        named = {**problem.details, "file": one.source} if one.warehouse else problem.details
        return Drawn(DataProblem(problem.code, **named))


def _draw(one: Draw) -> Drawn:
    from wardbook.datasets.readiness import look_at

    dataset = find_dataset(one.kind)
    if dataset is None:
        raise DataProblem("no_view", kind=one.kind)
    rows, version = 0, ""
    if one.warehouse is not None:
        part = one.file.with_name(f".{one.file.name}.{os.getpid()}")
        try:
            rows = _extract(dataset, one, one.warehouse, part)
            version = _version_of(one.warehouse, one.kind)
            part.replace(one.file)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    elif dataset.other_forms and not dataset.is_form_of(one.file):
        return Drawn(None)  # the template's own reader knows it, or refuses it
    frame = dataset.read(one.file)
    findings = look_at(dataset, frame, one.source, one.expected)
    return Drawn(None, findings, rows or len(frame), version)


def _extract(dataset: Dataset, one: Draw, warehouse: Warehouse, out: Path) -> int:
    from ibis.common.exceptions import IbisTypeError

    asked = {name: decode_value(value) for name, value in one.asked.items()}
    with open_model(warehouse) as open_table:
        try:
            return extract(dataset, open_table, asked, out)
        except (AttributeError, IbisTypeError):
            # A column that the view asks for.
            tables = ", ".join(_tables_of(one.kind))
            raise DataProblem("form_differs", file=one.source, column=tables) from None

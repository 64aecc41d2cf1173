"""The process that reads databases: orders on standard input, answers on standard output."""

from __future__ import annotations

import json
import os
import resource
import sys
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from wardbook.datasets import find_dataset
from wardbook.datasets.readiness import look_at
from wardbook.errors import DataProblem
from wardbook.omop.views import find_view
from wardbook.template.parameters import decode_value
from wardbook.warehouse.apart import FAULT
from wardbook.warehouse.extracting import extract
from wardbook.warehouse.modelling import TableNotThere, open_model
from wardbook.warehouse.order import Draw, Drawn, Warehouse
from wardbook.warehouse.versions import read_version


def main() -> int:
    """Answer one order; returns the exit status."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    order = json.load(sys.stdin.buffer)
    # Drivers and Java print where they like: the answer goes where they do not.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        told: Any = [one.to_json() for one in _answer(order)]
        status = 0
    except Exception as error:
        told, status = {"fault": type(error).__name__}, FAULT
    with answer:
        json.dump(told, answer)
    return status


def _answer(order: Mapping[str, Any]) -> Iterable[Drawn]:
    if order["task"] == "version":
        warehouse = Warehouse(**order["warehouse"])
        return [_tell_version(order["source"], warehouse, order["kind"])]
    return [draw(Draw.from_json(one)) for one in order["draws"]]


def _tell_version(source: str, warehouse: Warehouse, kind: str) -> Drawn:
    try:
        return Drawn(version=_version_of(warehouse, kind))
    except TableNotThere as missing:
        return Drawn(DataProblem("form_differs", file=source, column=str(missing)))
    except DataProblem as problem:
        return Drawn(problem)


def _version_of(warehouse: Warehouse, kind: str) -> str:
    tables = _tables_of(kind)
    with open_model(warehouse) as open_table:
        return read_version(open_table, () if warehouse.form == "i2b2" else tables)


def _tables_of(kind: str) -> tuple[str, ...]:
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
    dataset = find_dataset(one.kind)
    if dataset is None:
        raise DataProblem("no_view", kind=one.kind)
    rows, version = 0, ""
    if one.warehouse is not None:
        part = one.file.with_name(f".{one.file.name}.{os.getpid()}")
        try:
            rows = _extract(one, one.warehouse, part)
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


def _extract(one: Draw, warehouse: Warehouse, out: Path) -> int:
    from ibis.common.exceptions import IbisTypeError

    dataset = find_dataset(one.kind)
    assert dataset is not None  # noqa: S101  looked up before
    asked = {name: decode_value(value) for name, value in one.asked.items()}
    with open_model(warehouse) as open_table:
        try:
            return extract(dataset, open_table, asked, out)
        except (AttributeError, IbisTypeError):
            # A column that the view asks for.
            tables = ", ".join(_tables_of(one.kind))
            raise DataProblem("form_differs", file=one.source, column=tables) from None


if __name__ == "__main__":
    sys.exit(main())

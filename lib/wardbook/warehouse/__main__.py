"""The process that reads databases: orders on standard input, answers on standard output."""

from __future__ import annotations

import json
import os
import resource
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from wardbook.warehouse.apart import FAULT
from wardbook.warehouse.drawing import draw, tell_version
from wardbook.warehouse.order import Draw, Drawn, Warehouse


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
        return [tell_version(order["source"], warehouse, order["kind"])]
    return [draw(Draw.from_json(one)) for one in order["draws"]]


if __name__ == "__main__":
    sys.exit(main())

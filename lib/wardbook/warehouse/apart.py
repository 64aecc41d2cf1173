"""Databases are read in a process of their own, which alone has their credentials.

It gets its orders on its standard input: no credential stands in an argument, an environment or a
file. Of a fault it tells the kind alone, since a driver's message may hold a value or a password.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wardbook.errors import DataProblem, EnvironmentFault, ForeignFault
from wardbook.warehouse.order import Draw, Drawn, Warehouse

FAULT = 3
"""The exit status of a process that has told of a fault."""
_KEPT = (
    *("PATH", "HOME", "LANG", "TZ", "TMPDIR", "PYTHONPATH", "JAVA_HOME", "SPARK_HOME"),
    *("LD_LIBRARY_PATH", "TNS_ADMIN"),
)


class TooSlow(ForeignFault):
    """The databases were not read in the time that the settings give them."""


def draw_sources(draws: Sequence[Draw], seconds: float) -> tuple[Drawn, ...]:
    """Extract and look at sources, one after another.

    Raises:
        TooSlow: it took more than `seconds`.
        ForeignFault: a database could not be reached or failed.
        EnvironmentFault: a driver is not installed.
    """
    if not draws:
        return ()
    orders = [one.to_json() for one in draws]
    names = ", ".join(one.source for one in draws)
    answers = _ask({"task": "draw", "draws": orders}, names, seconds)
    return tuple(map(Drawn.from_json, answers))


def ask_version(source: str, warehouse: Warehouse, kind: str, seconds: float) -> str:
    """Return the version of the data of which a kind is made; "" as a kind only opens the database.

    `source` is what messages call it.

    Raises:
        DataProblem: the database is not of its form, or the kind cannot be made of it.
        TooSlow: it took more than `seconds`.
        ForeignFault: the database could not be reached or failed.
        EnvironmentFault: a driver is not installed.
    """
    order = {"source": source, "warehouse": warehouse.__dict__, "kind": kind}
    (raw,) = _ask({"task": "version", **order}, source, seconds)
    drawn = Drawn.from_json(raw)
    if drawn.problem is not None:
        raise DataProblem(drawn.problem.code, **drawn.problem.details)
    return drawn.version


def _ask(order: Mapping[str, Any], names: str, seconds: float) -> list[dict[str, Any]]:
    with subprocess.Popen(
        [sys.executable, "-m", "wardbook.warehouse"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a driver's words may hold anything
        env=_environment(),
        cwd="/",
        start_new_session=True,
    ) as process:
        try:
            told, _ = process.communicate(json.dumps(order).encode(), timeout=seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # Spark's own process too
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise TooSlow(
                f"{names}: not read within {seconds / 60:g} minutes. Set `minutes` of the source "
                "higher, or see what holds the database up."
            ) from None
    if process.returncode == 0:
        answers: list[dict[str, Any]] = json.loads(told)
        return answers
    kind = json.loads(told)["fault"] if process.returncode == FAULT else "killed"
    if kind in ("ModuleNotFoundError", "ImportError"):
        raise EnvironmentFault(
            f"{names}: the driver of this kind of database is not installed; see docs/sources.md."
        )
    raise ForeignFault(
        f"{names}: the database could not be read ({kind}). Look at its address, its account and "
        "whether it runs; `wardbook sources check` tries again."
    )


def _environment() -> dict[str, str]:
    library = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    path = os.pathsep.join(filter(None, (kept.get("PYTHONPATH"), library)))
    return kept | {"PYTHONPATH": path, "PYTHONUTF8": "1"}

"""What a notebook shows, marked for the report or for the engine.

The report publishes only displays whose metadata say so; the engine reads a data problem from its
own MIME type, because a traceback's text holds data values. Outside IPython nothing is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal

from wardbook.errors import DataProblem

PROBLEM_TYPE = "application/vnd.wardbook.problem+json"


def publish(
    data: Mapping[str, object],
    kind: Literal["text", "table", "figure"],
    *,
    output: str | None = None,
    rows: int | None = None,
) -> None:
    """Show `data` (MIME type to content) here, marked as this place's `kind` in the report."""
    mark = {"publish": kind, "output": output, "rows": rows}
    _show(data, {"wardbook": mark})


def show_problems() -> None:
    """Let this IPython shell show each uncaught DataProblem as code and places; see PROBLEM_TYPE.

    Does nothing outside IPython, and nothing the second time.
    """
    shell = _find_shell()
    if shell is not None and DataProblem not in shell.custom_exceptions:
        shell.set_custom_exc((DataProblem,), _show_problem)


def _show_problem(
    shell: Any,
    kind: type[DataProblem],
    problem: DataProblem,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    _show({PROBLEM_TYPE: {"code": problem.code, "details": dict(problem.details)}}, {})
    shell.showtraceback((kind, problem, trace), tb_offset=tb_offset)


def _show(data: Mapping[str, object], metadata: Mapping[str, object]) -> None:
    if _find_shell() is not None:
        from IPython.display import publish_display_data

        publish_display_data(dict(data), dict(metadata))


def _find_shell() -> Any:
    if "IPython" not in sys.modules:  # a plain script: do not load it to learn that it is not there
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()

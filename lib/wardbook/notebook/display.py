"""What a notebook shows, marked for the report or for the engine.

The report publishes only displays whose metadata say so; the engine reads a data problem from its
own MIME type, because a traceback's text holds data values. Outside IPython nothing is shown.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping, Sequence
from numbers import Integral
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
    styles: Sequence[object] = (),
) -> None:
    """Show `data` (MIME type to content) here, marked as this place's `kind` in the report."""
    mark: dict[str, object] = {"publish": kind, "output": output, "rows": rows}
    if styles:
        mark["styles"] = list(styles)
    _show(data, {"wardbook": mark})


def show_problems() -> None:
    """Let this IPython shell tell what it cannot tell by itself about an uncaught exception.

    A DataProblem is shown as code and places (see PROBLEM_TYPE), and a MemoryError is shown at all:
    the memory kept in reserve for it is given free. The traceback follows as usual. Does nothing
    outside IPython, and nothing the second time.
    """
    shell = _find_shell()
    if shell is not None and DataProblem not in shell.custom_exceptions:
        shell.set_custom_exc((DataProblem, MemoryError), _show_exception)


def _show_exception(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    if isinstance(error, DataProblem):
        _show({PROBLEM_TYPE: {"code": error.code, "details": _plain_details(error)}}, {})
        error = _with_message(error)
    else:
        # The engine sets the soft limit below the hard one by what a traceback needs.
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _plain_details(problem: DataProblem) -> dict[str, str | int]:
    # Row numbers come from numpy as often as not; what is neither text nor number stays here.
    given: Mapping[str, object] = problem.details
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    numbers = {name: int(value) for name, value in given.items() if isinstance(value, Integral)}
    return texts | numbers


def _with_message(problem: DataProblem) -> BaseException:
    try:
        str(problem)
    except (KeyError, ValueError, IndexError):  # an unknown code, or a place without a value
        return Exception(f"the messages of topic 'data' do not fit the code {problem.code!r}")
    return problem


def _show(data: Mapping[str, object], metadata: Mapping[str, object]) -> None:
    if _find_shell() is not None:
        from IPython.display import publish_display_data

        publish_display_data(dict(data), dict(metadata))


def _find_shell() -> Any:
    if "IPython" not in sys.modules:  # a plain script: do not load it to learn that it is not there
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()

"""Wardbook's library: what templates and notebooks import, and what the platform is built on.

A notebook writes `import wardbook as wb` and uses `wb.params()`, `wb.source()`, `wb.read()`,
`wb.language()`, `wb.text()`, `wb.say()`, `wb.table()`, `wb.figure()` and `wb.DataProblem`; see
`wardbook.notebook`. They are loaded at their first use, so that the platform's own
`import wardbook` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wardbook.notebook import (
        DataProblem,
        figure,
        language,
        params,
        read,
        say,
        source,
        table,
        text,
    )

__all__ = ["DataProblem", "figure", "language", "params", "read", "say", "source", "table", "text"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wardbook import notebook

    notebook.show_problems()
    return getattr(notebook, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What git calls: `clean` before a notebook is stored, `textconv` before one is compared.

Called for each notebook, by a Python that reads neither site-packages nor the environment: it
starts in hundredths of a second.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wardbook.stripping.notebook import NoNotebook, strip_notebook
from wardbook.stripping.readable import tell_notebook


def main(arguments: list[str]) -> int:
    """Strip what comes on stdin (`clean NAME`), or tell the file of a name (`textconv FILE`).

    Nothing is written where it is no notebook: `clean` says so and fails, and git then stores
    nothing; `textconv` says so instead of the content.
    """
    act, name = arguments
    if act == "textconv":
        try:
            told = tell_notebook(Path(name).read_text(encoding="utf-8"))
        except (NoNotebook, UnicodeDecodeError):
            told = "This is no notebook.\n"
    else:
        content = sys.stdin.buffer.read()
        if not content:
            return 0  # a file that somebody has just made
        try:
            told = strip_notebook(content.decode("utf-8"))
        except (NoNotebook, UnicodeDecodeError) as error:
            sys.stderr.write(f"{name}: {explain(error)}\n")
            return 1
    sys.stdout.buffer.write(told.encode("utf-8"))
    return 0


def explain(error: NoNotebook | UnicodeDecodeError) -> str:
    """Return the sentence for what is no notebook; bytes that are no UTF-8 are not shown."""
    return str(NoNotebook("no_utf8") if isinstance(error, UnicodeDecodeError) else error)

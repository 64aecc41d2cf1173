"""The texts that `DataFrame.query` takes, read as Python."""

from __future__ import annotations

import ast
import re

AT = "named_outside_"
"""Stands for @ before a name."""


def parse_query(text: str) -> ast.Expression | None:
    """Return what a query asks, each @NAME as a name that begins with `AT`; None: no Python."""
    try:
        return ast.parse(re.sub(r"@(?=\w)", AT, text).strip(), mode="eval")
    except SyntaxError:
        return None

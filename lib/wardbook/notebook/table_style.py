"""The colours that an analyst gave a table with `frame.style`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def split_style(table: Any) -> tuple[pd.DataFrame, list[list[Any]]]:
    """Return the frame of a table or of its `style`, and the cells that have a style.

    Each is row, column, and pairs of property and value; the report decides what it lets through.
    """
    frame: pd.DataFrame
    if not hasattr(table, "set_table_styles"):
        frame = table
        return frame, []
    # `_compute` fills the public `ctx`; `to_html` does the same on a copy that it throws away.
    computed = table._compute()
    styles = [
        [int(row), int(column), [[str(name), str(value)] for name, value in pairs]]
        for (row, column), pairs in sorted(computed.ctx.items())
        if pairs
    ]
    frame = table.data
    return frame, styles

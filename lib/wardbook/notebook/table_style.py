"""The colours that an analyst gave a table with `frame.style`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler


def split_style(table: pd.DataFrame | Styler) -> tuple[pd.DataFrame, list[list[Any]]]:
    """Return the frame itself, and of each styled cell row, column, and properties with values.

    Only what the report shows at all is worth passing on; it decides what it lets through.
    """
    if not hasattr(table, "set_table_styles"):
        return table, []
    styler: Any = table
    # `_compute` fills the public `ctx`; `to_html` does the same on a copy that it throws away.
    computed: Any = styler._compute()
    styles = [
        [int(row), int(column), [[str(name), str(value)] for name, value in pairs]]
        for (row, column), pairs in sorted(computed.ctx.items())
        if pairs
    ]
    frame: Any = styler.data
    return frame, styles

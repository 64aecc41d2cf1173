"""Which data a database holds now, told without reading them.

A warehouse is loaded, not written to: its loading says so in `cdm_source`, and new rows get new
ids. So its version is what `cdm_source` says and the greatest id of each table that is read. A row
that is changed in place without a word in `cdm_source` is not seen; docs/sources.md says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

SOURCE = "cdm_source"


def read_version(open_table: Callable[[str], ir.Table], tables: Iterable[str]) -> str:
    """Return the version of these tables of the model, as a SHA-256.

    Args:
        open_table: returns a table by its name.
        tables: what is read of the database.

    Raises:
        LookupError: there is no such table.
    """
    told: dict[str, object] = {}
    for name in sorted({SOURCE, *tables}):
        table = open_table(name)
        if name == SOURCE:
            days = table.select("source_release_date", "cdm_release_date", "cdm_version")
            told[name] = sorted(map(str, days.to_pyarrow().to_pylist()))
        else:
            told[name] = str(table[table.columns[0]].max().to_pyarrow().as_py())
    text = json.dumps(told, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

"""A copy of a ledger, whatever database it is in, to try things on."""

from __future__ import annotations

from sqlalchemy import insert, select

from wardbook.ledger import schema
from wardbook.ledger.database import connect
from wardbook.ledger.ledger import Ledger

_ROWS = 500


def copy_ledger(source: Ledger, url: str) -> None:
    """Copy all rows of a ledger into a new one at `url`, as they stand at one moment."""
    target = connect(url)
    with source.reading() as reading, target.begin() as writing:
        for table in schema.metadata.sorted_tables:
            rows = reading.execution_options(yield_per=_ROWS).execute(select(table))
            for part in rows.mappings().partitions(_ROWS):
                writing.execute(insert(table), [dict(row) for row in part])
    target.dispose()

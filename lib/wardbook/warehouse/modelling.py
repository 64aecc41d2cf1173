"""A database of any form, opened as the tables of the Common Data Model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wardbook.warehouse.opening import open_warehouse
from wardbook.warehouse.order import Warehouse

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.warehouse.opening import OpenTable


class TableNotThere(LookupError):
    """The database has no such table, or not under the name that the settings give it."""


@contextmanager
def open_model(warehouse: Warehouse) -> Iterator[OpenTable]:
    """Open a database; yields what returns the model's tables by name, columns in lower case.

    Raises:
        SettingsFault: no such kind of address.
        TableNotThere: of what is yielded: there is no such table.
    """
    with open_warehouse(warehouse.address, warehouse.password) as open_raw:

        def open_own(name: str) -> ir.Table:
            return _open_own(open_raw, warehouse.tables.get(name, name))

        if warehouse.form == "i2b2":
            from wardbook.i2b2.star import Star

            yield Star(open_own, warehouse.vocabularies).table
        else:
            yield open_own


def _open_own(open_raw: OpenTable, name: str) -> ir.Table:
    import duckdb
    from ibis.common.exceptions import IbisError, TableNotFound

    try:
        table = open_raw(name)
    except (IbisError, TableNotFound, duckdb.Error, OSError, ValueError):
        raise TableNotThere(name) from None
    upper = {column.lower(): column for column in table.columns if column != column.lower()}
    return table.rename(upper) if upper else table

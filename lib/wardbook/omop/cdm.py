"""A database in the form of the Common Data Model, as a view sees it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir


class TableNotNamed(LookupError):
    """A view asks for a table that it has not declared."""


class Cdm:
    """The tables of one database that one view may read, and no others."""

    def __init__(self, open_table: Callable[[str], ir.Table], allowed: Collection[str]) -> None:
        """Make the handle.

        Args:
            open_table: returns a table of the model by its name.
            allowed: the tables that the view declares.
        """
        self._open = open_table
        self._allowed = frozenset(allowed)

    def table(self, name: str) -> ir.Table:
        """Return a table of the model; its columns have the model's names in lower case.

        Raises:
            TableNotNamed: the view does not declare it in `TABLES`.
        """
        if name not in self._allowed:
            raise TableNotNamed(f"{name}: add it to the view's TABLES")
        return self._open(name)

    def coded(self, name: str, concept: str, *, code: str = "code") -> ir.Table:
        """Return a table with the code of the concept in its column `concept` added as `code`.

        Rows whose concept the vocabulary does not have are left out. Needs the table `concept`.
        """
        concepts = self.table("concept").select(_concept="concept_id", **{code: "concept_code"})
        rows = self.table(name)
        return rows.inner_join(concepts, rows[concept] == concepts["_concept"]).drop("_concept")

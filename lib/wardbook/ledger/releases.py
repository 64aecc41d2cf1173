"""The ledger's part on released tables: the register of what the outside knows already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wardbook.ledger.transactions import Transactions

if TYPE_CHECKING:
    from wardbook.disclosure.register import Release, Scope


class Releases(Transactions):
    """Released tables. The register loads solvers, so it is loaded where it is asked."""

    def neighbours(self, scope: Scope) -> tuple[Release, ...]:
        """Return the releases that may tell on a table of this scope, oldest first."""
        from wardbook.disclosure.register import find_neighbours

        with self._reader.connect() as connection:
            return find_neighbours(connection, scope)

    def add_releases(self, releases: Iterable[Release]) -> None:
        """Write down what is released now; once only for each output of a run."""
        from wardbook.disclosure.register import add_release

        with self._writing() as connection:
            for release in releases:
                add_release(connection, release)

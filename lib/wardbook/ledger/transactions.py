"""Transactions on the ledger's database: for writing, for reading, and claims."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from wardbook.audit.account import Act
from wardbook.audit.log import append_facts, noted, open_page
from wardbook.errors import ForeignFault
from wardbook.ledger.claims import claim


class Transactions:
    """What every part of the ledger stands on: each of their methods is one transaction."""

    act: Act | None = None
    """The command that this process runs: told in the audit log before the first thing it does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(reading=True)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Open one transaction for writing; what is noted in it is appended to the audit log."""
        try:
            with self._engine.begin() as connection:
                open_page(connection)
                yield connection
                facts, act = noted(connection), self.act
                if facts and act is not None:
                    facts.insert(0, act.fact(facts[0].at))
                append_facts(connection, facts)
            if facts:
                self.act = None  # told; of several threads more than one may have told it
        except OperationalError as error:
            raise ForeignFault(
                f"The ledger could not be written ({error.orig}). Nothing is lost: it is tried "
                "again. Check the room on its disk, and that its server runs."
            ) from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open one transaction for reading: all that it reads is of one moment."""
        with self._reader.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Claim `name` for the length of a block; yields False when another worker holds it."""
        return claim(self._engine, name)

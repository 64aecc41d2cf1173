"""The ledger's part on the audit log; the log itself is `wardbook.audit`."""

from __future__ import annotations

from collections.abc import Sequence

from wardbook.audit.entry import Entry, Fact
from wardbook.audit.log import last_entry, note, read_entries
from wardbook.ledger.transactions import Transactions


class AuditLog(Transactions):
    """Facts that are no move of a request, and the log as it stands."""

    def note_fact(self, fact: Fact) -> None:
        """Append a fact."""
        with self._writing() as connection:
            note(connection, fact)

    def audit_head(self) -> Entry | None:
        """Return the newest entry."""
        with self._reader.connect() as connection:
            return last_entry(connection)

    def audit_entries(self, request: str | None = None, events: Sequence[str] = ()) -> list[Entry]:
        """Return entries, oldest first: all, those of a request, those of some events."""
        with self.reading() as connection:
            return list(read_entries(connection, request, events))

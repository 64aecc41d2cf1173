"""The whole ledger, put together from its parts."""

from __future__ import annotations

from wardbook.ledger.audit_log import AuditLog
from wardbook.ledger.database import connect
from wardbook.ledger.effects import Effects
from wardbook.ledger.history import History
from wardbook.ledger.keys import Keys
from wardbook.ledger.purging import Purging
from wardbook.ledger.records import StaleRecord, settled
from wardbook.ledger.releases import Releases
from wardbook.ledger.sides import Sides

__all__ = ["Ledger", "StaleRecord", "open_ledger", "settled"]


class Ledger(Sides, Effects, History, AuditLog, Purging, Keys, Releases):
    """The durable record of requests, intents and effects. Safe for several processes.

    Each method is one transaction.
    """


def open_ledger(url: str) -> Ledger:
    """Open the ledger at `url`, bringing its tables up to date.

    Raises:
        ForeignFault: the database cannot be reached, opened or migrated.
    """
    return Ledger(connect(url))

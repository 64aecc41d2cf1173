"""The ledger: the durable record of requests, intents and effects."""

from wardbook.ledger.ledger import Ledger, open_ledger

__all__ = ["Ledger", "open_ledger"]

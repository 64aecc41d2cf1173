"""The ledger: the durable record of requests, intents and effects.

Imported at its first use, so that `wardbook.ledger.glance` comes without SQLAlchemy.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wardbook.ledger.ledger import Ledger, open_ledger

__all__ = ["Ledger", "open_ledger"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wardbook.ledger import ledger

    return getattr(ledger, name)

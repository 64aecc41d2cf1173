"""The ledger's part on effects: what is intended outside, tried, confirmed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, select, update

from wardbook.domain.record import Intent, Outcome
from wardbook.ledger import schema
from wardbook.ledger.rows import add_outcomes, stamp
from wardbook.ledger.transactions import Transactions


class Effects(Transactions):
    """Intents, and what became of them."""

    def open_intents(self, key: str) -> list[Intent]:
        """Return the intents of a request that are not confirmed, oldest first."""
        table = schema.effects
        unconfirmed = and_(table.c.request_key == key, table.c.done_at.is_(None))
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table).where(unconfirmed).order_by(table.c.number)
            ).all()
        return [_intent_of(row) for row in rows]

    def has_intent(self, key: str) -> bool:
        """Tell whether an intent of exactly this key was ever written down."""
        table = schema.effects
        with self._reader.connect() as connection:
            found = connection.execute(select(table.c.number).where(table.c.key == key))
            return found.first() is not None

    def skipped_effects(self, key: str) -> list[tuple[str, str]]:
        """Return the effects of a request that were not made, with the reason, oldest first."""
        table = schema.effects
        mine = and_(table.c.request_key == key, table.c.outcome.is_not(None))
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.key, table.c.outcome).where(mine).order_by(table.c.number)
            ).all()
        return [(row.key, row.outcome["skipped"]) for row in rows if "skipped" in row.outcome]

    def begin_effects(self, intents: Collection[Intent]) -> None:
        """Write down that effects are about to be tried: from now on they may exist outside."""
        table = schema.effects
        with self._writing() as connection:
            connection.execute(
                update(table)
                .where(table.c.key.in_([intent.key for intent in intents]))
                .values(attempts=table.c.attempts + 1)
            )

    def confirm_effects(
        self, key: str, done: Iterable[tuple[Intent, Outcome]], now: datetime
    ) -> None:
        """Write down that effects exist, and what they led to, in one transaction."""
        with self._writing() as connection:
            add_outcomes(connection, key, done, now)

    def postpone_effect(self, intent: Intent, error: str, next_try: datetime) -> None:
        """Write down that the effect failed, and when it is tried again."""
        table = schema.effects
        with self._writing() as connection:
            connection.execute(
                update(table)
                .where(table.c.key == intent.key)
                .values(error=error, next_try=stamp(next_try))
            )

    def stuck_intents(self) -> Iterator[tuple[str, Intent]]:
        """Yield the intents whose last attempt failed, with their request's key."""
        table = schema.effects
        failed = and_(table.c.done_at.is_(None), table.c.error.is_not(None))
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(failed).order_by(table.c.number)).all()
        for row in rows:
            yield row.request_key, _intent_of(row)

    def last_effect_at(self, key: str) -> str | None:
        """Return when the last effect of a request was confirmed."""
        table = schema.effects
        with self._reader.connect() as connection:
            return connection.execute(
                select(func.max(table.c.done_at)).where(table.c.request_key == key)
            ).scalar()


def _intent_of(row: Row[Any]) -> Intent:
    return Intent(row.key, row.kind, row.payload, row.attempts, row.error, row.next_try)

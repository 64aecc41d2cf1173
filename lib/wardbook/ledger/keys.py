"""The ledger's part on people's keys: which are proposed, confirmed, revoked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from wardbook.domain.pinned import PinnedKey, Trust
from wardbook.ledger import schema
from wardbook.ledger.rows import add_alone, add_event, stamp
from wardbook.ledger.transactions import Transactions

_EVENTS: Mapping[Trust, str] = {
    Trust.PROPOSED: "key.proposed",
    Trust.CONFIRMED: "key.confirmed",
    Trust.REJECTED: "key.rejected",
    Trust.FOLLOWED: "key.followed",
    Trust.REVOKED: "key.revoked",
}


class Keys(Transactions):
    """Keys of people, by the account's name in Jira. No key is ever forgotten."""

    def keys_of(self, person: str) -> list[PinnedKey]:
        """Return what is known of a person's keys, the newest last."""
        return self._keys(schema.pinned_keys.c.person == person)

    def all_keys(self) -> list[PinnedKey]:
        """Return what is known of everybody's keys, by person."""
        return self._keys()

    def owners_of(self, fingerprint: str) -> set[str]:
        """Return the people for whom this key is or was confirmed."""
        known = self._keys(schema.pinned_keys.c.fingerprint == fingerprint)
        trusted = {Trust.CONFIRMED, Trust.FOLLOWED, Trust.REVOKED}
        return {one.person for one in known if one.trust in trusted}

    def confirmed_key(self, person: str) -> str | None:
        """Return the fingerprint of a person's confirmed key."""
        confirmed = [one for one in self.keys_of(person) if one.trust is Trust.CONFIRMED]
        return confirmed[0].fingerprint if confirmed else None

    def propose_key(self, person: str, fingerprint: str, request: str, now: datetime) -> None:
        """Write down that the directory lists a key for a person; nothing where it is known."""
        with self._writing() as connection:
            add_alone(connection, schema.pinned_keys)
            if _find(connection, person, fingerprint) is None:
                _add(connection, person, fingerprint, Trust.PROPOSED, request, now)

    def decide_key(
        self, person: str, fingerprint: str, trust: Trust, *, by: str, request: str, now: datetime
    ) -> None:
        """Write down what was decided of a key; one that was confirmed before is followed by it.

        Args:
            person: whose key it is.
            fingerprint: of the key; it need not have been proposed.
            trust: what was decided.
            by: who decided it.
            request: the request that wants it, "" where none does.
            now: the moment.
        """
        table = schema.pinned_keys
        with self._writing() as connection:
            add_alone(connection, table)
            if trust is Trust.CONFIRMED:
                before = connection.execute(
                    select(table.c.fingerprint).where(
                        table.c.person == person,
                        table.c.trust == Trust.CONFIRMED,
                        table.c.fingerprint != fingerprint,
                    )
                ).scalars()
                for one in before.all():
                    _decide(connection, person, one, Trust.FOLLOWED, by, now)
            if _find(connection, person, fingerprint) is None:
                _add(connection, person, fingerprint, Trust.PROPOSED, request, now)
            _decide(connection, person, fingerprint, trust, by, now)

    def _keys(self, *conditions: object) -> list[PinnedKey]:
        table = schema.pinned_keys
        wanted = select(table).where(*conditions)  # type: ignore[arg-type]
        with self._reader.connect() as connection:
            rows = connection.execute(wanted.order_by(table.c.person, table.c.proposed_at)).all()
        return [_key_of(row) for row in rows]


def _find(connection: Connection, person: str, fingerprint: str) -> Row[tuple[str]] | None:
    table = schema.pinned_keys
    return connection.execute(
        select(table.c.trust).where(table.c.person == person, table.c.fingerprint == fingerprint)
    ).one_or_none()


def _add(
    connection: Connection, person: str, fingerprint: str, trust: Trust, request: str, now: datetime
) -> None:
    connection.execute(
        insert(schema.pinned_keys).values(
            person=person,
            fingerprint=fingerprint,
            trust=trust,
            request=request,
            proposed_at=stamp(now),
            decided_at="",
            decided_by="",
        )
    )
    _tell(connection, person, fingerprint, trust, "platform", request, now)


def _decide(
    connection: Connection, person: str, fingerprint: str, trust: Trust, by: str, now: datetime
) -> None:
    table = schema.pinned_keys
    mine = (table.c.person == person, table.c.fingerprint == fingerprint)
    connection.execute(
        update(table).where(*mine).values(trust=trust, decided_at=stamp(now), decided_by=by)
    )
    request = connection.execute(select(table.c.request).where(*mine)).scalar_one()
    _tell(connection, person, fingerprint, trust, by, request, now)


def _tell(
    connection: Connection,
    person: str,
    fingerprint: str,
    trust: Trust,
    actor: str,
    request: str,
    now: datetime,
) -> None:
    detail = {"person": person, "fingerprint": fingerprint}
    add_event(connection, request, actor, _EVENTS[trust], detail, now)


def _key_of(row: Row[tuple[str, ...]]) -> PinnedKey:
    values = dict(row._mapping)
    return PinnedKey(**(values | {"trust": Trust(values["trust"])}))

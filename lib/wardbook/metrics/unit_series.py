"""Keeps the unit's own metrics as the ledger is: what happened since, and how all stand.

Rows are keyed by what they are about, so that reading an event again changes nothing. What was
written of an older ledger that was lost stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import Connection, Table, delete, func, insert, inspect, select

from wardbook.domain.periods import day_begins
from wardbook.domain.states import State
from wardbook.ledger import schema
from wardbook.ledger.ledger import Ledger
from wardbook.metrics.database import MetricsDatabase, make_tables
from wardbook.metrics.series import in_utc
from wardbook.metrics.unit import Happening, Rows, UnitRows, account_for
from wardbook.metrics.unit_tables import (
    metadata,
    unit_lead_times,
    unit_read,
    unit_refusals,
    unit_requests,
    unit_runs,
)

_EVENTS = "events"
_OVERLAP = 100
"""Events looked at again: PostgreSQL may show one with a lower number after one with a higher."""
_ROWS = 5_000


def keep_unit_series(
    ledger: Ledger, database: MetricsDatabase, now: datetime, zone: tzinfo
) -> bool:
    """Write what happened in the ledger since the last time; False where nothing did.

    Raises:
        ForeignFault: the database cannot be reached, or refuses.
    """
    with ledger.reading() as connection:
        newest = connection.execute(select(func.max(schema.events.c.number))).scalar() or 0
        known = _read_mark(database)
        if newest == known:
            return False
        since = known - _OVERLAP if known < newest else 0  # less than known: another ledger
        rows = account_for(_read_happenings(connection, since))
    standing = ledger.counts()
    with database.writing() as connection:
        make_tables(connection, *metadata.tables.values())
        _write_rows(connection, rows)
        _write_standing(connection, standing, now.astimezone(zone), zone)
        connection.execute(delete(unit_read).where(unit_read.c.name == _EVENTS))
        connection.execute(insert(unit_read).values(name=_EVENTS, number=newest))
    return True


def _read_mark(database: MetricsDatabase) -> int:
    with database.reading() as connection:
        if not inspect(connection).has_table(unit_read.name):
            return 0
        number = select(unit_read.c.number).where(unit_read.c.name == _EVENTS)
        return connection.execute(number).scalar() or 0


def _read_happenings(connection: Connection, since: int) -> Iterator[Happening]:
    """Yield the whole history of each request of which anything happened since an event."""
    events, requests = schema.events, schema.requests
    touched = select(events.c.request_key).where(events.c.number > since).distinct()
    template = requests.c.request["template"].as_string().label("template")
    rows = connection.execute(
        select(events.c.at, events.c.request_key, events.c.event, events.c.detail, template)
        .join(requests, requests.c.key == events.c.request_key, isouter=True)
        .where(events.c.request_key.in_(touched))
        .order_by(events.c.number)
    )
    for row in rows:
        at = datetime.fromisoformat(row.at).astimezone(UTC)
        yield Happening(at, row.request_key, row.event, row.detail, row.template or "")


def _write_rows(connection: Connection, rows: UnitRows) -> None:
    for table, new in (
        (unit_lead_times, rows.lead_times),
        (unit_refusals, rows.refusals),
        (unit_runs, rows.runs),
    ):
        for start in range(0, len(new), _ROWS):
            _add(connection, table, new[start : start + _ROWS])


def _add(connection: Connection, table: Table, rows: Rows) -> None:
    """Add the rows that are not there yet."""
    # Each imported where it is spoken: a pass with nothing to do stays quick.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as add
    else:
        from sqlalchemy.dialects.sqlite import insert as add  # type: ignore[assignment]
    connection.execute(add(table).on_conflict_do_nothing(), rows)


def _write_standing(
    connection: Connection, standing: Mapping[State, int], now: datetime, zone: tzinfo
) -> None:
    """Write where the requests stand today; on days since the last nothing had changed."""
    table, today = unit_requests, day_begins(now.date(), zone)
    last = connection.execute(select(func.max(table.c.time))).scalar()
    rows = [{"time": today, "state": str(state), "requests": n} for state, n in standing.items()]
    if last is not None and in_utc(last) < today:
        before = connection.execute(select(table).where(table.c.time == last)).all()
        day = in_utc(last).astimezone(zone).date() + timedelta(days=1)
        while day < now.date():
            at = day_begins(day, zone)
            rows += [{"time": at, "state": one.state, "requests": one.requests} for one in before]
            day += timedelta(days=1)
    connection.execute(delete(table).where(table.c.time == today))
    if rows:
        connection.execute(insert(table), rows)

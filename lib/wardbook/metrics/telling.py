"""Gathers what `/metrics` tells, from the ledger and the unit's own series."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, func, inspect, select

from wardbook.ledger import schema
from wardbook.ledger.ledger import Ledger
from wardbook.metrics.database import MetricsDatabase
from wardbook.metrics.exposition import Runs, Step, Telling
from wardbook.metrics.unit_tables import unit_lead_times, unit_refusals, unit_runs


def gather_telling(
    ledger: Ledger, database: MetricsDatabase, last_pass: tuple[datetime, int] | None
) -> Telling:
    """Return what is told now.

    Raises:
        ForeignFault: the metrics' database cannot be reached, or refuses.
    """
    with ledger.reading() as connection:
        effects = schema.effects.c
        open_ones = select(effects.kind, func.count(), func.count(effects.error)).where(
            effects.done_at.is_(None)
        )
        counted = connection.execute(open_ones.group_by(effects.kind)).all()
    with database.reading() as connection:
        return Telling(
            requests=ledger.counts(),
            steps=_steps(connection),
            refusals=_refusals(connection),
            runs=_runs(connection),
            waiting={kind: count for kind, count, _ in counted},
            failing={kind: count for kind, _, count in counted if count},
            last_pass=last_pass,
        )


def _steps(connection: Connection) -> dict[str, Step]:
    of = unit_lead_times.c
    query = select(of.step, func.count(), func.sum(of.seconds)).group_by(of.step)
    if not _is_there(connection, unit_lead_times):
        return {}
    return {step: Step(*rest) for step, *rest in connection.execute(query)}


def _refusals(connection: Connection) -> dict[tuple[str, str], float]:
    of = unit_refusals.c
    query = select(of.step, of.cause, func.sum(of.refusals)).group_by(of.step, of.cause)
    if not _is_there(connection, unit_refusals):
        return {}
    return {(step, cause): count for step, cause, count in connection.execute(query)}


def _runs(connection: Connection) -> dict[str, Runs]:
    of = unit_runs.c
    used = (func.coalesce(func.sum(column), 0.0) for column in (of.seconds, of.cpu_seconds))
    query = select(of.outcome, func.sum(of.runs), *used).group_by(of.outcome)
    if not _is_there(connection, unit_runs):
        return {}
    return {outcome: Runs(*rest) for outcome, *rest in connection.execute(query)}


def _is_there(connection: Connection, table: Table) -> bool:
    return inspect(connection).has_table(table.name)

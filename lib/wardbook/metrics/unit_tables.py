"""The unit's own metrics: tables beside those of templates, for a dashboard of the unit itself.

    unit_requests    how many requests stood in each state at the end of a day
    unit_lead_times  how long a request was in a state that it left; `whole` is from its beginning
                     (a ticket, an edited ticket, a new period) to its answer
    unit_refusals    a row for each cause for which a request was refused
    unit_runs        a row for each run that ended

`time` is the moment at which it happened, or the beginning of the day. Nothing in them is a
requester's word: states, causes and outcomes are codes of ours, templates the unit's own names.
"""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Double, Integer, MetaData, String, Table

WHOLE = "whole"
SUCCEEDED = "succeeded"

metadata = MetaData()


def _table(name: str, *columns: Column[object]) -> Table:
    return Table(
        name, metadata, Column("time", DateTime(timezone=True), primary_key=True), *columns
    )


def _request() -> Column[object]:
    return Column("request", String(64), primary_key=True)


unit_requests = _table(
    "unit_requests",
    Column("state", String(16), primary_key=True),
    Column("requests", Double, nullable=False),
)

unit_lead_times = _table(
    "unit_lead_times",
    _request(),
    Column("step", String(16), primary_key=True),
    Column("seconds", Double, nullable=False),
)

unit_refusals = _table(
    "unit_refusals",
    _request(),
    Column("step", String(16), primary_key=True),
    Column("cause", String(64), primary_key=True),
    Column("refusals", Double, nullable=False),
)

unit_runs = _table(
    "unit_runs",
    _request(),
    Column("outcome", String(32), nullable=False),
    Column("template", String(64), nullable=False),
    Column("runs", Double, nullable=False),
    Column("seconds", Double),
    Column("cpu_seconds", Double),
    Column("peak_mb", Double),
)

unit_read = Table(
    "unit_read",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("number", Integer, nullable=False),
)
"""Up to which event of the ledger the others were written."""

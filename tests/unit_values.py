"""Values of the unit's own metrics: a handful of requests whose medians are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert

from wardbook.metrics.unit_tables import (
    metadata,
    unit_lead_times,
    unit_refusals,
    unit_requests,
    unit_runs,
)

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
WHOLE_HOURS = (24, 26, 28, 240)


def fill_unit(connection: Connection) -> None:
    """Make the tables `unit_*`, with values of thirty days."""
    metadata.create_all(connection)
    days = [START.replace(hour=0) + timedelta(days=day) for day in range(30)]
    states = {"running": 1.0, "held": 2.0, "answered": 5.0}
    connection.execute(
        insert(unit_requests),
        [
            {"time": day, "state": state, "requests": number + place % 3}
            for place, day in enumerate(days)
            for state, number in states.items()
        ],
    )
    connection.execute(
        insert(unit_lead_times),
        [
            {
                "request": f"DATA-{number}",
                "time": START + timedelta(days=number),
                "step": step,
                "seconds": hours * 3600 * share,
            }
            for number, hours in enumerate(WHOLE_HOURS)
            for step, share in {"whole": 1.0, "held": 0.5, "running": 0.01}.items()
        ],
    )
    connection.execute(
        insert(unit_refusals),
        [
            {
                "request": f"DATA-{number}",
                "time": START + timedelta(days=number),
                "step": "gate",
                "cause": cause,
                "refusals": 1.0,
            }
            for number, cause in enumerate(["basis_missing", "basis_missing", "not_a_date"], 20)
        ],
    )
    connection.execute(
        insert(unit_runs),
        [
            {
                "request": f"DATA-{number}",
                "time": START + timedelta(days=number, hours=3),
                "outcome": "succeeded" if number % 4 else "out_of_memory",
                "template": "ward_activity" if number % 2 else "line_list",
                "runs": 1.0,
                "seconds": 60.0 + number,
                "cpu_seconds": 90.0 * number,
                "peak_mb": 400.0 + number,
            }
            for number in range(8)
        ],
    )

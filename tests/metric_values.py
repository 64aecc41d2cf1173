"""Values for the template of `metric_template`: what is withheld, and what the alerts must say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, MetaData, insert

from wardbook.metrics.schema import metric_table
from wardbook.template.spec import TemplateSpec

FIRST, DAYS = date(2026, 1, 5), 70
REQUEST, OLDER = "DATA-7", "DATA-3"
WITHHELD_DAY = 40
ZONE = ZoneInfo("Europe/Paris")
OCCUPANCY = {"CARD": 80.0, "GERI": 88.0, "URGE": 70.0}


def begin(day: int) -> datetime:
    """Return the moment at which a day of the series begins."""
    moment = datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), ZONE)
    return moment.astimezone(UTC)


def daily_rows(request: str = REQUEST) -> Iterator[dict[str, Any]]:
    """Yield rows: GERI is over 95 % on the last three days, CARD on the last day alone."""
    for day in range(DAYS):
        for ward, usual in OCCUPANCY.items():
            full = (ward == "GERI" and day >= DAYS - 3) or (ward == "CARD" and day == DAYS - 1)
            hidden = ward == "URGE" and day == WITHHELD_DAY
            yield {
                "request": request,
                "time": begin(day),
                "ward": ward,
                "stays": None if hidden else 20.0 + day % 7,
                "occupancy": None if hidden else 97.5 if full else usual + day % 5,
                "length": None if hidden else 4.5 + day % 3,
                "run": "r1",
            }
        whole = {"stays": 60.0 + day % 7, "occupancy": 80.0 + day % 12, "length": 5.0}
        yield {"request": request, "time": begin(day), "ward": "ALL", "run": "r1", **whole}


def arrival_rows(request: str = REQUEST) -> Iterator[dict[str, Any]]:
    """Yield rows: few of triage 5 are admitted; one cell of the last day but one is withheld."""
    for day in range(DAYS):
        for hour in range(0, 24, 2):
            for triage in ("2", "3", "5"):
                hidden = (day, hour, triage) == (DAYS - 2, 8, "3")
                arrivals = 10.0 + (hour // 2) % 6
                share = {"2": 0.6, "3": 0.3, "5": 0.05}[triage]
                yield {
                    "request": request,
                    "time": begin(day),
                    "hour": f"{hour:02d}",
                    "triage": triage,
                    "arrivals": None if hidden else arrivals,
                    "admitted": None if hidden else round(arrivals * share, 3),
                    "run": "r1",
                }


def fill(connection: Connection, spec: TemplateSpec) -> None:
    """Make the tables of the template's metrics, with values of two requests."""
    metadata = MetaData()
    daily, arrivals = (
        metric_table(metadata, spec.name, name, spec.outputs[name])
        for name in ("daily", "arrivals")
    )
    metadata.create_all(connection)
    connection.execute(insert(daily), list(daily_rows()))
    connection.execute(insert(arrivals), list(arrival_rows()))
    older = [{**row, "stays": 9_999.0} for row in daily_rows(OLDER)][: -4 * 10]
    connection.execute(insert(daily), older)

"""period: for which period a run is made, and the parameters that follow from it."""

from __future__ import annotations

import json

from pipelines.house import House
from pipelines.steps.prepare import request_of
from wardbook.domain.record import Record
from wardbook.template.from_period import read_period


def period_to_run(house: House, record: Record) -> str:
    """Return the period chosen for the run, else the present one; "" for what runs once."""
    schedule = request_of(record).schedule(house.zone)
    if schedule is None:
        return ""
    return record.work.period or schedule.period_at(house.now())


def add_period_values(
    house: House, record: Record, period: str, texts: bytes | None
) -> bytes | None:
    """Add, to the parameters as they stand on the branch, those that follow from the period.

    What the branch gives wins. Bytes to which nothing is added stay as they are, readable or not.
    """
    request = request_of(record)
    schedule = request.schedule(house.zone)
    spec = house.templates[request.template].spec
    if schedule is None or not any(one.from_period for one in spec.parameters.values()):
        return texts
    try:
        given = json.loads(texts or b"")
        missing = {
            name: text
            for name, text in read_period(spec, schedule.told_by(period)).items()
            if not given.get(name)
        }
    except (ValueError, AttributeError):
        return texts
    if not missing:
        return texts
    return json.dumps(given | missing, ensure_ascii=False, sort_keys=True).encode()

"""The unit's own metrics, brought up to date where something happened since the last pass."""

from __future__ import annotations

from pipelines.house import House


def keep_unit_metrics(house: House) -> None:
    """Write what happened since the last time; a pass with nothing to do only looks.

    Raises:
        ForeignFault: the metrics' database cannot be reached, or refuses.
    """
    from wardbook.metrics.unit_series import keep_unit_series

    with house.open_metrics() as database:
        keep_unit_series(house.ledger, database, house.now(), house.zone)

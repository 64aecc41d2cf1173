"""A metric's table follows from what its template declares."""

import pytest
from pydantic import ValidationError
from sqlalchemy import MetaData

from wardbook.metrics.schema import LONGEST_NAME, metric_table, table_name
from wardbook.template.outputs import OutputSpec

TITLE = {"fr": "Occupation", "en": "Occupancy"}
COLUMNS = dict.fromkeys(("day", "ward", "beds", "patients", "ward_name"), TITLE)


def declare(**changes: object) -> OutputSpec:
    declared = {
        "kind": "table", "title": TITLE, "sensitivity": "internal", "channel": "grafana",
        "columns": COLUMNS, "dimensions": ["day", "ward"], "time": "day", "count": "patients",
        "labels": {"ward_name": "ward"}, "measures": {"beds": {"statistic": "count"}},
    }  # fmt: skip
    return OutputSpec.model_validate(declared | changes)


def test_time_dimensions_and_measures_become_columns() -> None:
    table = metric_table(MetaData(), "ward_activity", "occupancy", declare())
    assert table.name == "ward_activity_occupancy"
    assert [column.name for column in table.columns] == [
        "request", "time", "ward", "beds", "patients", "run",
    ]  # fmt: skip
    assert [column.name for column in table.primary_key] == ["request", "time", "ward"]


def test_a_long_name_stays_within_the_limit_and_its_own() -> None:
    one, other = (table_name("t" * 48, "o" * 40 + end) for end in "ab")
    assert len(one) == len(other) == LONGEST_NAME
    assert one != other


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"time": ""}, "a table with `time`"),
        ({"count": None, "measures": {}}, "`count` or `measures`"),
        ({"sensitivity": "sensitive"}, "sealed"),
        ({"columns": COLUMNS | {"run": TITLE}, "dimensions": ["day", "run"], "labels": {}}, "run"),
    ],
)
def test_what_is_no_metric_is_told(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        declare(**changes)

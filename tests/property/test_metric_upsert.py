"""However releases arrive, and however often, the same rows stand at the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.unit.test_metric_schema import declare
from wardbook.metrics.database import MetricsDatabase
from wardbook.metrics.series import Release, Series, put_series

FIRST = date(2026, 3, 1)
Delivery = tuple[Series, Release]


def moment(day: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), UTC)


@st.composite
def deliveries(draw: st.DrawFn) -> list[Delivery]:
    """A few runs of two requests, each with its own moment; some days and wards are missing."""
    made = []
    for number in range(draw(st.integers(1, 5))):
        first = draw(st.integers(0, 6))
        places = draw(
            st.sets(st.tuples(st.integers(first, first + 4), st.sampled_from("AB")), max_size=8)
        )
        rows = tuple(
            {"time": moment(day), "ward": ward, "beds": float(number), "patients": value}
            for day, ward in sorted(places)
            for value in [draw(st.none() | st.integers(11, 99).map(float))]
        )
        request = draw(st.sampled_from(("DATA-1", "DATA-2")))
        released = moment(100) + timedelta(hours=draw(st.integers(0, 3)))
        release = Release(request, f"{request.lower()}-run{number}", released)
        made.append((Series("tiny", "beds", declare(), rows), release))
    return made


def expected(made: Sequence[Delivery]) -> set[tuple[Any, ...]]:
    """Ask for each row whether a later release of its request covers its day."""
    found = set()
    for series, release in made:
        for row in series.rows:
            later = [
                other
                for other, its in made
                if its.request == release.request
                and (its.released, its.run) > (release.released, release.run)
                and other.rows
                and min(one["time"] for one in other.rows)
                <= row["time"]
                <= max(one["time"] for one in other.rows)
            ]
            if not later:
                time = row["time"].strftime("%Y-%m-%d %H:%M:%S.%f")
                place = (release.request, time, row["ward"])
                found.add((*place, row["beds"], row["patients"], release.run))
    return found


def arrived(made: Sequence[Delivery]) -> set[tuple[Any, ...]]:
    with (
        TemporaryDirectory() as folder,
        MetricsDatabase(f"sqlite:///{Path(folder) / 'metrics.db'}") as database,
    ):
        for series, release in made:
            put_series(database, [series], release)
        with database.reading() as connection:
            rows = connection.execute(
                text("select request, time, ward, beds, patients, run from tiny_beds")
            )
            return {tuple(row) for row in rows}


@settings(max_examples=25, deadline=None)
@given(made=deliveries(), data=st.data())
def test_any_order_and_any_repetition_end_in_the_same_rows(
    made: list[Delivery], data: st.DataObject
) -> None:
    repeated = data.draw(st.lists(st.sampled_from(made), max_size=3))
    assert arrived(data.draw(st.permutations([*made, *repeated]))) == expected(made)


def test_the_expectation_tells_an_older_release_from_a_newer() -> None:
    """If it did not, the property above would hold of a database that never replaces anything."""
    rows = ({"time": moment(1), "ward": "A", "beds": 1.0, "patients": 12.0},)
    series = Series("tiny", "beds", declare(), rows)
    old, new = (Release("DATA-1", run, moment(100 + at)) for at, run in enumerate(("b", "a")))
    assert {row[-1] for row in expected([(series, old), (series, new)])} == {"a"}
    assert {row[-1] for row in expected([(series, old)])} == {"b"}

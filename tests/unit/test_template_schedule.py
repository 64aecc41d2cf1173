"""A template's schedule, and the parameters that it takes from a period."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from wardbook.domain.periods import Schedule
from wardbook.template.from_period import read_period
from wardbook.template.spec import TemplateSpec

WORDS = {"fr": "x", "en": "x"}
REPORT = {"kind": "report", "title": WORDS, "sensitivity": "public", "channel": "site"}
PARIS = ZoneInfo("Europe/Paris")


def declare(**more: Any) -> TemplateSpec:
    return TemplateSpec.model_validate(
        {"name": "t", "version": "1", "title": WORDS, "question": WORDS}
        | {"outputs": {"report": REPORT}}
        | more
    )


def parameter(kind: str, from_period: str | None, **more: object) -> dict[str, object]:
    return {"type": kind, "label": WORDS, "example": "x", "from_period": from_period} | more


def test_a_schedule_is_read_with_its_defaults() -> None:
    schedule = declare(schedule={"cron": "0 6 * * mon"}).schedule
    assert schedule is not None
    assert schedule.cron == "0 6 * * MON"
    assert (schedule.zone, schedule.catch_up, schedule.max_catch_up) == ("", "latest", 31)
    assert declare().schedule is None


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ({}, "Field required"),
        ({"cron": "0 25 * * *"}, "cron expression that we can read"),
        ({"cron": "0 0 31 2 *"}, "names no day"),
        ({"cron": "*/5 * * * *"}, "more than once an hour"),
        ({"cron": "0 6 * * *", "zone": "Europe/Rennes"}, "not a time zone"),
        ({"cron": "0 6 * * *", "catch_up": "some"}, "'skip', 'latest' or 'all'"),
        ({"cron": "0 6 * * *", "max_catch_up": 0}, "greater than or equal to 1"),
        ({"cron": "0 6 * * *", "max_catch_up": 367}, "less than or equal to 366"),
        ({"cron": "0 6 * * *", "at": "noon"}, "not permitted"),
    ],
    ids=str,
)
def test_a_schedule_that_does_not_hold_is_told(schedule: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        declare(schedule=schedule)


@pytest.mark.parametrize(
    ("kind", "from_period", "more", "holds"),
    [
        ("date", "first_day", {}, True),
        ("date", "last_day", {}, True),
        ("text", "start", {}, True),
        ("text", "end", {}, True),
        ("date", "start", {}, False),
        ("text", "first_day", {}, False),
        ("date", "last_day", {"many": True}, False),
        ("integer", "first_day", {}, False),
        ("date", "middle", {}, False),
    ],
)
def test_a_parameter_takes_what_fits_its_type(
    kind: str, from_period: str, more: dict[str, object], holds: bool
) -> None:
    declared = {"p": parameter(kind, from_period, **more)}
    if holds:
        assert declare(parameters=declared).parameters["p"].from_period == from_period
    else:
        with pytest.raises(ValidationError, match="from_period"):
            declare(parameters=declared)


def test_the_span_that_has_ended_fills_the_parameters() -> None:
    spec = declare(
        parameters={
            "start": parameter("date", "first_day"),
            "end": parameter("date", "last_day"),
            "since": parameter("text", "start"),
            "until": parameter("text", "end"),
            "ward": parameter("text", None),
        }
    )
    # The clocks went forward on the Sunday of that week.
    assert read_period(spec, Schedule("0 6 * * 1", PARIS).told_by("2026-03-30T06:00")) == {
        "start": "2026-03-23",
        "end": "2026-03-29",
        "since": "2026-03-23T06:00+01:00",
        "until": "2026-03-30T06:00+02:00",
    }

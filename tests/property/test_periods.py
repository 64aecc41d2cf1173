"""The calendar of recurring requests, whenever the platform wakes and whatever the clocks do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from factories import make_record, make_request
from hypothesis import given
from hypothesis import strategies as st

from pipelines.decide import Step, next_step, wakes_at
from wardbook.domain.periods import (
    Every,
    first_day_after,
    has_begun_anew,
    period_of,
    start_of,
)
from wardbook.domain.record import Work
from wardbook.domain.states import State

EVERY = st.sampled_from([every for every in get_args(Every) if every != "once"])
ZONES = st.sampled_from(
    [
        "Europe/Paris",
        "America/Sao_Paulo",  # jumped over midnight until 2018
        "America/Havana",  # has midnight twice
        "America/St_Johns",  # changed at one minute past midnight until 2011
        "Pacific/Apia",  # left out a whole day in 2011
        "Asia/Kathmandu",
        "UTC",
    ]
).map(ZoneInfo)
DAYS = st.dates(date(2005, 1, 1), date(2035, 12, 31))
HOURS = st.lists(st.integers(0, 24 * 120), min_size=1, max_size=40).map(sorted)


@given(every=EVERY, day=DAYS)
def test_periods_follow_each_other_without_gap_or_overlap(every: Every, day: date) -> None:
    period = period_of(every, day)
    following = first_day_after(every, period)
    assert following is not None
    assert day < following
    assert period_of(every, following) > period
    assert period_of(every, following - timedelta(days=1)) == period


@given(every=EVERY, day=DAYS, later=DAYS)
def test_the_alphabet_orders_periods(every: Every, day: date, later: date) -> None:
    first, second = sorted((day, later))
    assert period_of(every, first) <= period_of(every, second)


@given(zone=ZONES, day=DAYS)
def test_a_day_begins_at_its_first_moment(zone: ZoneInfo, day: date) -> None:
    moment = start_of(day, zone)
    assert moment.astimezone(zone).date() >= day, "later only where the calendar left it out"
    assert (moment - timedelta(seconds=1)).astimezone(zone).date() < day


@pytest.mark.parametrize(
    ("zone", "day", "moment", "hours"),
    [
        ("Europe/Paris", date(2026, 3, 29), "2026-03-28T23:00+00:00", 23),
        ("Europe/Paris", date(2026, 10, 25), "2026-10-24T22:00+00:00", 25),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00+00:00", 23),
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00+00:00", 25),
    ],
)
def test_days_on_which_the_clocks_change(zone: str, day: date, moment: str, hours: int) -> None:
    start = start_of(day, ZoneInfo(zone))
    assert start == datetime.fromisoformat(moment)
    assert start_of(day + timedelta(days=1), ZoneInfo(zone)) - start == timedelta(hours=hours)


@given(every=EVERY, zone=ZONES, first=DAYS, hours=HOURS)
def test_each_period_runs_once_at_its_first_waking(
    every: Every, zone: ZoneInfo, first: date, hours: list[int]
) -> None:
    """The platform wakes at any hours; what it then runs, it runs for the period of that day."""
    begin = start_of(first, zone)
    wakings = [begin + timedelta(hours=hour) for hour in hours]
    ran: list[str] = []
    for moment in wakings:
        today = moment.astimezone(zone).date()
        if not ran or has_begun_anew(every, ran[-1], today):
            ran.append(period_of(every, today))
    expected = {period_of(every, moment.astimezone(zone).date()) for moment in wakings}
    assert ran == sorted(expected), "each once, in order; none for a period without a waking"


@given(every=EVERY, zone=ZONES, first=DAYS, hours=HOURS)
def test_it_is_woken_exactly_when_there_is_something_to_do(
    every: Every, zone: ZoneInfo, first: date, hours: list[int]
) -> None:
    """The moment that the ledger keeps, and the decision by day, say the same."""
    begin = start_of(first, zone)
    last = first + timedelta(days=90)
    record = replace(
        make_record(State.ANSWERED),
        request=make_request(every=every, expires=last.isoformat()),
        work=Work(period=period_of(every, begin.astimezone(zone).date())),
    )
    wake = wakes_at(record, zone, 30)
    assert wake is not None
    for moment in (*(begin + timedelta(hours=hour) for hour in hours), wake):
        today = moment.astimezone(zone).date()
        step = next_step(record, (), today=today, notice_days=30)
        assert (step is not Step.REST) == (moment >= wake)


def test_what_runs_once_has_one_period() -> None:
    days = (date(2026, 1, 1), date(2026, 12, 31))
    assert {period_of("once", day) for day in days} == {""}
    assert not has_begun_anew("once", "", days[1])
    assert first_day_after("once", "") is None


@pytest.mark.parametrize(
    ("every", "day", "period"),
    [
        ("daily", date(2026, 3, 2), "2026-03-02"),
        ("weekly", date(2027, 1, 3), "2026-W53"),
        ("weekly", date(2024, 12, 30), "2025-W01"),
        ("monthly", date(2024, 2, 29), "2024-02"),
    ],
)
def test_periods_are_named_as_people_name_them(every: Every, day: date, period: str) -> None:
    assert period_of(every, day) == period


def test_a_clock_that_goes_back_begins_nothing() -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC).date()
    assert not has_begun_anew("daily", "2026-03-03", now)

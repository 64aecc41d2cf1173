"""Schedules and their periods, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wardbook.domain.cron import Unfit, check_cron, fires_after, fires_until, moment_of
from wardbook.domain.periods import WORDS, Schedule, day_begins

ODD_ZONES = (
    "Europe/Paris",
    "America/Sao_Paulo",  # jumped over midnight until 2018
    "America/Havana",  # has midnight twice, and jumps over it
    "America/St_Johns",  # changed at one minute past midnight until 2011
    "Australia/Lord_Howe",  # goes on by half an hour
    "Antarctica/Troll",  # goes on by two hours
    "Africa/Casablanca",  # changes around Ramadan
    "Pacific/Apia",  # left out a whole day in 2011
    "Asia/Kathmandu",
    "UTC",
)
ZONES = st.sampled_from(ODD_ZONES).map(ZoneInfo)
PARIS = ZoneInfo("Europe/Paris")
CRONS = (
    "0 * * * *",
    "30 * * * *",
    "15 */6 * * *",
    "0 2,3 * * *",
    "30 2 * * *",
    "0 0 * * *",
    "59 23 * * 1-5",
    "0 6 * * 1",
    "0 12 15 1,4,7,10 *",
    "30 1 L * *",
    "0 0 29 2 *",
)
EVERY = st.sampled_from((*WORDS, *CRONS))
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EPOCH = datetime(2005, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 31 * 365 * 24 * 60).map(lambda minutes: EPOCH + minutes * MINUTE)


def changes_of(zone: ZoneInfo, first: int, last: int) -> list[datetime]:
    """The moments at which the clocks of a zone change, to the minute, in UTC."""
    found = []
    hour = datetime(first, 1, 1, tzinfo=UTC)
    while hour.year <= last:
        following = hour + timedelta(hours=1)
        if hour.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            moment = hour
            while moment.astimezone(zone).utcoffset() == hour.astimezone(zone).utcoffset():
                moment += MINUTE
            found.append(moment)
        hour = following
    return found


_YEARS = {
    "Europe/Paris": (2020, 2037),
    "Australia/Lord_Howe": (2026, 2027),
    "Pacific/Apia": (2010, 2012),
    "America/Havana": (2026, 2027),
    "America/Sao_Paulo": (2017, 2018),
    "Antarctica/Troll": (2026, 2027),
}
CHANGES = [
    (ZoneInfo(name), moment)
    for name, years in _YEARS.items()
    for moment in changes_of(ZoneInfo(name), *years)
]


def test_the_changes_are_those_of_the_calendar() -> None:
    """Paris changes at one o'clock UTC, on the last Sundays of March and October."""
    of_paris = [moment for zone, moment in CHANGES if zone == PARIS]
    assert len(of_paris) == 36
    for moment in of_paris:
        assert (moment.hour, moment.isoweekday(), moment.month in {3, 10}) == (1, 7, True)
        assert (moment + 7 * DAY).month != moment.month
    assert any(zone.key == "Pacific/Apia" and moment.year == 2011 for zone, moment in CHANGES)


@pytest.mark.parametrize(("zone", "change"), CHANGES, ids=str)
def test_each_wanted_local_time_fires_once_around_a_change(
    zone: ZoneInfo, change: datetime
) -> None:
    """The clock on the wall is read minute by minute, and tells when each time is first reached.

    A wanted time is reached when the wall shows it, or shows a later one for the first time.
    """
    begin, minutes = change - 2 * DAY, 4 * 24 * 60
    walls = [
        ((begin + n * MINUTE).astimezone(zone).replace(tzinfo=None), begin + n * MINUTE)
        for n in range(minutes)
    ]
    reached: list[tuple[datetime, datetime]] = []
    highest = walls[0][0] - MINUTE
    for wall, moment in walls:
        if wall > highest:
            reached.append((wall, moment))
            highest = wall
    for hour, minute in ((0, 0), (0, 30), (1, 30), (1, 59), (2, 0), (2, 30), (3, 0), (12, 0)):
        days = sorted({wall.date() for wall, _ in walls} | {change.astimezone(zone).date() - DAY})
        wanted = [datetime.combine(day, time(hour, minute)) for day in days]
        expected = sorted(
            {
                next(moment for wall, moment in reached if wall >= one)
                for one in wanted
                if reached[0][0] < one <= highest
            }
        )
        fires = fires_after(f"{minute} {hour} * * *", zone, begin)
        found = [fire for fire in islice(fires, 8) if fire <= walls[-1][1]]
        assert found == expected, (hour, minute)
        assert len({one.astimezone(zone).replace(tzinfo=None) for one in found}) == len(found)


@pytest.mark.parametrize(
    ("cron", "after", "fires"),
    [
        # Spring 2026 in Paris: 02:00 to 03:00 does not exist.
        ("30 2 * * *", "2026-03-28T12:00", ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
        ("0 2,3 * * *", "2026-03-28T12:00", ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"]),
        ("0 * * * *", "2026-03-29T00:30", ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"]),
        # Autumn 2026: 02:00 to 03:00 comes twice.
        ("30 2 * * *", "2026-10-24T12:00", ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
        ("0 * * * *", "2026-10-25T01:30", ["2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00"]),
    ],
)
def test_the_clock_change_as_documented(cron: str, after: str, fires: list[str]) -> None:
    begin = datetime.fromisoformat(after).replace(tzinfo=PARIS)
    found = islice(fires_after(cron, PARIS, begin), 2)
    assert [fire.astimezone(PARIS).isoformat(timespec="minutes") for fire in found] == fires


def test_the_second_of_two_equal_hours_fires_nothing_again() -> None:
    second = datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=PARIS)
    first_fire = datetime(2026, 10, 25, 2, 30, tzinfo=PARIS).astimezone(UTC)
    assert first_fire < second
    assert next(fires_until("30 2 * * *", PARIS, second)) == first_fire
    assert next(fires_after("30 2 * * *", PARIS, second)) > second + 23 * timedelta(hours=1)


@given(every=EVERY, zone=ZONES, moment=MOMENTS)
@example("30 2 * * *", PARIS, datetime(2026, 10, 25, 1, 10, tzinfo=UTC))
@example("0 2,3 * * *", PARIS, datetime(2026, 3, 28, 12, tzinfo=UTC))
@example("0 * * * *", ZoneInfo("Pacific/Apia"), datetime(2011, 12, 30, 10, tzinfo=UTC))
@example("0 0 * * *", ZoneInfo("America/Havana"), datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
def test_forward_and_backward_give_the_same_moments(
    every: str, zone: ZoneInfo, moment: datetime
) -> None:
    cron = WORDS.get(every, every)
    ahead = list(islice(fires_after(cron, zone, moment), 30))
    assert all(one < other for one, other in pairwise([moment, *ahead]))
    back = list(islice(fires_until(cron, zone, ahead[-1]), 31))
    assert back[:30] == ahead[::-1]
    assert back[30] <= moment
    assert back[30] == next(fires_until(cron, zone, moment))


@given(every=EVERY, zone=ZONES, moment=MOMENTS)
def test_every_moment_lies_in_one_period(every: str, zone: ZoneInfo, moment: datetime) -> None:
    schedule = Schedule(every, zone)
    name = schedule.period_at(moment)
    start, end = schedule.start_of(name), schedule.start_after(name)
    assert end is not None
    assert start <= moment < end
    assert schedule.period_at(end - MINUTE) == name == schedule.period_at(start)
    following = schedule.period_at(end)
    assert following > name, "the alphabet orders periods"
    assert schedule.start_of(following) == end


@given(every=EVERY, zone=ZONES, moment=MOMENTS)
def test_spans_follow_each_other_without_gap_or_overlap(
    every: str, zone: ZoneInfo, moment: datetime
) -> None:
    schedule = Schedule(every, zone)
    name = schedule.period_at(moment)
    following = schedule.name_of(schedule.start_after(name) or moment)
    span, next_span = schedule.told_by(name), schedule.told_by(following)
    assert span.start.astimezone(UTC) < span.end.astimezone(UTC)
    assert span.end == next_span.start
    assert span.first_day <= span.last_day
    if next_span.first_day > span.first_day:
        assert next_span.first_day == span.last_day + DAY


@pytest.mark.parametrize(
    ("every", "name", "first", "last", "start", "end"),
    [
        ("weekly", "2026-W10", "2026-02-23", "2026-03-01", "2026-02-23T00:00+01:00",
         "2026-03-02T00:00+01:00"),
        ("monthly", "2026-03", "2026-02-01", "2026-02-28", "2026-02-01T00:00+01:00",
         "2026-03-01T00:00+01:00"),
        ("daily", "2026-03-30", "2026-03-29", "2026-03-29", "2026-03-29T00:00+01:00",
         "2026-03-30T00:00+02:00"),
        ("0 6 * * 1", "2026-03-02T06:00", "2026-02-23", "2026-03-01", "2026-02-23T06:00+01:00",
         "2026-03-02T06:00+01:00"),
        ("0 8,20 * * *", "2026-03-02T20:00", "2026-03-02", "2026-03-02", "2026-03-02T08:00+01:00",
         "2026-03-02T20:00+01:00"),
    ],
)  # fmt: skip
def test_a_run_tells_about_the_span_that_has_just_ended(
    every: str, name: str, first: str, last: str, start: str, end: str
) -> None:
    span = Schedule(every, PARIS).told_by(name)
    assert (span.first_day.isoformat(), span.last_day.isoformat()) == (first, last)
    assert span.start.isoformat(timespec="minutes") == start
    assert span.end.isoformat(timespec="minutes") == end


DAYS = st.dates(date(2005, 1, 1), date(2035, 12, 31))


@given(zone=ZONES, day=DAYS, hour=st.integers(0, 23))
@example(ZoneInfo("Pacific/Apia"), date(2011, 12, 31), 0)
def test_names_are_those_of_ledgers_before_cron(zone: ZoneInfo, day: date, hour: int) -> None:
    """Day, ISO week and month of the local day, as they were named at any moment of it."""
    moment = moment_of(datetime.combine(day, time(hour)), zone)
    there = moment.astimezone(zone).date()
    year, week, _ = there.isocalendar()
    names = [Schedule(every, zone).period_at(moment) for every in ("daily", "weekly", "monthly")]
    assert names == [there.isoformat(), f"{year:04}-W{week:02}", there.isoformat()[:7]]


@given(zone=ZONES, day=DAYS)
def test_a_day_begins_at_its_first_moment(zone: ZoneInfo, day: date) -> None:
    moment = day_begins(day, zone)
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
    start = day_begins(day, ZoneInfo(zone))
    assert start == datetime.fromisoformat(moment)
    assert day_begins(day + DAY, ZoneInfo(zone)) - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("every", "moment", "name"),
    [
        ("daily", "2026-03-02T12:00", "2026-03-02"),
        ("weekly", "2027-01-03T23:59", "2026-W53"),
        ("weekly", "2024-12-30T00:00", "2025-W01"),
        ("monthly", "2024-02-29T12:00", "2024-02"),
        ("0 6 * * 1", "2026-03-04T12:00", "2026-03-02T06:00"),
        ("30 2 * * *", "2026-03-29T12:00", "2026-03-29T03:00"),
    ],
)
def test_periods_are_named_as_people_name_them(every: str, moment: str, name: str) -> None:
    there = datetime.fromisoformat(moment).replace(tzinfo=PARIS)
    assert Schedule(every, PARIS).period_at(there) == name


# --- what may be written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("0 6 * * 1", "0 6 * * 1"),
        ("  0   6 * *  mon ", "0 6 * * MON"),
        ("0 6-18/2 1,15 jan-jun *", "0 6-18/2 1,15 JAN-JUN *"),
        ("0 0 L * *", "0 0 L * *"),
        ("0 8 * * 1#1", "0 8 * * 1#1"),
        ("*/60 * * * *", "*/60 * * * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_known_forms_are_taken(text: str, plain: str) -> None:
    assert check_cron(text) == plain


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "unreadable_cron"),
        ("0 6 * *", "unreadable_cron"),
        ("0 0 6 * * 1", "unreadable_cron"),
        ("0 25 * * *", "unreadable_cron"),
        ("0 6 * * lundi", "unreadable_cron"),
        ("0 6 30 13 *", "unreadable_cron"),
        ("@daily x x x x", "unreadable_cron"),
        ("9" * 5000 + " * * * *", "unreadable_cron"),
        ("0 6 * * " + "1," * 100 + "1", "unreadable_cron"),
        ("0 0 30 2 *", "cron_never_fires"),
        ("0 0 31 4,6 *", "cron_never_fires"),
        ("* * * * *", "cron_too_often"),
        ("*/15 8 * * *", "cron_too_often"),
        ("0,59 8 1 1 *", "cron_too_often"),
    ],
)
def test_others_are_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(Unfit) as unfit:
        check_cron(text)
    assert unfit.value.code == code


FIELD = st.text(alphabet="0123456789*/,-#LWMONJAE²٣é@?", min_size=1, max_size=8)


@given(fields=st.lists(FIELD, min_size=5, max_size=5))
def test_any_text_is_taken_or_refused(fields: list[str]) -> None:
    """What is taken fires at least an hour apart on the clock, before and after."""
    try:
        cron = check_cron(" ".join(fields))
    except Unfit:
        return
    assert check_cron(cron) == cron
    utc = ZoneInfo("UTC")
    now = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
    fires = [next(fires_until(cron, utc, now)), *islice(fires_after(cron, utc, now), 3)]
    assert all(other - one >= timedelta(hours=1) for one, other in pairwise(fires))

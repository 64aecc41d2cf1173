"""Which periods run, whoever looks, however often, and whatever happens in between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from factories import make_record, make_request
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipelines.decide import Step, next_step, wakes_at
from wardbook.domain.catch_up import Due, find_due
from wardbook.domain.periods import CatchUp, Schedule
from wardbook.domain.record import Work
from wardbook.domain.states import State

PARIS = ZoneInfo("Europe/Paris")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("Europe/Paris", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
EVERY = ("daily", "weekly", "monthly", "0 * * * *", "30 2 * * *", "0 6 * * 1", "0 0 29 2 *")
SCHEDULES = st.builds(
    Schedule,
    every=st.sampled_from(EVERY),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    catch_up=st.sampled_from(["skip", "latest", "all"]),
    max_catch_up=st.integers(1, 40),
)
BEGINNINGS = st.sampled_from(
    [
        datetime(2026, 3, 28, 20, tzinfo=UTC),  # before summer time in Paris
        datetime(2026, 10, 24, 20, tzinfo=UTC),  # before winter time in Paris
        datetime(2011, 12, 28, 20, tzinfo=UTC),  # before the day that Apia left out
        datetime(2026, 4, 3, 20, tzinfo=UTC),  # before the half hour of Lord Howe
    ]
)


@dataclass
class Book:
    """What a ledger keeps of one request, with the history that its events tell."""

    schedule: Schedule
    settled: str = ""
    moves: int = 0
    ran: list[str] = field(default_factory=list)
    passed: list[tuple[str, str]] = field(default_factory=list)

    def write(self, due: Due, seen: int) -> bool:
        """Record a decision made on what was seen, unless another one was recorded since."""
        if seen != self.moves:
            return False
        self.moves += 1
        if due.passed_over:
            self.passed.append(due.passed_over)
            self.settled = due.passed_over[1]
        else:
            self.ran.append(str(due.run))
            self.settled = str(due.run)
        return True

    def look(self, now: datetime) -> None:
        """One pass that nothing interrupts: every run is answered at once."""
        while due := find_due(self.schedule, self.settled, now):
            self.write(due, self.moves)

    def names(self, first: str, last: str) -> list[str]:
        """All periods from one to another, both included."""
        found = [first]
        while found[-1] < last:
            start = self.schedule.start_after(found[-1])
            assert start is not None
            found.append(self.schedule.name_of(start))
        return found


class TwoTriggers(RuleBasedStateMachine):
    """Two triggers look at one request whenever they like, and die whenever they like."""

    @initialize(schedule=SCHEDULES, now=BEGINNINGS)
    def file(self, schedule: Schedule, now: datetime) -> None:
        self.book = Book(schedule)
        self.now = now
        self.held: dict[str, tuple[Due, int]] = {}

    @rule(time=st.timedeltas(timedelta(0), 3 * HOUR))
    def time_goes_on(self, time: timedelta) -> None:
        self.now += time

    @rule(days=st.integers(0, 60))
    def everybody_is_away(self, days: int) -> None:
        self.now += days * DAY

    @rule(hours=st.integers(0, 72))
    def the_clock_goes_back(self, hours: int) -> None:
        self.now -= hours * HOUR

    @rule(trigger=st.sampled_from(["serve", "cron"]))
    def decide(self, trigger: str) -> None:
        due = find_due(self.book.schedule, self.book.settled, self.now)
        if due is not None:
            self.held[trigger] = (due, self.book.moves)

    @rule(trigger=st.sampled_from(["serve", "cron"]))
    def record(self, trigger: str) -> None:
        if trigger in self.held:
            self.book.write(*self.held.pop(trigger))

    @rule(trigger=st.sampled_from(["serve", "cron"]))
    def crash(self, trigger: str) -> None:
        self.held.pop(trigger, None)

    @rule()
    def look(self) -> None:
        before = len(self.book.ran)
        self.book.look(self.now)
        assert len(self.book.ran) - before <= self.book.schedule.max_catch_up + 1

    @invariant()
    def no_period_runs_twice_or_out_of_order(self) -> None:
        if hasattr(self, "book"):
            assert all(one < other for one, other in pairwise(self.book.ran))

    @invariant()
    def each_period_ran_or_was_told_to_be_passed_over(self) -> None:
        if not hasattr(self, "book") or not self.book.ran:
            return
        told = [(name, name) for name in self.book.ran] + self.book.passed
        ordered = sorted(told)
        assert ordered[-1][1] == self.book.settled
        for (_, end), (begin, _) in pairwise(ordered):
            start = self.book.schedule.start_after(end)
            assert start is not None
            assert self.book.schedule.name_of(start) == begin, "no gap, no overlap"


TestTwoTriggers = TwoTriggers.TestCase
TestTwoTriggers.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


LOOKS = st.lists(st.integers(1, 24 * 40), min_size=2, max_size=25, unique=True).map(sorted)


@given(schedule=SCHEDULES, begin=BEGINNINGS, looks=LOOKS, data=st.data())
@settings(max_examples=40, deadline=None)
def test_differently_spaced_passes_run_the_same_calendar(
    schedule: Schedule, begin: datetime, looks: list[int], data: st.DataObject
) -> None:
    """Two triggers share the first and the last look; one of them looks more seldom."""
    between = data.draw(st.lists(st.sampled_from(looks), unique=True))
    seldom = sorted({looks[0], looks[-1], *between})
    many = replace(schedule, max_catch_up=366 * 24)
    books = Book(many), Book(many)
    for book, hours in zip(books, (looks, seldom), strict=True):
        for hour in hours:
            book.look(begin + hour * HOUR)
    often, rarely = books
    if schedule.catch_up == "all":
        assert rarely.ran == often.ran == often.names(often.ran[0], often.settled)
    else:
        assert set(rarely.ran) <= set(often.ran)
    assert rarely.settled == often.settled
    if schedule.catch_up == "latest":
        looked = {schedule.period_at(begin + hour * HOUR) for hour in seldom}
        assert set(rarely.ran) == looked


@given(schedule=SCHEDULES, begin=BEGINNINGS, hours=st.lists(st.integers(0, 24 * 90), max_size=30))
@settings(max_examples=40, deadline=None)
def test_it_is_woken_exactly_when_there_is_something_to_do(
    schedule: Schedule, begin: datetime, hours: list[int]
) -> None:
    """The moment that the ledger keeps, and the decision at any moment, say the same."""
    zone = ZoneInfo(str(schedule.zone))
    last = begin.date() + 100 * DAY
    request = make_request(
        every=schedule.every,
        expires=last.isoformat(),
        catch_up=schedule.catch_up,
        max_catch_up=schedule.max_catch_up,
    )
    work = Work(period=schedule.period_at(begin))
    record = replace(make_record(State.ANSWERED), request=request, work=work)
    wake = wakes_at(record, zone, 30)
    assert wake is not None
    second = timedelta(seconds=1)
    for moment in (*(begin + hour * HOUR for hour in hours), wake - second, wake):
        step = next_step(record, (), now=moment, zone=zone, notice_days=30)
        assert (step is not Step.REST) == (moment >= wake)


def due(catch_up: CatchUp, settled: str, now: str, most: int = 31) -> Due | None:
    moment = datetime.fromisoformat(now).replace(tzinfo=PARIS)
    return find_due(Schedule("0 6 * * 1", PARIS, catch_up, most), settled, moment)


LAST = "2026-03-02T06:00"


@pytest.mark.parametrize(
    ("catch_up", "now", "expected"),
    [
        ("latest", "2026-03-09T05:59", None),
        ("skip", "2026-03-09T05:59", None),
        ("all", "2026-03-09T05:59", None),
        # Wednesday: Monday's fire is late, and not missed.
        ("latest", "2026-03-11T12:00", Due(None, "2026-03-09T06:00")),
        ("skip", "2026-03-11T12:00", Due(None, "2026-03-09T06:00")),
        ("all", "2026-03-11T12:00", Due(None, "2026-03-09T06:00")),
        # Two weeks later: two fires were missed.
        ("latest", "2026-03-25T12:00",
         Due(("2026-03-09T06:00", "2026-03-16T06:00"), "2026-03-23T06:00")),
        ("skip", "2026-03-25T12:00", Due(("2026-03-09T06:00", "2026-03-23T06:00"), None)),
        ("all", "2026-03-25T12:00", Due(None, "2026-03-09T06:00")),
        ("latest", "2026-01-01T12:00", None),
        ("skip", "2026-01-01T12:00", None),
        ("all", "2026-01-01T12:00", None),
    ],
)  # fmt: skip
def test_the_table_of_policies(catch_up: CatchUp, now: str, expected: Due | None) -> None:
    assert due(catch_up, LAST, now) == expected


def test_only_the_newest_missed_periods_are_made_up_for() -> None:
    found = due("all", LAST, "2027-03-02T12:00", most=2)
    assert found == Due(("2026-03-09T06:00", "2027-02-08T06:00"), "2027-02-15T06:00")
    book = Book(Schedule("0 6 * * 1", PARIS, "all", 2), settled=LAST)
    book.look(datetime(2027, 3, 2, 12, tzinfo=PARIS))
    assert book.ran == ["2027-02-15T06:00", "2027-02-22T06:00", "2027-03-01T06:00"]
    assert len(book.passed) == 1


@pytest.mark.parametrize("catch_up", ["skip", "latest", "all"])
def test_a_request_runs_first_for_the_present_period(catch_up: CatchUp) -> None:
    assert due(catch_up, "", "2026-03-04T12:00") == Due(None, LAST)


def test_of_a_schedule_that_is_years_behind_the_newest_periods_run() -> None:
    schedule = Schedule("0 * * * *", PARIS, "all", 40)
    found = find_due(schedule, "2016-03-02T06:00", datetime(2026, 3, 2, 12, tzinfo=PARIS))
    assert found == Due(("2016-03-02T07:00", "2026-02-28T19:00"), "2026-02-28T20:00")

"""Schedules from ticket to answer: period parameters, catch-up, and two passes at once."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path

import pytest

from pipelines.house import House
from pipelines.steps.calendar import run_again
from pipelines.steps.run import mend_request
from pipelines.story import tick_until_quiet
from tests.integration.test_recurring import Calendar, assert_idle, count_events
from tests.integration.test_story import Scene, open_scene, spf_folder
from wardbook.domain.run import RunSpec
from wardbook.domain.states import State
from wardbook.ledger import Ledger
from wardbook.ledger.ledger import StaleRecord
from wardbook.settings import Settings

__all__ = ["spf_folder"]
pytestmark = [pytest.mark.xdist_group("schedules"), pytest.mark.usefixtures("lasting_server")]
PERIODIC = """
[parameters.start]
type = "date"
label = { fr = "Premier jour", en = "First day" }
example = "2020-12-01"
from_period = "first_day"
[parameters.end]
type = "date"
label = { fr = "Dernier jour", en = "Last day" }
example = "2020-12-31"
from_period = "last_day"
"""


@contextmanager
def unit(
    folder: Path,
    spf: Path,
    ledger: str,
    catch_up: str,
    most: int = 31,
    *,
    standing: bool = True,
) -> Iterator[tuple[Scene, Calendar]]:
    schedule = f"""
[schedule]
cron = "0 6 * * 1"
catch_up = "{catch_up}"
max_catch_up = {most}
"""
    calendar = Calendar()
    more = PERIODIC + schedule
    with open_scene(folder, spf, ledger, standing=standing, more=more, now=calendar) as scene:
        yield scene, calendar


def file(scene: Scene, calendar: Calendar, **fields: str) -> str:
    recurrence = "Selon le modèle / as the template says"
    return scene.file(recurrence=recurrence, expires=calendar.day(300), **fields)


def monday(calendar: Calendar, week: int) -> str:
    return f"{calendar.day(7 * week)}T06:00"


def runs(scene: Scene, key: str) -> list[RunSpec]:
    """The runs that were started, in their order."""
    events = scene.house.ledger.events(key)
    return [
        RunSpec.read(scene.house.run_folder(event.detail["run"]))
        for event in events
        if event.event == "run.started"
    ]


def periods(scene: Scene, key: str) -> list[str]:
    return [spec.period for spec in runs(scene, key)]


def passed_over(scene: Scene, key: str) -> list[tuple[str, str, str]]:
    return [
        (one.detail["catch_up"], one.detail["first"], one.detail["last"])
        for one in scene.house.ledger.events(key)
        if one.event == "period.passed_over"
    ]


def test_all_missed_weeks_are_answered_each_for_its_own_days(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    with unit(tmp_path, spf_folder, story_ledger_url, "all") as (scene, calendar):
        key = file(scene, calendar)
        scene.tick()
        assert periods(scene, key) == [monday(calendar, 0)]
        assert_idle(scene, key)
        calendar.set(7, time(5, 59))
        assert_idle(scene, key)

        calendar.set(23)
        scene.tick()
        assert scene.record(key).state is State.ANSWERED
        weeks = [monday(calendar, week) for week in range(4)]
        assert periods(scene, key) == weeks
        days = [(spec.parameters["start"], spec.parameters["end"]) for spec in runs(scene, key)]
        assert days == [
            ({"date": calendar.day(7 * week - 7)}, {"date": calendar.day(7 * week - 1)})
            for week in range(4)
        ]
        assert len({spec.key for spec in runs(scene, key)}) == 4
        assert len(scene.comments(key)) == 4
        assert passed_over(scene, key) == []
        pages = scene.house.settings.site.folder / "reports" / key.lower()
        told = [page.read_text(encoding="utf-8") for page in pages.glob("*/index.html")]
        assert len(told) == 4
        for week in range(4):
            assert sum(calendar.day(7 * week - 7) in page for page in told) >= 1
        assert_idle(scene, key)


def test_of_very_many_missed_weeks_the_newest_are_answered_and_the_others_told(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    with unit(tmp_path, spf_folder, story_ledger_url, "all", most=1) as (scene, calendar):
        key = file(scene, calendar)
        scene.tick()
        calendar.set(7 * 20)
        scene.tick()
        assert periods(scene, key) == [monday(calendar, week) for week in (0, 19, 20)]
        told = ("all", monday(calendar, 1), monday(calendar, 18))
        assert passed_over(scene, key) == [told]


def test_missed_weeks_are_passed_over_and_told(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    with unit(tmp_path, spf_folder, story_ledger_url, "latest") as (scene, calendar):
        key = file(scene, calendar)
        scene.tick()
        calendar.set(23)
        scene.tick()
        assert periods(scene, key) == [monday(calendar, 0), monday(calendar, 3)]
        assert passed_over(scene, key) == [("latest", monday(calendar, 1), monday(calendar, 2))]
        assert_idle(scene, key)


def test_after_a_missed_week_the_next_is_waited_for(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    with unit(tmp_path, spf_folder, story_ledger_url, "skip") as (scene, calendar):
        key = file(scene, calendar)
        scene.tick()
        calendar.set(9)  # late, and not missed
        scene.tick()
        calendar.set(23)
        scene.tick()
        assert periods(scene, key) == [monday(calendar, 0), monday(calendar, 1)]
        assert passed_over(scene, key) == [("skip", monday(calendar, 2), monday(calendar, 3))]
        assert_idle(scene, key)
        calendar.set(28, time(6, 0))
        scene.tick()
        assert periods(scene, key)[2:] == [monday(calendar, 4)]
        assert len(scene.comments(key)) == 3


def test_what_the_ticket_says_wins_over_the_period(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    with unit(tmp_path, spf_folder, story_ledger_url, "latest") as (scene, calendar):
        key = file(scene, calendar)
        fields = scene.house.settings.jira.fields
        scene.edit(key, {fields.parameters: "start = 2020-03-18"})
        scene.tick()
        (spec,) = runs(scene, key)
        assert spec.parameters == {
            "start": {"date": "2020-03-18"},
            "end": {"date": calendar.day(-1)},
        }


class StoppedClock:
    """Shows one moment; travels into another process."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


def _tick_often(settings: Settings, moment: datetime, ready: object) -> None:
    with House(settings, now=StoppedClock(moment)) as house:
        house.ledger.due_keys(moment)
        ready.wait()  # type: ignore[attr-defined]
        for _ in range(3):
            tick_until_quiet(house)


def test_two_processes_at_once_run_each_period_once(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    with unit(tmp_path, spf_folder, story_ledger_url, "all") as (scene, calendar):
        keys = [file(scene, calendar), file(scene, calendar)]
        scene.tick()
        calendar.set(16)
        spawn = multiprocessing.get_context("spawn")
        ready = spawn.Barrier(2)
        arguments = (scene.house.settings, calendar(), ready)
        workers = [spawn.Process(target=_tick_often, args=arguments) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0
        scene.tick()
        for key in keys:
            assert scene.record(key).state is State.ANSWERED
            assert periods(scene, key) == [monday(calendar, week) for week in range(3)]
            assert count_events(scene, key, "request.due") == 2
            assert len(scene.comments(key)) == 3


def test_a_worker_without_its_claim_cannot_begin_a_period_again(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    """The ledger itself refuses: claims save work, and nothing hangs on them."""
    with unit(tmp_path, spf_folder, story_ledger_url, "latest") as (scene, calendar):
        key = file(scene, calendar)
        scene.tick()
        calendar.set(8)
        seen = scene.record(key)
        with House(scene.house.settings, now=calendar) as other:
            begun = run_again(other, seen)
            assert begun.work.period == monday(calendar, 1)
            with pytest.raises(StaleRecord):
                run_again(scene.house, seen)
            assert count_events(scene, key, "request.due") == 1
            scene.tick()
            calendar.set(23)
            seen = scene.record(key)
            assert run_again(other, seen).work.passed_over == monday(calendar, 2)
            with pytest.raises(StaleRecord):
                run_again(scene.house, seen)
        assert len(passed_over(scene, key)) == 1


def test_a_period_that_was_chosen_is_run_though_the_next_begins_before(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    with unit(tmp_path, spf_folder, story_ledger_url, "latest") as (scene, calendar):
        key = file(scene, calendar)
        scene.tick()
        calendar.set(14, time(5, 59))
        run_again(scene.house, scene.record(key))  # and the process ends here
        calendar.set(14, time(6, 1))
        scene.tick()
        assert periods(scene, key) == [monday(calendar, week) for week in range(3)]
        assert passed_over(scene, key) == []


def test_a_ledger_from_before_cron_runs_no_answered_period_again(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    """Its requests hold neither zone nor policy, its work nothing that was passed over."""
    with unit(tmp_path, spf_folder, story_ledger_url, "latest") as (scene, calendar):
        key = scene.file(recurrence="Hebdomadaire / weekly", expires=calendar.day(300))
        scene.tick()
        forget_new_fields(scene.house.ledger, key)
        record = scene.record(key)
        assert record.request is not None
        assert (record.request.every, record.request.zone) == ("weekly", "")
        assert record.work == replace(record.work, period=calendar.week(0), passed_over="")
        assert_idle(scene, key)
        calendar.set(7, time(0, 0))
        scene.tick()
        assert periods(scene, key) == [calendar.week(0), calendar.week(1)]


def forget_new_fields(ledger: Ledger, key: str) -> None:
    """Leave of a request what ledgers held before there were cron expressions."""
    from sqlalchemy import select, update

    from wardbook.ledger import schema

    table = schema.requests
    with ledger._engine.begin() as connection:
        row = connection.execute(select(table).where(table.c.key == key)).one()
        request, work = dict(row.request), dict(row.work)
        for later in ("zone", "catch_up", "max_catch_up"):
            del request[later]
        del work["passed_over"]
        assert "zone" not in json.dumps(request)
        connection.execute(
            update(table).where(table.c.key == key).values(request=request, work=work)
        )


def test_what_is_mended_late_runs_for_its_own_period(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    with unit(tmp_path, spf_folder, story_ledger_url, "latest", standing=False) as (
        scene,
        calendar,
    ):
        key = file(scene, calendar)
        scene.tick()
        held = scene.record(key)
        assert held.state is State.HELD, "nobody has approved"
        calendar.set(9)
        mend_request(scene.house, held)
        scene.tick()
        assert scene.record(key).state is State.HELD
        assert periods(scene, key) == [monday(calendar, 0), monday(calendar, 0)]
        assert passed_over(scene, key) == []

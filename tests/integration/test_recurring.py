"""Recurring requests, and legal bases that run out: weeks of a unit's life on a clock of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from pipelines.demo.world import REVIEWER
from tests.integration.test_story import Scene, open_scene, spf_folder
from wardbook.domain.states import State

__all__ = ["spf_folder"]
pytestmark = [pytest.mark.xdist_group("recurring"), pytest.mark.usefixtures("lasting_server")]
PARIS = ZoneInfo("Europe/Paris")


def next_monday() -> date:
    """A day ahead of the sandbox's own clock, which stamps what people do."""
    today = datetime.now(UTC).date()
    return today + timedelta(days=7 - today.weekday())


class Calendar:
    """The platform's clock: it shows what a test sets."""

    def __init__(self) -> None:
        self.first = next_monday()
        self.set(0)

    def set(self, day: int, clock: time = time(12)) -> None:
        """Go to an hour in Paris, so many days after the first Monday."""
        self.now = datetime.combine(self.first + timedelta(days=day), clock, PARIS).astimezone(UTC)

    def day(self, number: int) -> str:
        return (self.first + timedelta(days=number)).isoformat()

    def week(self, number: int) -> str:
        year, week, _ = (self.first + timedelta(weeks=number)).isocalendar()
        return f"{year}-W{week:02}"

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def unit(
    folder: Path, spf: Path, ledger: str, *, standing: bool
) -> Iterator[tuple[Scene, Calendar]]:
    calendar = Calendar()
    with open_scene(folder, spf, ledger, standing=standing, now=calendar) as scene:
        yield scene, calendar


@pytest.fixture
def on_trust(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> Iterator[tuple[Scene, Calendar]]:
    with unit(tmp_path, spf_folder, story_ledger_url, standing=True) as found:
        yield found


@pytest.fixture
def reviewed(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> Iterator[tuple[Scene, Calendar]]:
    with unit(tmp_path, spf_folder, story_ledger_url, standing=False) as found:
        yield found


def writes(scene: Scene) -> list[Any]:
    """Everything that anybody changed on either tracker."""
    page = f"{scene.sandbox.jira_url}/_sandbox/journal?wrote=true"
    return list(requests.get(page, timeout=30).json())


def count_events(scene: Scene, key: str, event: str) -> int:
    return sum(one.event == event for one in scene.house.ledger.events(key))


def editions(scene: Scene, key: str) -> dict[str, str]:
    """Each published edition with a digest of its receipt."""
    folder = scene.house.settings.site.folder / "reports" / key.lower()
    return {
        receipt.parent.name: hashlib.sha256(receipt.read_bytes()).hexdigest()
        for receipt in folder.glob("*/receipt.json")
        if not receipt.parent.name.startswith(".")
    }


def assert_idle(scene: Scene, key: str) -> None:
    """Nothing is due, and a pass changes nothing anywhere."""
    assert scene.house.ledger.due_keys(scene.house.now()) == []
    before = stand(scene, key)
    scene.tick()
    assert stand(scene, key) == before


def stand(scene: Scene, key: str) -> object:
    """What both trackers and the ledger hold, but for our own changes that were read back."""
    record = scene.record(key)
    seen = (record.state, record.revision, record.work, record.links, record.warned)
    return seen, writes(scene), scene.house.ledger.events(key)


def test_a_weekly_request_runs_once_a_week_and_a_missed_week_is_not_made_up_for(
    on_trust: tuple[Scene, Calendar],
) -> None:
    scene, calendar = on_trust
    key = scene.file(recurrence="Hebdomadaire / weekly", expires=calendar.day(300))
    once = scene.file(expires=calendar.day(300))
    scene.tick()
    first = scene.record(key)
    assert (first.state, first.work.period) == (State.ANSWERED, calendar.week(0))
    proofs = editions(scene, key)
    assert len(proofs) == 1

    calendar.set(6, time(23, 59))
    assert_idle(scene, key)

    calendar.set(7, time(0, 0))
    scene.tick()
    second = scene.record(key)
    assert (second.state, second.work.period) == (State.ANSWERED, calendar.week(1))
    assert second.work.run != first.work.run, "another period is another run"
    assert scene.house.jira.status(key)[0] == "Résolu"
    assert_idle(scene, key)

    calendar.set(23)  # nobody was there in the third week
    scene.tick()
    third = scene.record(key)
    assert (third.state, third.work.period) == (State.ANSWERED, calendar.week(3))
    assert_idle(scene, key)

    assert count_events(scene, key, "request.due") == 2
    assert len(scene.comments(key)) == 3
    after = editions(scene, key)
    assert len(after) == 3
    assert proofs.items() <= after.items(), "the first week's proof stands as it was"
    links = {one["globalId"]: one["object"]["url"] for one in scene.house.jira.remote_links(key)}
    assert len(links) == 2, "the issue and the report, one link each"
    assert third.links.deliverables[-1].address in links.values()
    assert count_events(scene, once, "request.due") == 0
    assert len(scene.comments(once)) == 1


def test_notice_ahead_then_pause_then_on_again_after_an_edit(
    on_trust: tuple[Scene, Calendar],
) -> None:
    scene, calendar = on_trust
    last = 40
    key = scene.file(recurrence="Mensuelle / monthly", expires=calendar.day(last))
    scene.tick()
    assert scene.record(key).state is State.ANSWERED
    told = len(scene.comments(key))

    calendar.set(last - 31)
    scene.tick()
    assert count_events(scene, key, "basis.ends_soon") == 0

    calendar.set(last - 30, time(0, 0))
    scene.tick()
    assert count_events(scene, key, "basis.ends_soon") == 1
    notices = [one for one in scene.comments(key) if "récurrente" in one]
    assert len(notices) == 1
    assert calendar.day(last) in notices[0]
    assert "«\u00a0Échéance\u00a0»" in notices[0]
    calendar.set(last - 29)
    assert_idle(scene, key)

    calendar.set(last, time(23, 59))
    scene.tick()
    assert scene.record(key).state is State.ANSWERED, "the last day counts"

    calendar.set(last + 1, time(0, 0))
    before = len(scene.comments(key))
    scene.tick()
    paused = scene.record(key)
    assert paused.state is State.PAUSED
    assert len(scene.comments(key)) == before + 1
    assert "en pause" in scene.comments(key)[-1]
    assert scene.house.jira.status(key)[0] == "En attente du demandeur"
    issue = scene.gitlab(REVIEWER).issues.get(paused.links.issue)
    assert "state::paused" in issue.labels
    scene.tick()  # reopened, the ticket has no resolution any more: the label goes as well
    calendar.set(last + 60)
    assert_idle(scene, key)

    expires = scene.house.settings.jira.fields.expires
    scene.edit(key, {expires: calendar.day(last + 50)})
    calendar.set(last + 61)
    scene.tick()
    assert scene.record(key).state is State.REFUSED, "still in the past"
    scene.edit(key, {expires: calendar.day(last + 400)})
    calendar.set(last + 62)
    scene.tick()
    resumed = scene.record(key)
    assert resumed.state is State.ANSWERED
    assert resumed.work.period == calendar.day(last + 62)[:7]
    assert count_events(scene, key, "basis.ends_soon") == 1
    assert len(scene.comments(key)) > told


def test_what_waits_for_a_reviewer_is_not_released_on_an_expired_basis(
    reviewed: tuple[Scene, Calendar],
) -> None:
    scene, calendar = reviewed
    key = scene.file(expires=calendar.day(2))
    scene.tick()
    held = scene.record(key)
    assert held.state is State.HELD
    calendar.set(2, time(23, 59))
    scene.tick()
    assert scene.record(key).state is State.HELD

    project = scene.gitlab(REVIEWER)
    request = project.mergerequests.get(held.links.merge_request)
    head = request.sha
    request.approve(sha=head)
    calendar.set(3, time(0, 0))
    scene.tick()
    assert scene.record(key).state is State.PAUSED
    assert scene.house.jira.status(key)[0] == "En attente du demandeur"
    assert not (scene.house.settings.site.folder / "reports").exists()
    calendar.set(4)
    assert_idle(scene, key)

    scene.edit(key, {scene.house.settings.jira.fields.expires: calendar.day(90)})
    calendar.set(5)
    scene.tick()
    again = scene.record(key)
    assert again.state is State.HELD, "the approval was of what was shown before the pause"
    request = project.mergerequests.get(held.links.merge_request)
    head = request.sha
    request.unapprove()
    request.approve(sha=head)
    scene.tick()
    assert scene.record(key).state is State.ANSWERED


def test_each_week_is_reviewed_anew(reviewed: tuple[Scene, Calendar]) -> None:
    scene, calendar = reviewed
    key = scene.file(recurrence="Hebdomadaire / weekly", expires=calendar.day(300))
    scene.tick()
    project = scene.gitlab(REVIEWER)
    request = project.mergerequests.get(scene.record(key).links.merge_request)
    head = request.sha
    request.approve(sha=head)
    scene.tick()
    assert scene.record(key).state is State.ANSWERED
    calendar.set(8)
    scene.tick()
    assert scene.record(key).state is State.HELD, "last week's approval is not this week's"
    calendar.set(15)
    scene.tick()
    assert scene.record(key).work.period == calendar.week(1), "it waits for its reviewer"
    request.unapprove()
    request.approve(sha=head)
    scene.tick()
    late = scene.record(key)
    assert late.state is State.HELD, "released late, then the present week ran at once"
    assert late.work.period == calendar.week(2)
    assert len(scene.comments(key)) == 2

"""Every kind of effect of the synchronisation is struck once: nothing is twice, nothing missing.

In the long form each case on every side with every stroke, else one of each kind by chance.
"""

import random
from datetime import UTC, datetime

import pytest

from pipelines.story import sync
from requests_sync.copies import GitLabComment, copy_effects
from requests_sync.effects import JiraComment, tracker_effects
from tests.acceptance.crash_form import LONG, SEED
from tests.sync_points import CASES, Point, StruckHouse, Trial, all_points
from tests.sync_world import sync_world
from wardbook.domain.record import Outcome

KINDS = sorted({case.kind for case in CASES.values()})
pytestmark = pytest.mark.xdist_group("sync_points")


def some_points() -> list[Point]:
    if LONG:
        return all_points()
    chance = random.Random(SEED)
    return [
        chance.choice([point for point in all_points() if CASES[point.case].kind == kind])
        for kind in chance.sample(sorted(KINDS), len(KINDS) // 2)
    ]


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    with sync_world(tmp_path_factory.mktemp("points") / "world") as world:
        yield Trial(world)


@pytest.mark.parametrize("point", some_points(), ids=str)
def test_struck_once(trial, point):
    verdict = trial.judge(point)
    assert verdict.wrong == ()
    assert verdict.passes <= 3


def test_every_kind_of_effect_has_a_case():
    from unittest.mock import Mock

    trackers = tracker_effects(Mock(), Mock(), Mock(), "main", "fr")
    assert set(KINDS) == set(trackers) >= set(copy_effects(Mock(), Mock(), Mock(), "fr"))


def test_an_effect_that_is_not_looked_for_is_caught(trial, monkeypatch):
    trial.judge(Point("refusal", "recorded", "kill"))
    monkeypatch.setattr(JiraComment, "find", lambda *_: None)
    wrong = trial.judge(Point("refusal", "after", "kill")).wrong
    assert any(found.startswith("duplicate: DATA-1: notice") for found in wrong)


def test_an_effect_that_is_lost_is_caught(trial, monkeypatch):
    trial.judge(Point("comment", "recorded", "kill"))
    monkeypatch.setattr(GitLabComment, "do", lambda *_: Outcome())
    wrong = trial.judge(Point("comment", "before", "kill")).wrong
    assert any(found.startswith("loss: DATA-1: copy of comment") for found in wrong)


def test_a_stroke_that_never_falls_is_caught(trial):
    wrong = trial.judge(Point("comment", "never", "kill")).wrong
    assert wrong == ("missed: the process ended with 3, not -9",)


def test_the_full_disk_is_sqlites_own(trial):
    trial.begin("comment")
    world = trial.world
    ahead = (world.clock() - datetime.now(UTC)).total_seconds()
    settings = world.house(workers=1).settings
    with StruckHouse(settings, ahead, Point("comment", "after", "disk full")) as house:
        assert "database or disk is full" in sync(house).faults["DATA-1"]

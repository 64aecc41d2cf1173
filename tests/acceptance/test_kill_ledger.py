"""The ledger is lost: it is made again from Jira and GitLab, and nothing is written twice."""

from collections import Counter

import pytest

from pipelines.house import House
from pipelines.story import tick_until_quiet
from tests.acceptance.crash_survey import strays, survey
from tests.acceptance.crash_world import Clock, crash_world
from tests.acceptance.crash_writes import route_of, undisturbed
from wardbook.domain.states import State

KINDS = ("whole", "failed", "refused")


@pytest.fixture
def world(tmp_path):
    with crash_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("hours", [0, 48], ids=["at once", "after two days"])
def test_a_lost_ledger_doubles_nothing(world, hours):
    keys = [world.file_ticket(kind) for kind in KINDS]
    world.settle(*keys)
    expected = [undisturbed()[kind].survey for kind in KINDS]
    before = len(world.sandbox.writes())

    world.lose_ledger()
    clock = Clock()
    clock.advance(hours * 3600)
    world.settle_here(clock, *keys, passes=3)

    written = Counter(route_of(entry) for entry in world.sandbox.writes()[before:])
    print(f"\nwritten after the loss: {written}")
    for key, was in zip(keys, expected, strict=True):
        found = survey(world, key)
        assert found["gitlab"] == was["gitlab"]
        assert found["site"] == was["site"]
        assert found["share"] == was["share"]
        for name in ("status", "resolution", "comments", "links"):
            assert found["jira"][name] == was["jira"][name]
    assert strays(world) == []
    # Only what ends as it was: labels on their way to the last one, statuses likewise.
    label = ("gitlab", "PUT", "projects/unite/hygiene-hospitaliere/issues/N")
    assert set(written) <= {label, ("jira", "POST", "issue/KEY/transitions")}


def test_a_request_that_was_turned_down_stays_so(world):
    key = world.file_ticket("whole")
    clock = Clock()
    with House(world.settings, now=clock) as house:
        tick_until_quiet(house)
        links = house.ledger.record(key).links
    world.close_merge_request(links.project, links.merge_request)
    world.settle_here(clock, key, reviewed=False)
    expected = survey(world, key)
    assert expected["ledger"]["state"] == [State.REJECTED]

    world.lose_ledger()
    world.settle_here(clock, key, passes=3, reviewed=False)
    found = survey(world, key)
    assert found["gitlab"] == expected["gitlab"]
    assert found["jira"]["comments"] == expected["jira"]["comments"]
    assert found["ledger"]["state"] == [State.REJECTED]

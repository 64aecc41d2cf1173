"""The ledger is lost: it is made again from Jira and GitLab, and nothing is written twice."""

import pytest
from jira import JIRA

from pipelines.house import House
from pipelines.story import tick_until_quiet
from tests.acceptance.crash_survey import Survey, strays, survey
from tests.acceptance.crash_world import Clock, crash_world
from tests.acceptance.crash_writes import route_of, undisturbed
from wardbook.domain.states import State

pytestmark = [pytest.mark.usefixtures("lasting_server"), pytest.mark.xdist_group("kills")]
KINDS = ("whole", "failed", "refused")
STATUS = ("jira", "POST", "issue/KEY/transitions")


@pytest.fixture
def world(tmp_path):
    with crash_world(tmp_path) as world:
        yield world


def test_a_lost_ledger_doubles_nothing(world):
    keys = [world.file_ticket(kind) for kind in KINDS]
    world.settle(*keys)
    clock = Clock()
    for days in (0, 2):
        before = len(world.sandbox.writes())
        world.lose_ledger()
        clock.advance(days * 86400)
        world.settle_here(clock, *keys, passes=3)

        for key, kind in zip(keys, KINDS, strict=True):
            assert_not_doubled(survey(world, key), undisturbed()[kind].survey)
        assert strays(world) == []
        written = [route_of(entry) for entry in world.sandbox.writes()[before:]]
        # Answered and refused ones write nothing. One that failed runs again: its status passes
        # through an earlier one, and ends as it was.
        assert written in ([], [STATUS, STATUS])
        assert all(keys[1] in entry["path"] for entry in world.sandbox.writes()[before:])


def assert_not_doubled(found: Survey, expected: Survey) -> None:
    for place in ("gitlab", "site", "share"):
        assert found[place] == expected[place]
    for name in ("status", "resolution", "comments", "links"):
        assert found["jira"][name] == expected["jira"][name]


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


def test_a_request_edited_before_and_after_the_loss_goes_on(world):
    """Keys of intents follow from what is asked and run, not from a count that was lost."""
    key = world.file_ticket("refused")
    clock = Clock()
    world.settle_here(clock, key)
    refused_once = len(survey(world, key)["jira"]["comments"])
    assert refused_once == 1
    for number in (1, 2):
        edit(world, key, {"summary": f"Edited {number}"})
        if number == 2:
            world.lose_ledger()
        clock.advance(60)
        world.settle_here(clock, key, passes=3)
        told = survey(world, key)["jira"]["comments"]
        assert len(told) == refused_once + number, "each refusal is told, and told once"


def edit(world, key, fields):
    client = JIRA(
        server=world.sandbox.jira_url, token_auth=world.demo.token("yhaddad"), max_retries=0
    )
    client.issue(key).update(fields=fields)

"""Answers are lost, and servers refuse: nothing is killed, and still nothing is twice or missing.

Every write of a ticket's way fails once. After `cut_after` it was made and its answer is lost, so
the platform must look before it writes again; after the others it was not made.
"""

import pytest

from requests_sync.effects import JiraComment
from tests.acceptance.crash_form import chosen
from tests.acceptance.crash_survey import strays, survey
from tests.acceptance.crash_world import Clock, CrashWorld, crash_world
from tests.acceptance.crash_writes import Route, rule_for, undisturbed
from wardbook.ledger import Ledger

pytestmark = [pytest.mark.usefixtures("lasting_server"), pytest.mark.xdist_group("kills")]
FAULTS = ("cut_after", "cut_before", "500", "502", "503", "429")
KINDS = ("whole", "failed", "refused")
ALL = [(kind, fault) for kind in KINDS for fault in FAULTS]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with crash_world(tmp_path_factory.mktemp("answers")) as world:
        yield world


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("whole", "cut_after"), ("refused", "cut_after"), *chosen(ALL[1:], 1)],
)
def test_every_write_fails_once(world, kind, fault):
    expected, writes = undisturbed()[kind].survey, undisturbed()[kind].writes
    key = world.file_ticket(kind)
    struck = fail_every_write_once(world, key, writes, fault)

    assert struck == len(writes)
    assert survey(world, key) == expected
    assert strays(world) == []


def test_the_comparison_sees_an_effect_that_is_not_looked_for(world, monkeypatch):
    monkeypatch.setattr(JiraComment, "find", lambda *_: None)
    assert_doubled(world)


def test_the_comparison_sees_an_attempt_that_is_not_written_down(world, monkeypatch):
    monkeypatch.setattr(Ledger, "begin_effects", lambda *_: None)
    assert_doubled(world)


def assert_doubled(world: CrashWorld) -> None:
    expected, writes = undisturbed()["refused"].survey, undisturbed()["refused"].writes
    key = world.file_ticket("refused")
    fail_every_write_once(world, key, writes, "cut_after")
    found = survey(world, key)
    assert found["jira"].pop("comments") == 2 * expected["jira"]["comments"]
    comments = {"comments": expected["jira"]["comments"]}
    assert found | {"jira": found["jira"] | comments} == expected


def fail_every_write_once(world: CrashWorld, key: str, writes: list[Route], fault: str) -> int:
    """Lead a ticket along writes that each fail at first; return how many of them were struck."""
    for number, write in enumerate(writes):
        earlier = writes[:number].count(write)
        # What can be looked for is not written again; all else is seen twice by the rules.
        tries = 1 if fault == "cut_after" else 2
        nth = 1 + tries * earlier
        world.sandbox.break_writes(fault, nth=nth, retry_after=0, **rule_for(write, key))
    world.settle_here(Clock(), key)
    struck = sum(rule["fired"] for rule in world.sandbox.rules())
    world.sandbox.clear()
    return struck

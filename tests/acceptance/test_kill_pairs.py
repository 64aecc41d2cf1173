"""Two workers begin at the same moment over the same tickets: nothing is done twice."""

import pytest

from tests.acceptance.crash_form import LONG
from tests.acceptance.crash_survey import strays, survey
from tests.acceptance.crash_world import Tick, crash_world
from tests.acceptance.crash_writes import undisturbed

pytestmark = pytest.mark.xdist_group("kills")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with crash_world(tmp_path_factory.mktemp("pairs")) as world:
        yield world


@pytest.mark.parametrize("time", range(30 if LONG else 1))
def test_two_workers_at_once(world, time):
    kinds = ("whole", "refused", "failed", "whole", "refused")
    before = len(world.sandbox.writes())
    keys = [world.file_ticket(kind) for kind in kinds]
    passes = 0
    while not world.is_settled(*keys):
        passes += 1
        assert passes <= 6, world.tell_log()
        for tick in [Tick(world), Tick(world)]:
            tick.finish()
        world.review()

    for key, kind in zip(keys, kinds, strict=True):
        assert survey(world, key) == undisturbed()[kind].survey
    assert len(world.sandbox.writes()) - before == sum(
        len(undisturbed()[kind].writes) for kind in kinds
    )
    assert strays(world) == []

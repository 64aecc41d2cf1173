"""`wardbook tick` is killed at every write of a ticket's way, before and after its effect.

One ticket of each kind is led along its whole way through all of these deaths; in the short form
the shorter ways alone, and mostly those after a write, where more was done than the platform knows.
Each of them is tried on a ticket of its own as well: all in the long form, else a few.
"""

from collections import Counter
from typing import Any

import pytest

from tests.acceptance.crash_form import LONG, chosen
from tests.acceptance.crash_survey import strays, survey
from tests.acceptance.crash_world import CrashWorld, Tick, crash_world, wait_for
from tests.acceptance.crash_writes import Route, route_of, rule_for, undisturbed

pytestmark = pytest.mark.xdist_group("kills")  # what nothing disturbs is made once
WRITES = {"whole": 15, "failed": 9, "refused": 2}
OUTCOMES = {"hold_before": "drop", "hold_after": "go"}
ALONE = [
    (kind, number, side)
    for kind, count in WRITES.items()
    for number in range(count)
    for side in OUTCOMES
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with crash_world(tmp_path_factory.mktemp("crash")) as world:
        yield world


@pytest.mark.parametrize("kind", WRITES if LONG else ["failed", "refused"])
def test_killed_before_and_after_every_write(world, kind, record_property):
    expected, writes = undisturbed()[kind].survey, undisturbed()[kind].writes
    assert len(writes) == WRITES[kind]
    key = world.file_ticket(kind)
    sides = [*OUTCOMES] if LONG or kind == "refused" else ["hold_after"]
    died = die_at_every_write(world, key, sides, most=len(sides) * len(writes))
    record_property("deaths", len(died))
    tell_deaths(kind, died)

    for side in sides:
        assert [route for at, route in died if at == side] == writes
    assert world.settle(key) <= 2
    assert survey(world, key) == expected
    assert strays(world) == []


@pytest.mark.parametrize(("kind", "number", "side"), chosen(ALONE, 1))
def test_killed_once(world, kind, number, side):
    expected, writes = undisturbed()[kind].survey, undisturbed()[kind].writes
    key = world.file_ticket(kind)
    kill_at_write(world, key, side, writes, number)

    assert world.settle(key) <= 2
    assert survey(world, key) == expected


def kill_at_write(world: CrashWorld, key: str, side: str, writes: list[Route], at: int) -> None:
    """Lead a ticket undisturbed up to the write at this place of `writes`; kill the tick there."""
    nth = writes[: at + 1].count(writes[at])
    world.sandbox.break_writes(side, nth=nth, **rule_for(writes[at], key))
    for _ in range(3):
        tick = Tick(world)
        held = wait_for_held(world, tick)
        if held:
            tick.kill()
            world.sandbox.release(held[0], OUTCOMES[side])
            return
        tick.finish()
        world.review()
    raise AssertionError(f"{writes[at]} was never tried")


def die_at_every_write(
    world: CrashWorld, key: str, sides: list[str], most: int
) -> list[tuple[str, Route]]:
    """Kill a tick at each of these sides of its next write, and so on to the end."""
    died: list[tuple[str, Route]] = []
    while not world.is_settled(key):
        for side in sides:
            route = kill_at_next_write(world, side)
            if route is None:
                break
            died.append((side, route))
            assert len(died) <= most, f"the same is written again and again: {died}"
        else:
            continue
        world.review()
    return died


def kill_at_next_write(world: CrashWorld, side: str) -> Route | None:
    """Kill a tick at its next write; return that write, or None when it ended without one."""
    world.sandbox.break_writes(side)
    tick = Tick(world)
    held = next(iter(wait_for_held(world, tick)), None)
    tick.kill()
    if held:
        world.sandbox.release(held, OUTCOMES[side])
    world.sandbox.clear()
    return route_of(held) if held else None


def wait_for_held(world: CrashWorld, tick: Tick) -> list[dict[str, Any]]:
    """Return the writes that are held, or none when the tick ended without."""
    wait_for(lambda: tick.is_over() or world.sandbox.held(), "a write or the end of the tick")
    return world.sandbox.held()


def tell_deaths(kind: str, died: list[tuple[str, Route]]) -> None:
    print(f"\n{kind}: killed {len(died)} times")
    for (side, route), times in Counter(died).items():
        print(f"{times:4}  {side:<12} {' '.join(route)}")

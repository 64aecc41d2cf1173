"""`wardbook tick` is killed amid its own work: running, rendering, publishing, sealing."""

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.crash_form import LONG, SEED
from tests.acceptance.crash_survey import strays, survey
from tests.acceptance.crash_world import CrashWorld, Tick, crash_world, processes_of, wait_for
from tests.acceptance.crash_writes import undisturbed
from wardbook.pages.address import slug_of

pytestmark = pytest.mark.xdist_group("kills")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with crash_world(tmp_path_factory.mktemp("work")) as world:
        yield world


def test_killed_during_the_notebook(world):
    world.gate.touch()
    key = world.file_ticket("slow")
    world.settle(key)
    expected = survey(world, key)
    world.gate.unlink()
    bystanders = processes_of(world.folder)

    key = world.file_ticket("slow")
    times = 2 if LONG else 1
    for deaths in range(1, times + 1):
        started = world.starts.read_text().count("\n")
        tick = Tick(world)
        wait_for(lambda n=started: world.starts.read_text().count("\n") > n, "the notebook's start")
        assert any("engines.server" in command for command in processes_of(world.folder).values())
        tick.kill()
        # The process of the notebook and gpg's agent all go with the tick.
        wait_for(lambda: processes_of(world.folder).keys() <= bystanders.keys(), "the last process")
        assert world.starts.read_text().count("\n") == 1 + deaths
    world.gate.touch()

    assert world.settle(key) <= 3
    assert world.starts.read_text().count("\n") == 1 + times + 1
    assert survey(world, key) == expected
    assert strays(world) == []


def test_killed_while_delivering(world):
    chance, died = random.Random(SEED), []

    key = world.file_ticket("whole")
    Tick(world).finish()
    world.review()
    way = stages(world, key)
    for number, stage in list(enumerate(way))[:: 1 if LONG else 3]:
        for delay in delays(chance):
            alive = kill_when_reached(world, [*way.values()][number:], delay)
            died += [(stage, round(delay, 3))] if alive else []
    print(f"\nseed {SEED}; killed while delivering: {died}")

    assert died
    assert world.settle(key) <= 2
    assert survey(world, key) == undisturbed()["whole"].survey
    assert strays(world) == []


def stages(world: CrashWorld, key: str) -> dict[str, tuple[Path, str]]:
    """Return the stages of a delivery, in their order: the files by which each is seen."""
    report = world.folder / "public" / "reports" / slug_of(key)
    share = world.folder / "share" / slug_of(key)
    staging = world.folder / "state" / "staging"
    return {
        "staging": (staging, "*"),
        "rendered": (staging, "*/*/index.html"),
        "signed": (staging, "*/*/receipt.json"),
        "publishing": (report, ".*"),
        "published": (report, "[!.]*"),
        "sealing": (share, "*/.*.gpg*"),
        "sealed": (share, "*/*.gpg"),
        "receipt signed": (share, "*/*.receipt.json.asc"),
        "receipt given": (share, "*/*.receipt.json"),
    }


def delays(chance: random.Random) -> list[float]:
    return [0.0, *(chance.uniform(0, 0.05) for _ in range(20 if LONG else 0))]


def kill_when_reached(world: CrashWorld, way: list[tuple[Path, str]], delay: float) -> bool:
    """Kill a tick `delay` seconds after the first of these stages is seen anew, or a later one."""
    there = found(way)
    tick = Tick(world)
    while not tick.is_over() and found(way) <= there:
        time.sleep(0.002)
    time.sleep(delay)
    alive = not tick.is_over()
    tick.kill()
    return alive


def found(way: list[tuple[Path, str]]) -> set[tuple[Path, int]]:
    """Return the files that stand now, each with its inode: a file made again is another."""
    files = set()
    for folder, pattern in way:
        with suppress(FileNotFoundError):  # a folder went away while it was looked through
            files |= {(file, file.stat().st_ino) for file in folder.glob(pattern)}
    return files

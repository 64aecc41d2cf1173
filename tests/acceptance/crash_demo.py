"""The whole demonstration, trackers included, is killed at moments that chance chooses.

In `make crash` alone: it takes minutes, and test_kill_*.py try the same deaths one by one.
"""

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.demo.tickets import demo_tickets
from tests.acceptance.crash_form import SEED
from tests.acceptance.crash_survey import strays, survey
from tests.acceptance.crash_world import (
    PATIENCE,
    CrashWorld,
    processes_of,
    start_wardbook,
    wait_for,
)
from wardbook.epidemic.generate import generate_files

DEATHS = int(os.environ.get("WARDBOOK_CRASH_DEATHS", "60"))
LONGEST = 9.0
"""Seconds within which it is killed; on two idle cores it then nears its end."""


def test_the_demonstration_survives_its_deaths(tmp_path):
    make_small_data(tmp_path / "data-of-hospitals")
    chance, died = random.Random(SEED), 0
    for _ in range(DEATHS):
        moment = chance.uniform(0, LONGEST)
        with demonstration(tmp_path) as process:
            try:
                process.wait(timeout=moment)
            except subprocess.TimeoutExpired:
                died += 1
                print(f"killed after {moment:.2f} s")
    print(f"seed {SEED}: killed {died} times")
    play_to_the_end(tmp_path)  # what was begun
    play_to_the_end(tmp_path)  # a round in peace
    wait_for(lambda: not processes_of(tmp_path), "the end of the last process")

    world = CrashWorld(tmp_path)
    try:
        rounds = int((tmp_path / "rounds").read_text())
        tickets = [ticket.label for ticket in demo_tickets()]
        assert world.jira("search?maxResults=0")["total"] == rounds * len(tickets)
        for label in tickets:
            in_peace = survey(world, find_ticket(world, rounds, label))
            for number in range(1, rounds):
                assert survey(world, find_ticket(world, number, label)) == in_peace
        assert strays(world) == []
    finally:
        world.close()


@contextmanager
def demonstration(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the demonstration; kill it at the end of the block."""
    with (folder / "log").open("ab") as log:
        data = str(folder / "data-of-hospitals")
        process = start_wardbook("demo", "--dir", str(folder), "--data", data, "--no-stay", log=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def make_small_data(folder: Path) -> None:
    """Six weeks of SpF's files: what is killed is the demonstration, not the arithmetic."""
    folder.mkdir()
    stock, flow = generate_files(folder, seed=11, days=40)
    stock.rename(folder / "hosp_donnees-hospitalieres-covid19.csv")
    flow.rename(folder / "hosp_nouveaux.csv")


def play_to_the_end(folder: Path) -> None:
    with demonstration(folder) as process:
        assert process.wait(timeout=PATIENCE) == 0, (folder / "log").read_text()[-4000:]


def find_ticket(world: CrashWorld, number: int, label: str) -> str:
    found = world.jira(f'search?jql=labels = "demo-{number}-{label}"')["issues"]
    assert len(found) == 1
    return str(found[0]["key"])

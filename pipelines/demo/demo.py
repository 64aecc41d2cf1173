"""The demonstration, from filing the tickets to the table of deliverables.

May be killed anywhere and started again: a round that was not finished is gone on with, and the
tickets are filed once. A finished round is followed by another, with seven new tickets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.demo.narrator import Narrator, News
from pipelines.demo.reviewer import Reviewer
from pipelines.demo.tickets import file_tickets
from pipelines.demo.world import World
from pipelines.house import House
from pipelines.journey import Journey, journey_of
from pipelines.site import finish_site
from pipelines.story import advance_all, runs_under_way, tick
from wardbook.files import write_atomically
from wardbook.ledger.ledger import settled
from wardbook.pages.serve import SiteServer, serve_site
from wardbook.sandbox import Sandbox
from wardbook.settings import load_settings

LONGEST_STILL_SECONDS = 20
"""The demonstration gives up when nothing has moved for this long."""


@dataclass(frozen=True)
class Shown:
    """What the demonstration came to."""

    journeys: tuple[Journey, ...]
    finished: bool
    site: str
    jira: str
    gitlab: str


@contextmanager
def opened_world(
    folder: Path, given_data: Path | None
) -> Iterator[tuple[World, Sandbox, SiteServer]]:
    """Start the sandbox and the site of the demonstration, set up as a unit would be."""
    world = World(folder)
    folder.mkdir(parents=True, exist_ok=True)
    public = folder / "public"
    public.mkdir(exist_ok=True)
    data, keys = world.make_data(given_data), world.make_keys()
    with Sandbox(folder / "sandbox") as sandbox, serve_site(public, _last_port(folder)) as site:
        write_atomically(folder / "site-port", str(urlsplit(site.url).port))
        sandbox.seed(world.seed())
        world.publish_key(sandbox, keys[1])
        world.write_settings(sandbox, site.url, data, keys)
        yield world, sandbox, site


def _last_port(folder: Path) -> int:
    note = folder / "site-port"
    return int(note.read_text()) if note.exists() else 0


def show_demo(
    world: World,
    sandbox: Sandbox,
    site: SiteServer,
    tell: Callable[[News], None],
) -> Shown:
    """Play one round: file the tickets, and tick until all of them are settled.

    Args:
        world: the folder.
        sandbox: running and seeded.
        site: serving the folder's public side.
        tell: called with each event of a request, as it happens.
    """
    number = _round_number(world)
    with House(load_settings(world.settings, {})) as house:
        finish_site(house)
        keys = file_tickets(sandbox, world, number)
        reviewer = Reviewer(sandbox, world)
        still_since = time.monotonic()
        with Narrator(house, keys, tell):
            while not (finished := _all_settled(house, keys)):
                if _play(house, reviewer):
                    still_since = time.monotonic()
                elif time.monotonic() - still_since > LONGEST_STILL_SECONDS:
                    break
        finish_site(house)
        if finished:
            write_atomically(world.folder / "rounds", str(number))
        records = [record for key in keys if (record := house.ledger.record(key))]
        journeys = tuple(journey_of(house, record) for record in records)
    return Shown(journeys, finished, site.url, sandbox.jira_url, sandbox.gitlab_url)


def _play(house: House, reviewer: Reviewer) -> bool:
    """Make one pass and let the reviewer look; returns whether anything is going on."""
    outcome = tick(house)
    reviewer.look_through(house)
    if runs_under_way(house):
        house.executor.wait(timeout=1.0)
        advance_all(house, outcome)
        return True
    time.sleep(0.1)  # an effect that failed waits before its next try
    return bool(outcome.moved)


def _round_number(world: World) -> int:
    note = world.folder / "rounds"
    return int(note.read_text()) + 1 if note.exists() else 1


def _all_settled(house: House, keys: list[str]) -> bool:
    for key in keys:
        record = house.ledger.record(key)
        if record is None or not settled(record) or house.ledger.open_intents(key):
            return False
    return True

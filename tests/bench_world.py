"""An analyst's bench in the demonstration's hospital: requests that are prepared, not yet run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from jira import JIRA

from pipelines.bench.desk import Desk
from pipelines.decide import Step
from pipelines.demo.demo import opened_world
from pipelines.demo.tickets import DemoTicket, demo_tickets, fields_of
from pipelines.demo.world import ANALYST, World
from pipelines.house import House
from pipelines.story import ALL_STEPS, advance, read_both
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.messages import Language
from wardbook.sandbox import Sandbox
from wardbook.settings import load_settings


@dataclass(frozen=True)
class BenchWorld:
    """The hospital, its trackers, and an analyst who is no platform account."""

    world: World
    sandbox: Sandbox

    def open_house(self) -> House:
        """Open the platform's own house, as `wardbook tick` does."""
        return House(load_settings(self.world.settings, {}))

    def environment(self) -> dict[str, str]:
        """Return the environment of the analyst's commands: their own token, their own settings."""
        return {
            **os.environ,
            "WARDBOOK_GITLAB_TOKEN": self.world.token(ANALYST),
            "WARDBOOK_SETTINGS": str(self.world.settings.resolve()),
        }

    def desk(self, folder: Path, language: Language = "en") -> Desk:
        """Return the analyst's desk in a folder of the test's own."""
        token = {"WARDBOOK_GITLAB_TOKEN": self.world.token(ANALYST)}
        settings = load_settings(self.world.settings, token)
        bench = settings.bench.model_copy(update={"folder": folder})
        return Desk(settings.model_copy(update={"bench": bench}), language)

    def prepare(self, label: str) -> str:
        """File the demonstration's ticket of this label, have it prepared, and return its key."""
        ticket = next(one for one in demo_tickets() if one.label == label)
        key = self.file(ticket)
        with self.open_house() as house:
            read_both(house)
            for record in advance(house, key, ALL_STEPS - {Step.START}):
                if record.state is State.PREPARED:
                    continue
            settled = house.ledger.record(key)
            assert settled is not None and settled.state is State.PREPARED, settled
            list(advance(house, key, ALL_STEPS - {Step.START}))
        return key

    def lead(self, key: str, state: State) -> Record:
        """Lead a request as `wardbook tick` would, and no other, until it is in this state."""
        with self.open_house() as house:
            for _ in range(100):
                read_both(house)
                list(advance(house, key))
                record = house.ledger.record(key)
                assert record is not None
                if record.state is state and not house.ledger.open_intents(key):
                    return record
                house.executor.flush()
                house.executor.wait(timeout=1.0)
        raise AssertionError(f"{record.state} instead of {state}: {record.work}")

    def file(self, ticket: DemoTicket) -> str:
        """File a ticket as its requester would; returns its key."""
        client = JIRA(
            server=self.sandbox.jira_url,
            token_auth=self.world.token(ticket.reporter),
            max_retries=0,
            timeout=(5, 30),
        )
        return str(client.create_issue(fields=fields_of(ticket, f"bench-{ticket.label}")).key)


@contextmanager
def open_bench_world(folder: Path) -> Iterator[BenchWorld]:
    """Open the hospital below `folder`; its servers end with the context."""
    with opened_world(folder, None) as (world, sandbox, _):
        yield BenchWorld(world, sandbox)


@pytest.fixture(scope="session")
def bench_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BenchWorld]:
    """One hospital for all tests of the bench: mark them with `xdist_group("bench")`."""
    with open_bench_world(tmp_path_factory.mktemp("bench")) as opened:
        yield opened

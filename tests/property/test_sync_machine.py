"""Whatever people, servers and deaths do, in any order: both sides come to agree, with nothing
twice and nothing missing."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.acceptance.crash_form import LONG
from tests.sync_acts import Acts
from tests.sync_schedules import ANSWERS, METHODS, PASSES, play
from tests.sync_survey import survey
from tests.sync_workers import WORKERS, Crew, Stroke, Strokes
from tests.sync_world import LONGEST_PAUSE, SyncWorld, sync_world
from wardbook.domain.record import Outcome
from wardbook.sandbox import Fault

EXAMPLES = int(os.environ.get("WARDBOOK_CRASH_EXAMPLES", "500" if LONG else "5"))
SERVERS = st.sampled_from(["jira", "gitlab"])
SKEW = st.sampled_from([0.0, -90.0, 90.0])
pytestmark = pytest.mark.xdist_group("sync_machine")
worlds: list[SyncWorld] = []


@pytest.fixture(scope="module", autouse=True)
def world():
    """One world for all examples: each begins by bringing it back to its beginning."""
    folder = Path(tempfile.mkdtemp(prefix="sync-machine-"))
    with sync_world(folder / "world") as world:
        worlds.append(world)
        yield world
        worlds.clear()
    shutil.rmtree(folder)


class BothSides(RuleBasedStateMachine):
    """People work, workers look, and now and then something breaks."""

    @initialize(jira=SKEW, gitlab=SKEW, threads=st.sampled_from([1, 2]))
    def begin(self, jira: float, gitlab: float, threads: int) -> None:
        (self.world,) = worlds
        self.world.reset()
        self.world.clock.start(jira, gitlab)
        self.world.clock.advance(900)
        self.chance = Random(0)
        self.acts = Acts(self.world, self.chance)
        fired: Counter[str] = Counter()
        self.crew = Crew(self.world, Strokes([], fired), threads, fired)
        self.has_history = True
        self.acts.file()

    @rule(act=st.sampled_from(sorted(Acts.NAMES)), pick=st.integers(0, 999))
    def people(self, act: str, pick: int) -> None:
        self.chance.seed(pick)
        self.acts.all[act]()

    @rule(
        workers=st.lists(st.integers(0, WORKERS - 1), min_size=1, max_size=WORKERS, unique=True),
        seconds=st.sampled_from([1, 5, 70]),
    )
    def make_pass(self, workers: list[int], seconds: int) -> None:
        self.crew.make_pass(workers)
        self.world.clock.advance(seconds)

    @rule(
        server=SERVERS,
        answer=st.sampled_from(sorted({*ANSWERS, "latency"})),
        method=st.sampled_from(["POST|PUT|DELETE", "GET"]),
        nth=st.integers(1, 6),
    )
    def break_server(self, server: str, answer: str, method: str, nth: int) -> None:
        fault = Fault(server, answer, method, nth=nth, retry_after=0, latency_ms=5)
        self.crew.faults.append(fault)

    @rule(server=SERVERS)
    def send_away(self, server: str) -> None:
        self.crew.faults.append(Fault(server, "cut_before"))

    @rule(
        method=st.sampled_from(sorted(set(METHODS))),
        nth=st.integers(1, 6),
        effect=st.sampled_from(["before", "after", "full"]),
    )
    def strike(self, method: str, nth: int, effect: str) -> None:
        self.crew.strokes.add(Stroke(method, nth, effect))

    @rule()
    def freeze_index(self) -> None:
        self.crew.frozen_at = None if self.crew.frozen_at else time.time()

    @rule()
    def lose_ledger(self) -> None:
        self.crew.close()
        self.world.lose_ledger()
        self.has_history = False

    def teardown(self) -> None:
        if not hasattr(self, "crew"):
            return
        try:
            self.settle()
        finally:
            self.crew.close()
            self.acts.hands.close()

    def settle(self) -> None:
        """In peace: both sides agree after three passes, and the next one writes nothing."""
        self.crew.calm()
        self.world.clock.advance(LONGEST_PAUSE)
        for _ in range(PASSES):
            self.crew.make_pass([0])
            self.world.clock.advance(70)
        before = self.world.writes()
        self.crew.make_pass([0])
        found = survey(self.world, self.acts.hands.kept, ledger=self.has_history)
        assert [str(one) for one in found] == []
        assert self.world.writes() == before
        assert self.crew.errors == []


TestBothSides = BothSides.TestCase
TestBothSides.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=14,
    deadline=None,
    derandomize=not LONG,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("number", range(1, 9 if LONG else 5))
def test_a_seeded_schedule(number, world):
    told = play(world, 2026, number)
    assert told.found == []
    assert told.passes <= PASSES


def test_a_schedule_is_played_again_by_its_seed(world):
    one, other, third = play(world, 2026, 1), play(world, 2026, 1), play(world, 2026, 2)
    assert one.story == other.story != third.story


def test_attempts_that_are_not_written_down_are_caught(world, monkeypatch):
    monkeypatch.setattr("wardbook.ledger.Ledger.begin_effects", lambda *_: None)
    trials = (play(world, 2026, number).found for number in range(1, 60))
    assert any(text.startswith("duplicate") for found in trials for text in found)


def test_copies_that_are_lost_are_caught(world, monkeypatch):
    monkeypatch.setattr("requests_sync.copies.GitLabComment.do", lambda *_: Outcome())
    found = [text for number in range(1, 6) for text in play(world, 2026, number).found]
    assert any(text.startswith("loss") for text in found)

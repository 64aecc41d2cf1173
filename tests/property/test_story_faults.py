"""Whatever servers and deaths do, in any order: no effect is lost and none is made twice.

Runs are replayed from one that was really executed: they are not what is tried here.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gitlab
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.house import House
from pipelines.story import tick_until_quiet
from tests.acceptance.crash_form import LONG
from tests.acceptance.crash_survey import strays, survey
from tests.acceptance.crash_world import Clock, CrashWorld, crash_world
from tests.acceptance.crash_writes import undisturbed
from wardbook.domain.record import Outcome
from wardbook.domain.run import RunResult, RunSpec
from wardbook.engines.claim import claim
from wardbook.engines.warm_engine import WarmEngine
from wardbook.files import write_atomically
from wardbook.ledger import Ledger

KINDS = ("whole", "failed", "refused")
EXAMPLES = int(os.environ.get("WARDBOOK_CRASH_EXAMPLES", "400" if LONG else "3"))
PASSES_UNDER_FAULTS = 4
LONGEST_PAUSE = 120
"""Seconds: more than the pause after as many failures as those passes can have."""


class Died(BaseException):
    """The process ends here: nothing of ours may catch it."""


@dataclass(frozen=True)
class Fault:
    """The nth read or write of one server, of any ticket, goes wrong."""

    server: str
    effect: str
    method: str
    nth: int


@dataclass(frozen=True)
class Death:
    """The worker dies at the nth call of a method of the ledger, before or after its effect."""

    method: str
    nth: int
    after: bool


FAULTS = st.builds(
    Fault,
    st.sampled_from(["jira", "gitlab"]),
    st.sampled_from(["cut_after", "cut_before", "500", "503", "429"]),
    st.sampled_from(["POST|PUT", "POST|PUT", "GET"]),
    st.integers(1, 12),
)
DEATHS = st.builds(
    Death,
    st.sampled_from(
        ["move", "begin_effects", "confirm_effects", "postpone_effect", "take_tickets"]
    ),
    st.integers(1, 12),
    st.booleans(),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with crash_world(tmp_path_factory.mktemp("faults")) as world:
        yield world


@pytest.fixture(scope="module")
def expected():
    """What comes of each kind in peace; from then on its run is replayed."""
    peace = undisturbed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WarmEngine, "execute", lambda _, folder: replay(folder))
        yield {kind: peace[kind].survey for kind in KINDS}


def replay(folder: Path) -> None:
    """Put into a run's folder what the undisturbed run of its template left in its own."""
    spec = RunSpec.read(folder)
    kept = undisturbed()["whole" if spec.template == "tiny" else "failed"].run
    with claim(folder):
        if RunResult.read(folder) is None:
            for name in kept:
                if name.startswith("outputs/") or name == "executed.ipynb":
                    (folder / name).parent.mkdir(exist_ok=True)
                    (folder / name).write_bytes(kept[name])
            result = json.loads(kept["result.json"]) | {"key": spec.key}
            write_atomically(folder / "result.json", json.dumps(result))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LONG,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=2),
    faults=st.lists(FAULTS, max_size=4, unique=True),
    deaths=st.lists(DEATHS, max_size=2, unique=True),
)
def test_nothing_lost_nothing_twice(world, expected, kinds, faults, deaths):
    keys = [world.file_ticket(kind) for kind in kinds]
    clock = Clock()
    endure(world, clock, keys, faults, deaths)

    clock.advance(LONGEST_PAUSE)
    world.settle_here(clock, *keys, passes=3)
    for key, kind in zip(keys, kinds, strict=True):
        assert survey(world, key) == expected[kind]
    assert strays(world) == []


def endure(
    world: CrashWorld,
    clock: Clock,
    keys: Sequence[str],
    faults: Sequence[Fault],
    deaths: Sequence[Death],
) -> None:
    """Make passes under these faults; a worker that dies is followed by another."""
    for fault in faults:
        world.sandbox.break_writes(
            fault.effect, server=fault.server, method=fault.method, nth=fault.nth, retry_after=0
        )
    with dying(deaths):
        for _ in range(PASSES_UNDER_FAULTS):
            with suppress(Died), House(world.settings, now=clock) as house:
                tick_until_quiet(house)
            with suppress(gitlab.GitlabError, requests.RequestException):
                world.review()  # a person who meets a broken server comes back later
            clock.advance(3)
            if world.is_settled(*keys):
                break
    world.sandbox.clear()


@contextmanager
def dying(deaths: Sequence[Death]) -> Iterator[None]:
    calls: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        for name in {death.method for death in deaths}:
            patch.setattr(Ledger, name, mortal(name, deaths, calls))
        yield


def mortal(name: str, deaths: Sequence[Death], calls: Counter[str]) -> Any:
    method = getattr(Ledger, name)

    def call(*given: Any, **named: Any) -> Any:
        calls[name] += 1
        now = {death.after for death in deaths if (death.method, death.nth) == (name, calls[name])}
        if False in now:
            raise Died
        outcome = method(*given, **named)
        if True in now:
            raise Died
        return outcome

    return call


def test_a_platform_that_never_looks_is_caught(world, expected, monkeypatch):
    """The same trial must fail where an attempt that may have gone through is not looked for."""
    monkeypatch.setattr(Ledger, "begin_effects", lambda *_: None)
    key = world.file_ticket("refused")
    clock = Clock()
    endure(world, clock, [key], [], [Death("confirm_effects", 1, after=False)])
    clock.advance(LONGEST_PAUSE)
    world.settle_here(clock, key, passes=3)
    comments = expected["refused"]["jira"]["comments"]
    assert survey(world, key)["jira"]["comments"] == 2 * comments


def test_an_effect_that_is_lost_is_caught(world, expected, monkeypatch):
    key = world.file_ticket("refused")
    clock = Clock()
    monkeypatch.setattr("requests_sync.effects.JiraComment.do", lambda *_: Outcome())
    world.settle_here(clock, key, passes=3)
    assert survey(world, key)["jira"]["comments"] == []

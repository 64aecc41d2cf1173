"""Four workers over one ledger, which may die, find the disk full, or meet failing servers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, event

from pipelines.house import House
from pipelines.story import sync
from tests.sync_world import SyncWorld
from wardbook.ledger import Ledger
from wardbook.sandbox import Fault

WORKERS = 4


class Died(BaseException):
    """The process ends here: nothing of ours may catch it."""


@dataclass(frozen=True)
class Stroke:
    """Something happens at the nth call of a method of one worker's ledger, in one of its threads.

    `before` and `after`: the worker dies before or after what the method writes. `full`: the disk
    has no room for it, nor for anything else of this worker's in that pass.
    """

    worker: int
    method: str
    nth: int
    effect: str


class MortalLedger:
    """A worker's ledger as it is, but for the strokes that are meant for this worker."""

    def __init__(self, ledger: Ledger, strokes: Sequence[Stroke], fired: Counter[str]) -> None:
        self._ledger = ledger
        self._strokes = strokes
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._fired = fired
        self.is_dead = False
        self.is_full = False
        event.listen(ledger._engine, "begin", self._fill)

    def _fill(self, connection: Connection) -> None:
        """Leave no page: what then is written meets SQLite's own SQLITE_FULL."""
        if self.is_full and not connection.get_execution_options().get("reading"):
            connection.exec_driver_sql("pragma max_page_count = 1")  # never below what there is
            connection.exec_driver_sql(
                "insert into marks (name, value) values ('full', zeroblob(1000000))"
            )

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)
        if not callable(method):
            return method

        def call(*given: Any, **named: Any) -> Any:
            effect = self._struck(name)
            if effect == "before":
                self._die()
            if effect == "full":
                self.is_full = True
            outcome = method(*given, **named)
            if effect == "after":
                self._die()
            return outcome

        return call

    def _struck(self, name: str) -> str | None:
        with self._lock:
            if self.is_dead:
                raise Died
            self._calls[name] += 1
            for stroke in self._strokes:
                if (stroke.method, stroke.nth) == (name, self._calls[name]):
                    self._fired[stroke.effect] += 1
                    return stroke.effect
        return None

    def _die(self) -> None:
        self.is_dead = True
        raise Died


@dataclass
class Crew:
    """The workers; one that died is followed by another."""

    world: SyncWorld
    strokes: Sequence[Stroke] = ()
    threads: int = 2
    fired: Counter[str] = field(default_factory=Counter)
    frozen_at: float | None = None
    faults: list[Fault] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _houses: dict[int, House] = field(default_factory=dict)

    def make_pass(self, workers: Sequence[int]) -> None:
        """Let these workers look at everything once, all at the same time."""
        self._arm()
        if len(workers) == 1:
            self._sync(workers[0])
        else:
            threads = [threading.Thread(target=self._sync, args=(one,)) for one in workers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self._disarm()

    def calm(self) -> None:
        """End everything that is wrong; workers that are alive go on."""
        self.faults, self.strokes, self.frozen_at = [], (), None
        self.world.sandbox.index_lag_seconds = 0.0
        for house in self._houses.values():
            house.__dict__["ledger"]._strokes = ()

    def close(self) -> None:
        for number in list(self._houses):
            self.bury(number)

    def bury(self, number: int) -> None:
        house = self._houses.pop(number, None)
        if house is not None:
            house.__dict__.pop("ledger")._ledger.close()
            house.__exit__()

    def _sync(self, number: int) -> None:
        house = self._houses.get(number) or self._hire(number)
        ledger = house.__dict__["ledger"]
        try:
            outcome = sync(house)
            self.errors += [text for text in outcome.faults.values() if "a defect" in text]
        except Died:
            pass
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")
        if ledger.is_dead:
            self.bury(number)
        ledger.is_full = False

    def _hire(self, number: int) -> House:
        house = self.world.house(self.threads)
        mine = [stroke for stroke in self.strokes if stroke.worker == number]
        self.strokes = [stroke for stroke in self.strokes if stroke.worker != number]
        house.__dict__["ledger"] = MortalLedger(house.ledger, mine, self.fired)
        self._houses[number] = house
        return house

    def _arm(self) -> None:
        """People work between the passes and meet no fault, so these begin with the pass."""
        if self.frozen_at is not None:
            self.world.sandbox.index_lag_seconds = time.time() - self.frozen_at
        for fault in self.faults:
            self.world.sandbox.faults.add(fault)

    def _disarm(self) -> None:
        left = []
        rules = self.world.sandbox.faults.rules()
        for fault, rule in zip(self.faults, rules, strict=True):
            self.fired[fault.effect] += rule["fired"]
            if fault.nth is None:
                continue  # of this pass only
            if not rule["fired"]:
                left.append(replace(fault, nth=fault.nth - rule["seen"]))
        self.faults = left
        self.world.sandbox.faults.clear()

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
    """Something happens to the worker that is the nth to call a method of its ledger.

    `before` and `after`: it dies before or after what the method writes. `full`: the disk has no
    room for it, nor for anything else of this worker's in that pass.
    """

    method: str
    nth: int
    effect: str


class Strokes:
    """The strokes that are still to come, counted over all workers."""

    def __init__(self, strokes: Sequence[Stroke], fired: Counter[str]) -> None:
        self.left = list(strokes)
        self._fired = fired
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def strike(self, method: str) -> str | None:
        """Count a call; return what happens at it."""
        with self._lock:
            self._calls[method] += 1
            for stroke in self.left:
                if (stroke.method, stroke.nth) == (method, self._calls[method]):
                    self._fired[stroke.effect] += 1
                    self.left.remove(stroke)
                    return stroke.effect
        return None


class MortalLedger:
    """A worker's ledger as it is, but for the strokes."""

    def __init__(self, ledger: Ledger, strokes: Strokes) -> None:
        self._ledger = ledger
        self._strokes = strokes
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
            if self.is_dead:
                raise Died
            effect = self._strokes.strike(name)
            if effect == "before":
                self._die()
            if effect == "full":
                self.is_full = True
            outcome = method(*given, **named)
            if effect == "after":
                self._die()
            return outcome

        return call

    def _die(self) -> None:
        self.is_dead = True
        raise Died


@dataclass
class Crew:
    """The workers; one that died is followed by another."""

    world: SyncWorld
    strokes: Strokes
    threads: int
    fired: Counter[str]
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
        self.faults, self.frozen_at = [], None
        self.strokes.left.clear()
        self.world.sandbox.index_lag_seconds = 0.0

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
        house.__dict__["ledger"] = MortalLedger(house.ledger, self.strokes)
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

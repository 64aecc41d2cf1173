"""Crash points: every kind of effect, struck before, after the effect, and after the record.

A pass in a process of its own meets one stroke: it is killed with SIGKILL, or the answer of a
server is lost, or the disk is full (SQLite's own SQLITE_FULL; for attachments the kernel's ENOSPC
as well). Then passes are made in peace: after at most three both sides must be what they are
without the stroke.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import requests
from sqlalchemy import Connection, event

from pipelines.demo.world import ANALYST
from pipelines.house import House
from pipelines.steps.prepare import open_merge_request
from pipelines.story import sync
from requests_sync.effects import Effect
from tests.sync_hands import Hands
from tests.sync_picture import differing, picture
from tests.sync_survey import survey
from tests.sync_world import LONGEST_PAUSE, SyncWorld
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.domain.states import State
from wardbook.settings import Settings

SIDES = ("before", "after", "recorded")
STROKES = ("kill", "lost answer", "disk full")
PASSES = 3


@dataclass(frozen=True)
class Point:
    """Where it strikes: at the first effect of this kind in a case, on which side, with what.

    `write` is which write of the effect loses its answer; an attachment has two.
    """

    case: str
    side: str
    stroke: str
    write: int = 1


# --- cases: what people do, and the kind of effect that it leads to -------------------------------


@dataclass(frozen=True)
class Case:
    """`before` is done and settled first; `then` leads to an effect of `kind`."""

    kind: str
    then: Callable[[Hands], object]
    before: tuple[Callable[[Hands], object], ...] = ()


def _file(hands: Hands) -> None:
    hands.file()


def _file_two(hands: Hands) -> None:
    hands.file()
    hands.file()


KEY, OTHER = "DATA-1", "DATA-2"
COMMENT, LINK = "10000", 10000
CASES: Mapping[str, Case] = {
    "issue": Case("gitlab.issue", _file),
    "branch": Case("gitlab.branch", _file),
    "remote link": Case("jira.link", _file),
    "transition": Case("jira.transition", _file),
    "refusal": Case("jira.comment", lambda hands: hands.file(good=False)),
    "merge request": Case("gitlab.merge_request", lambda _: None, (_file,)),
    "state": Case("gitlab.state", lambda hands: hands.close_ticket(KEY), (_file,)),
    "note of ours": Case("gitlab.note", lambda hands: hands.close_ticket(KEY), (_file,)),
    "closed by an analyst": Case("jira.transition", lambda h: h.set_issue(1, "close"), (_file,)),
    "notice of closing": Case("jira.comment", lambda h: h.set_issue(1, "close"), (_file,)),
    "fields": Case("gitlab.fields", lambda h: h.edit(KEY, {"summary": "Autrement"}), (_file,)),
    "assign": Case("gitlab.assign", lambda h: h.assign_ticket(KEY, ANALYST), (_file,)),
    "assign back": Case("jira.assign", lambda hands: hands.assign_issue(1, ANALYST), (_file,)),
    "comment": Case("gitlab.comment", lambda hands: hands.comment(KEY), (_file,)),
    "comment, edited": Case(
        "gitlab.comment",
        lambda hands: hands.edit_comment(KEY, COMMENT),
        (_file, lambda hands: hands.comment(KEY)),
    ),
    "comment, gone": Case(
        "gitlab.comment",
        lambda hands: hands.delete_comment(KEY, COMMENT),
        (_file, lambda hands: hands.comment(KEY)),
    ),
    "comment, hidden": Case(
        "gitlab.comment",
        lambda hands: hands.restrict_comment(KEY, COMMENT),
        (_file, lambda hands: hands.comment(KEY)),
    ),
    "attachment": Case("gitlab.attachment", lambda hands: hands.attach(KEY), (_file,)),
    "attachment, gone": Case(
        "gitlab.attachment",
        lambda hands: hands.detach(10000),
        (_file, lambda hands: hands.attach(KEY)),
    ),
    "link": Case("gitlab.link", lambda hands: hands.link(KEY, OTHER), (_file_two,)),
    "link, gone": Case(
        "gitlab.link",
        lambda hands: hands.unlink(LINK),
        (_file_two, lambda hands: hands.link(KEY, OTHER)),
    ),
    "note": Case("jira.note", lambda hands: hands.note(1), (_file,)),
    "note, edited": Case(
        "jira.note", lambda hands: hands.edit_note(1, hands.last), (_file, lambda h: h.note(1))
    ),
    "note, gone": Case(
        "jira.note", lambda hands: hands.delete_note(1, hands.last), (_file, lambda h: h.note(1))
    ),
}


def all_points() -> list[Point]:
    """Return every case on each side with each stroke, and what attachments have besides."""
    points = [Point(case, side, stroke) for case in CASES for side in SIDES for stroke in STROKES]
    points += [Point("attachment", side, "lost answer", write=2) for side in SIDES[:2]]
    return [*points, Point("attachment", "before", "temporary folder full")]


# --- the pass that is struck, in a process of its own ---------------------------------------------


class StruckHouse(House):
    """A house whose effects and ledger are as they are, but for one stroke."""

    def __init__(self, settings: Settings, ahead: float, point: Point) -> None:
        super().__init__(settings, now=lambda: datetime.now(UTC) + timedelta(seconds=ahead))
        self.point, self.kind = point, CASES[point.case].kind
        self.is_done = self.is_full = False
        self.__dict__["ledger"] = StruckLedger(self.ledger, self)

    def effects(self) -> Mapping[str, Effect]:
        real = super().effects()
        return {**real, self.kind: StruckEffect(real[self.kind], self)}

    def strike(self, side: str) -> None:
        """Let the stroke fall when this is its side; only once."""
        if self.is_done or side != self.point.side:
            return
        self.is_done = True
        match self.point.stroke:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "disk full":
                self.is_full = True
            case "temporary folder full":
                tempfile.TemporaryFile = open_full

    def lose_answer(self, side: str) -> None:
        """Cut the connection at the effect's write, or at the first call after its record."""
        if self.point.stroke != "lost answer" or self.is_done or side != self.point.side:
            return
        self.is_done = True
        server = self.kind.partition(".")[0]
        rule = {"method": "POST|PUT|DELETE", "nth": self.point.write}
        for name in (server,) if side != "recorded" else ("jira", "gitlab"):
            effect = "cut_before" if side == "before" else "cut_after"
            answer = requests.post(
                f"{self.settings.jira.url}/_sandbox/faults",
                json={"server": name, "effect": effect, **rule},
                timeout=30,
            )
            assert answer.status_code == 201


def open_full() -> Any:
    """Open a file that takes nothing: the kernel answers ENOSPC."""
    return Path("/dev/full").open("w+b")


class StruckEffect:
    """One kind of effect; the stroke falls before it or after it."""

    def __init__(self, real: Effect, house: StruckHouse) -> None:
        self._real, self._house = real, house

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        return self._real.find(intent, record)

    def do(self, intent: Intent, record: Record) -> Outcome:
        for side in ("before", "after"):
            self._house.lose_answer(side)
        if self._house.point.stroke != "disk full":
            self._house.strike("before")
        outcome = self._real.do(intent, record)
        if self._house.point.stroke != "disk full":
            self._house.strike("after")
        return outcome


class StruckLedger:
    """The ledger; a full disk has no room for the attempt, for the record, or for what follows."""

    def __init__(self, real: Any, house: StruckHouse) -> None:
        self._real, self._house = real, house
        event.listen(real._engine, "begin", self._fill)

    def _fill(self, connection: Connection) -> None:
        if self._house.is_full and not connection.get_execution_options().get("reading"):
            connection.exec_driver_sql("pragma max_page_count = 1")  # never below what there is
            connection.exec_driver_sql(
                "insert into marks (name, value) values ('full', zeroblob(1000000))"
            )

    def begin_effects(self, intents: Collection[Intent]) -> None:
        ours = any(intent.kind == self._house.kind for intent in intents)
        if ours and self._house.point.stroke == "disk full":
            self._house.strike("before")
        self._real.begin_effects(intents)

    def confirm_effects(
        self, key: str, done: Collection[tuple[Intent, Outcome]], now: datetime
    ) -> None:
        ours = any(intent.kind == self._house.kind for intent, _ in done)
        if ours and self._house.point.stroke == "disk full":
            self._house.strike("after")
        self._real.confirm_effects(key, done, now)
        if ours:
            self._house.lose_answer("recorded")
            self._house.strike("recorded")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def make_struck_pass(settings: Settings, ahead: float, point: Point) -> None:
    """What the process does; it ends with 3 when the stroke never fell."""
    logging.disable(logging.CRITICAL)
    with StruckHouse(settings, ahead, point) as house:
        sync(house)
        sys.exit(0 if house.is_done else 3)


# --- one point ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What came of one point; nothing in `wrong` when all is as without the stroke."""

    point: Point
    passes: int
    wrong: tuple[str, ...]


class Trial:
    """Plays cases in one world."""

    def __init__(self, world: SyncWorld) -> None:
        self.world = world
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.sync_points"])
        self._peace: dict[str, Mapping[str, Any]] = {}

    def judge(self, point: Point) -> Verdict:
        """Strike at a point, then make passes in peace."""
        if point.case not in self._peace:
            self.begin(point.case)
            _, wrong = self._settle()
            assert not wrong, f"{point.case} is wrong without any stroke: {wrong}"
            self._peace[point.case] = picture(self.world)
        self.begin(point.case)
        wrong = self._strike(point)
        passes, found = self._settle()
        wrong += found
        if not wrong and picture(self.world) != self._peace[point.case]:
            wrong.append(f"differs: {differing(self._peace[point.case], picture(self.world))}")
        return Verdict(point, passes, tuple(wrong))

    def begin(self, name: str) -> None:
        world, case = self.world, CASES[name]
        world.reset()
        world.clock.advance(900)
        hands = Hands(world, Random(name))
        for act in case.before:
            act(hands)
            for _ in range(2):
                self._sync()
                world.clock.advance(70)
        case.then(hands)
        if case.kind == "gitlab.merge_request":
            self._intend_merge_request()
        hands.close()

    def _intend_merge_request(self) -> None:
        """As a run that failed or is held does; runs are tried elsewhere."""
        with self.world.house(workers=1) as house:
            record = house.ledger.record(KEY)
            assert record is not None
            intents = list(open_merge_request(house, record, State.FAILED))
            house.ledger.intend(record, intents, house.now())

    def _sync(self) -> Mapping[str, str]:
        with self.world.house(workers=1) as house:
            return sync(house).faults

    def _strike(self, point: Point) -> list[str]:
        sync_settings = self.world.settings.sync.model_copy(update={"workers": 1})
        settings = self.world.settings.model_copy(update={"sync": sync_settings})
        ahead = (self.world.clock() - datetime.now(UTC)).total_seconds()
        process = self._context.Process(target=make_struck_pass, args=(settings, ahead, point))
        process.start()
        process.join()
        struck = any(rule["fired"] for rule in self.world.sandbox.faults.rules())
        self.world.sandbox.faults.clear()
        wanted = -signal.SIGKILL if point.stroke == "kill" else 0
        if process.exitcode != wanted:
            return [f"missed: the process ended with {process.exitcode}, not {wanted}"]
        if point.stroke == "lost answer" and point.side != "recorded" and not struck:
            return ["missed: no answer was lost"]
        return []

    def _settle(self) -> tuple[int, list[str]]:
        self.world.clock.advance(LONGEST_PAUSE)
        wrong: list[str] = []
        for number in range(1, PASSES + 2):
            before = len(self.world.writes())
            faults = self._sync()
            self.world.clock.advance(70)
            written = self.world.writes()[before:]
            wrong = [str(found) for found in survey(self.world)]
            wrong += [f"fault: {name}: {text}" for name, text in faults.items()]
            if not wrong and not written:
                return number - 1, []
        return PASSES + 1, wrong or ["still written after three passes"]


@cache
def own_trial() -> Trial:
    """The trial of this process."""
    logging.disable(logging.CRITICAL)
    return Trial(SyncWorld(Path(tempfile.mkdtemp(prefix="sync-")) / "world"))

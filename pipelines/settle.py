"""Settling: every intended effect comes to exist outside, exactly once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pipelines.house import House
from requests_sync.copies import COPIES
from requests_sync.effects import Effect
from requests_sync.places import may_exist
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.errors import WardbookError

log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(hours=1)
_BATCH = 50
MAIL = "mail.send"


class Lane(StrEnum):
    """What waits for each other: the request's own way, the copies of both sides, the mails."""

    WAY = "way"
    COPIES = "copies"
    MAIL = "mail"


@dataclass(frozen=True)
class Settled:
    """A request after its effects: whether any of its own way waits, and any copy."""

    record: Record
    way_waits: bool
    copies_wait: bool


def settle_effects(house: House, record: Record) -> Settled:
    """Make the request's open intents happen, in their order.

    All are written down as begun before the first is made, and confirmed together; whatever was
    begun and not confirmed, or may be older than the ledger, is looked for before it is made. One
    that failed waits, with those of its lane after it, and is tried again after a pause that
    doubles from two seconds up to an hour. Copies are a lane of their own, and so are mails: a
    server that does not take an attachment, or a letter, holds up no run.
    """
    intents = house.ledger.open_intents(record.key)
    if not intents:
        return Settled(record, way_waits=False, copies_wait=False)
    waiting: set[Lane] = set()
    effects = house.effects()  # one set for all: what they have read of our copies stays true
    for start in range(0, len(intents), _BATCH):
        _Settling(house, record, effects, intents[start : start + _BATCH], waiting).settle()
        record = house.ledger.record(record.key) or record
    return Settled(record, way_waits=Lane.WAY in waiting, copies_wait=Lane.COPIES in waiting)


def lane_of(intent: Intent) -> Lane:
    """Return the lane in which an effect waits."""
    if intent.kind == MAIL:
        return Lane.MAIL
    return Lane.COPIES if intent.kind in COPIES else Lane.WAY


class _Settling:
    """A few intents of one request, settled together; `waiting` are the lanes that wait."""

    def __init__(
        self,
        house: House,
        record: Record,
        effects: Mapping[str, Effect],
        intents: Sequence[Intent],
        waiting: set[Lane],
    ) -> None:
        self._house = house
        self._record = record
        self._effects = effects
        self._intents = intents
        self._waiting = waiting
        self._begun = False
        self._done: list[tuple[Intent, Outcome]] = []

    def settle(self) -> None:
        """Make each happen, unless its lane waits, and write down what came of it."""
        for intent in self._intents:
            lane = lane_of(intent)
            if lane is Lane.MAIL and Lane.WAY in self._waiting:
                continue  # it tells of what is there
            if intent.next_try and self._house.now() < datetime.fromisoformat(intent.next_try):
                self._waiting.add(lane)
            if lane in self._waiting:
                continue
            try:
                self._keep(intent, self._make(self._effects[intent.kind], intent))
            except WardbookError as error:
                self._waiting.add(lane)
                self._postpone(intent, error)
        self._confirm()

    def _make(self, effect: Effect, intent: Intent) -> Outcome:
        if intent.kind.startswith("jira.") and not self._record.ticket.updated:
            return Outcome(detail={"skipped": "the ticket is gone"})
        if may_exist(intent, self._record):
            found = effect.find(intent, self._record)
            if found is not None:
                return found
        if not self._begun:
            self._house.ledger.begin_effects(self._intents)
            self._begun = True
        return effect.do(intent, self._record)

    def _keep(self, intent: Intent, outcome: Outcome) -> None:
        """Let the effects that follow know what this one led to."""
        self._done.append((intent, outcome))
        record = self._record
        self._record = replace(
            record,
            links=replace(record.links, **outcome.links),
            view=replace(record.view, **outcome.view),
            agreed=replace(record.agreed, **outcome.agreed),
            ticket=replace(record.ticket, **outcome.ticket),
            known_before=record.known_before and not outcome.is_first,
        )

    def _postpone(self, intent: Intent, error: WardbookError) -> None:
        self._confirm()
        # Begun with the others is not yet failed: its pauses begin with the first.
        failures = intent.attempts if intent.error else 0
        pause = min(_FIRST_PAUSE * 2 ** min(failures, 20), _LONGEST_PAUSE)
        self._house.ledger.postpone_effect(intent, str(error), self._house.now() + pause)
        log.warning("%s: %s; next try in %s", intent.key, error, pause)
        if getattr(error, "status", None) == 404 and intent.kind.startswith("jira."):
            self._look_for_ticket()

    def _confirm(self) -> None:
        if self._done:
            self._house.ledger.confirm_effects(self._record.key, self._done, self._house.now())
            self._done = []

    def _look_for_ticket(self) -> None:
        """Jira knows nothing of it: maybe the ticket is gone, and the census not yet due."""
        ticket = self._record.ticket
        if ticket.updated and self._house.jira.issue(ticket.id) is None:
            self._house.ledger.lose_ticket(self._record.key)

"""Settling: every intended effect comes to exist outside, exactly once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from pipelines.house import House
from requests_sync.copies import COPIES, may_exist
from requests_sync.effects import Effect
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.errors import WardbookError

log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(hours=1)


def settle_effects(house: House, record: Record) -> bool:
    """Make the request's open intents happen, in their order.

    An effect that may exist already (an earlier attempt, or a ledger younger than the ticket) is
    looked for before it is made. One that failed waits, with those of its lane after it, and is
    tried again after a pause that doubles from two seconds up to an hour. Copies are a lane of
    their own: a server that does not take an attachment holds up no run. Returns False when one of
    the request's own way waits.
    """
    waiting: set[bool] = set()
    effects: Mapping[str, Effect] | None = None
    for intent in house.ledger.open_intents(record.key):
        is_copy = intent.kind in COPIES
        if is_copy in waiting:
            continue
        if intent.next_try and house.now() < datetime.fromisoformat(intent.next_try):
            waiting.add(is_copy)
            continue
        if effects is None:
            effects = house.effects()
        if not _settle(house, effects[intent.kind], record.key, intent):
            waiting.add(is_copy)
    return False not in waiting


def _settle(house: House, effect: Effect, key: str, intent: Intent) -> bool:
    record = house.ledger.record(key)
    if record is None:
        return False
    outcome = None
    try:
        if intent.kind.startswith("jira.") and not record.ticket.updated:
            outcome = Outcome({}, {"skipped": "the ticket is gone"})
        elif may_exist(intent, record):
            outcome = effect.find(intent, record)
        if outcome is None:
            house.ledger.begin_effect(intent)
            outcome = effect.do(intent, record)
    except WardbookError as error:
        pause = min(_FIRST_PAUSE * 2 ** min(intent.attempts, 20), _LONGEST_PAUSE)
        house.ledger.postpone_effect(intent, str(error), house.now() + pause)
        log.warning("%s: %s; next try in %s", intent.key, error, pause)
        if getattr(error, "status", None) == 404 and intent.kind.startswith("jira."):
            _look_for_ticket(house, record)
        return False
    house.ledger.confirm_effect(key, intent, outcome, house.now())
    return True


def _look_for_ticket(house: House, record: Record) -> None:
    """Jira knows nothing of what we asked: maybe the ticket is gone, and the census not yet due."""
    if record.ticket.updated and house.jira.issue(record.ticket.id) is None:
        house.ledger.lose_ticket(record.key)

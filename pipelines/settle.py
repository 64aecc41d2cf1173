"""Settling: every intended effect comes to exist outside, exactly once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from pipelines.house import House
from requests_sync.effects import Effect, tracker_effects
from wardbook.domain.record import Intent, Record
from wardbook.errors import WardbookError

log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(hours=1)


def settle_effects(house: House, record: Record) -> bool:
    """Make the request's open intents happen, in their order.

    An effect that may exist already (an earlier attempt, or a ledger younger than the ticket) is
    looked for before it is made. Returns False when one failed: it and those after it wait, and
    are tried again after a pause that doubles from two seconds up to an hour.
    """
    for intent in house.ledger.open_intents(record.key):
        if intent.next_try and house.now() < datetime.fromisoformat(intent.next_try):
            return False
        if not _settle(house, record.key, intent):
            return False
    return True


def effects_of(house: House) -> Mapping[str, Effect]:
    """Return every kind of effect, by the name that intents use."""
    # Imported when there is something to do: a pass with nothing to settle stays quick.
    from pipelines.channels import channel_effects

    trackers = tracker_effects(house.jira, house.gitlab, house.settings.gitlab.branch)
    return trackers | channel_effects(house)


def _settle(house: House, key: str, intent: Intent) -> bool:
    record = house.ledger.record(key)
    if record is None:
        return False
    effect = effects_of(house)[intent.kind]
    outcome = None
    try:
        if intent.attempts or record.known_before:
            outcome = effect.find(intent, record)
        if outcome is None:
            house.ledger.begin_effect(intent)
            outcome = effect.do(intent, record)
    except WardbookError as error:
        pause = min(_FIRST_PAUSE * 2 ** min(intent.attempts, 20), _LONGEST_PAUSE)
        house.ledger.postpone_effect(intent, str(error), house.now() + pause)
        log.warning("%s: %s; next try in %s", intent.key, error, pause)
        return False
    house.ledger.confirm_effect(key, intent, outcome, house.now())
    return True

"""calendar: what time alone brings: the next period, the notice ahead of expiry, the pause."""

from __future__ import annotations

from dataclasses import replace

from pipelines.decide import wakes_at
from pipelines.house import House
from pipelines.steps.notices import intend_notices, language_of
from pipelines.steps.prepare import request_of
from requests_sync.foreign_text import quote_for_jira
from wardbook.domain.periods import period_of
from wardbook.domain.record import Intent, Record, Review, Work
from wardbook.domain.states import State
from wardbook.messages import say


def run_again(house: House, record: Record) -> Record:
    """The next period of a recurring request has begun: run what stands on its branch."""
    target = State.PREPARED
    anew = replace(record, revision=record.revision + 1, work=Work())
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        intents=list(intend_notices(house, anew, target)),
        detail={"period": period_of(request_of(record).every, house.today)},
        revision=anew.revision,
        work=anew.work,
        review=Review(),
    )


def warn_of_expiry(house: House, record: Record) -> Record:
    """Tell the requester, once for each expiry, that a recurring request will pause."""
    expires = request_of(record).expires
    warned = replace(record, warned=expires)
    # Named by the day, so that a ledger that was lost and made again finds the comment.
    key = f"{record.key.lower()}-{expires}/ends_soon/jira.comment"
    notice_days = house.settings.unit.expiry_notice_days
    return house.ledger.move(
        record,
        record.state,
        now=house.now(),
        intents=[Intent(key, "jira.comment", {"text": _tell(house, record, "ends_soon")})],
        detail={"expires": expires},
        due_at=wakes_at(warned, house.zone, notice_days)
        if record.state is State.ANSWERED
        else None,
        warned=expires,
    )


def pause_request(house: House, record: Record) -> Record:
    """The legal basis has expired: nothing goes on until the ticket says another."""
    target = State.PAUSED
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        intents=list(intend_notices(house, record, target, _tell(house, record, "paused"))),
        detail={"expires": request_of(record).expires},
    )


def _tell(house: House, record: Record, notice: str) -> str:
    """Say in wiki markup what ends when, and which fields of the ticket to change."""
    request, language = request_of(record), language_of(house, record)
    names = {
        field: quote_for_jira(house.field_names.get(field) or say(language, f"gate.field_{field}"))
        for field in ("expires", "reference")
    }
    return say(
        language,
        f"notice.{notice}",
        key=record.key,
        reference=quote_for_jira(request.reference),
        expires=request.expires,
        expires_field=names["expires"],
        reference_field=names["reference"],
        example=f"{house.today.year + 1}-12-31",
    )

"""calendar: what time alone brings: the next period, the notice ahead of expiry, the pause."""

from __future__ import annotations

from dataclasses import replace

from pipelines.decide import wakes_at
from pipelines.house import House
from pipelines.steps.notices import intend_notices, language_of
from pipelines.steps.prepare import request_of
from requests_sync.foreign_text import quote_for_jira
from wardbook.domain.catch_up import Due, find_due
from wardbook.domain.record import Intent, Record, Review, Work
from wardbook.domain.states import State
from wardbook.ledger.ledger import StaleRecord
from wardbook.messages import say


def run_again(house: House, record: Record) -> Record:
    """Something is due of a recurring request: pass over periods, or run what is on its branch."""
    due = _due(house, record)
    if due.passed_over:
        return _pass_over(house, record, *due.passed_over)
    target, period = State.PREPARED, due.run or ""
    # Named already: when the run is laid out, the next period may have begun.
    anew = replace(record, revision=record.revision + 1, work=Work(period=period))
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        intents=list(intend_notices(house, anew, target)),
        detail={"period": period},
        revision=anew.revision,
        work=anew.work,
        review=Review(),
    )


def _pass_over(house: House, record: Record, first: str, last: str) -> Record:
    """Periods were missed that are not made up for: say which, and go on after them."""
    passed = replace(record, work=replace(record.work, passed_over=last))
    return house.ledger.tell(
        record,
        "period.passed_over",
        now=house.now(),
        detail={"first": first, "last": last, "catch_up": request_of(record).catch_up},
        due_at=wakes_at(passed, house.zone, house.settings.unit.expiry_notice_days),
        revision=record.revision + 1,  # so that a second worker's word of it is refused
        work=passed.work,
    )


def _due(house: House, record: Record) -> Due:
    schedule = request_of(record).schedule(house.zone)
    due = find_due(schedule, record.work.settled, house.now()) if schedule else None
    if due is None:
        raise StaleRecord(f"{record.key}: the clock went back; it is looked at again.")
    return due


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

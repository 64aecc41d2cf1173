"""Reading Jira: what changed there goes into the ledger; nothing else happens.

Everything that follows is decided from the ledger alone. A ticket that cannot be read becomes a
dead letter and holds up no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from requests_sync.jira_port import JiraPort, Payload
from requests_sync.payloads import UnreadableTicket, thread_of_payload, ticket_of_payload
from wardbook.ledger import Ledger
from wardbook.ledger.rows import TakenTicket, is_newer
from wardbook.settings import Settings

_WATERMARK = "jira.read_until"
_CENSUS, _CENSUS_NUMBER = "jira.census_at", "jira.census"
_BIRTH = "ledger.born_at"
CLOCK_SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may be apart."""
_PAGE = 100
_NAMESAKE = (
    "an earlier ticket of this key, with another id in Jira, has its request here (was the project "
    "deleted and made anew?). Clone the ticket until its number is above those that were in use."
)
_Item = TypeVar("_Item")


def read_tickets(ledger: Ledger, jira: JiraPort, settings: Settings, now: datetime) -> int:
    """Take every ticket changed since the last reading into the ledger, a page at a time.

    What counts is Jira's own clock: a reading begins `overlap_minutes` before the latest change
    that was read, since the search index lags. Every `census_hours` all tickets are read, so that
    one which slipped through is found, and one that is gone is noticed. Returns how many were new
    or changed.

    Raises:
        ForeignFault: Jira could not be read; the watermark stays, so nothing is lost.
    """
    born = _birth(ledger, now)
    since = _start_of_reading(ledger, settings, now)
    census = int(ledger.mark(_CENSUS_NUMBER) or 0) + (since is None)
    tickets = jira.search_all() if since is None else jira.search_changed(since)
    taken, latest = 0, ledger.mark(_WATERMARK) or ""
    for page in in_pages(tickets):
        fresh = _fresh(page, ledger)
        taken += _take(fresh, ledger, jira, settings, born, census, now)
        latest = max([latest, *_stamps(page)], key=_instant)
        if since is None:
            ledger.count_in_census([str(p.get("id")) for p in page], census)
    if latest != ledger.mark(_WATERMARK):
        ledger.set_mark(_WATERMARK, latest)
    if since is None:
        _miss_tickets(ledger, jira, settings, census, now)
        ledger.set_mark(_CENSUS_NUMBER, str(census))
        ledger.set_mark(_CENSUS, now.isoformat())
    return taken


def in_pages(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Yield the items a hundred at a time."""
    iterator = iter(items)
    while page := list(islice(iterator, _PAGE)):
        yield page


def _birth(ledger: Ledger, now: datetime) -> datetime:
    born = ledger.mark(_BIRTH)
    if born is None:
        born = now.isoformat()
        ledger.set_mark(_BIRTH, born)
    return datetime.fromisoformat(born)


def _start_of_reading(ledger: Ledger, settings: Settings, now: datetime) -> datetime | None:
    census, watermark = ledger.mark(_CENSUS), ledger.mark(_WATERMARK)
    if census is None or not watermark:
        return None
    if now - datetime.fromisoformat(census) > timedelta(hours=settings.jira.census_hours):
        return None
    return datetime.fromisoformat(watermark) - timedelta(minutes=settings.jira.overlap_minutes)


def _fresh(page: Sequence[Payload], ledger: Ledger) -> list[Payload]:
    """Return those of a page that changed since they were read: an older one is a lagging index."""
    known = ledger.ticket_versions([str(payload.get("id")) for payload in page])
    return [
        payload
        for payload in page
        if not (stamp := _stamp(payload)) or is_newer(stamp, known.get(str(payload.get("id")), ""))
    ]


def _stamp(payload: Payload) -> str:
    fields = payload.get("fields")
    stamp = fields.get("updated") if isinstance(fields, Mapping) else None
    try:
        datetime.fromisoformat(stamp or "")
    except (TypeError, ValueError):
        return ""
    return str(stamp)


def _stamps(page: Sequence[Payload]) -> list[str]:
    return [stamp for payload in page if (stamp := _stamp(payload))]


def _instant(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp) if stamp else datetime.min.replace(tzinfo=UTC)


def _take(
    page: Sequence[Payload],
    ledger: Ledger,
    jira: JiraPort,
    settings: Settings,
    born: datetime,
    census: int,
    now: datetime,
) -> int:
    taken = []
    for payload in page:
        try:
            ticket = ticket_of_payload(payload, settings.jira.fields)
            created = datetime.fromisoformat(payload["fields"]["created"])
            thread = thread_of_payload(payload, jira)
            # Where clocks may differ, a ticket counts as older: then its effects are looked for.
            taken.append(TakenTicket(ticket, thread, created < born + CLOCK_SKEW))
        except (UnreadableTicket, KeyError, TypeError, ValueError, AttributeError) as error:
            reason = str(error) if isinstance(error, UnreadableTicket) else type(error).__name__
            ledger.bury_ticket(str(payload.get("key", "?")), reason, now)
    if not taken:
        return 0
    left_out = ledger.take_tickets(taken, census=census, now=now)
    for key in left_out:
        _leave_out(key, ledger, jira, now)
    ledger.revive_tickets({one.ticket.key for one in taken} - left_out)
    return len(taken) - len(left_out)


def _leave_out(key: str, ledger: Ledger, jira: JiraPort, now: datetime) -> None:
    """Bury a ticket that has the key of an earlier one, whose own request goes on no longer.

    What that request writes it writes by this key: on the ticket of somebody else.
    """
    ledger.bury_ticket(key, _NAMESAKE, now)
    earlier = ledger.record(key)
    if earlier is not None and earlier.ticket.updated and jira.issue(earlier.ticket.id) is None:
        ledger.lose_ticket(key)


def _miss_tickets(
    ledger: Ledger, jira: JiraPort, settings: Settings, census: int, now: datetime
) -> None:
    """Look at each ticket that the census did not meet: it may be deleted, or moved elsewhere."""
    for key in ledger.missed_by_census(census):
        record = ledger.record(key)
        if record is None:
            continue
        found = jira.issue(record.ticket.id)
        if found is None or _project_of(found) != settings.jira.project:
            ledger.lose_ticket(key)
        else:  # the index lags, or it came back meanwhile
            _take([found], ledger, jira, settings, now, census, now)


def _project_of(payload: Payload) -> str:
    return str(payload["key"]).rpartition("-")[0]

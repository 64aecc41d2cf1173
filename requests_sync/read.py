"""Reading both sides: what changed in Jira and GitLab goes into the ledger; nothing else happens.

Everything that follows is decided from the ledger alone. A ticket that cannot be read becomes a
dead letter and holds up no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from requests_sync.effects import holds_mark
from requests_sync.gitlab_port import GitLabPort
from requests_sync.jira_port import JiraPort, person_id
from wardbook.domain.record import Approval, Record, Review
from wardbook.domain.states import State
from wardbook.domain.ticket import Person, Ticket
from wardbook.errors import ForeignFault
from wardbook.ledger import Ledger
from wardbook.settings import JiraFields, Settings

_WATERMARK = "jira.read_until"
_CENSUS = "jira.census_at"
_BIRTH = "ledger.born_at"
_UNDER_REVIEW = frozenset({State.RUNNING, State.FAILED, State.HELD, State.REJECTED})
_CLOCK_SKEW = timedelta(minutes=5)


class UnreadableTicket(ForeignFault):
    """A ticket whose payload is not what Jira's contract promises."""


def read_tickets(ledger: Ledger, jira: JiraPort, settings: Settings, now: datetime) -> int:
    """Take every ticket changed since the last reading into the ledger.

    Reads with an overlap, since the search index lags; every `census_hours` it reads all tickets,
    so that one which slipped through the overlap is found. Returns how many were new or changed.

    Raises:
        ForeignFault: Jira could not be read; the watermark stays, so nothing is lost.
    """
    born = ledger.mark(_BIRTH)
    if born is None:
        born = now.isoformat()
        ledger.set_mark(_BIRTH, born)
    known, changed = ledger.last_updates(), 0
    since = _start_of_reading(ledger, settings, now)
    for payload in jira.search_changed(since):
        if _take(payload, ledger, settings.jira.fields, known, born, now):
            changed += 1
    ledger.set_mark(_WATERMARK, now.isoformat())
    if since is None:
        ledger.set_mark(_CENSUS, now.isoformat())
    return changed


def _start_of_reading(ledger: Ledger, settings: Settings, now: datetime) -> datetime | None:
    census, watermark = ledger.mark(_CENSUS), ledger.mark(_WATERMARK)
    if census is None or watermark is None:
        return None
    if now - datetime.fromisoformat(census) > timedelta(hours=settings.jira.census_hours):
        return None
    return datetime.fromisoformat(watermark) - timedelta(minutes=settings.jira.overlap_minutes)


def _take(
    payload: Mapping[str, Any],
    ledger: Ledger,
    fields: JiraFields,
    known: Mapping[str, str],
    born: str,
    now: datetime,
) -> bool:
    key = str(payload.get("key", "?"))
    try:
        if known.get(key) == payload["fields"]["updated"]:
            return False
        ticket = ticket_of_payload(payload, fields)
        created = _created(payload)
    except (UnreadableTicket, KeyError, TypeError) as error:
        ledger.bury_ticket(key, str(error) or type(error).__name__, now)
        return False
    # Where clocks may differ, a ticket counts as older: then its effects are looked for first.
    known_before = created < datetime.fromisoformat(born) + _CLOCK_SKEW
    ledger.take_ticket(ticket, known_before=known_before, now=now)
    ledger.revive_ticket(key)
    return True


def _created(payload: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(payload["fields"]["created"])


def ticket_of_payload(payload: Mapping[str, Any], fields: JiraFields) -> Ticket:
    """Parse a Jira issue, as REST v2 gives it, into a ticket.

    Raises:
        UnreadableTicket: a field is missing or is not of its type; the message names the field.
    """
    raw = payload.get("fields")
    if not isinstance(raw, Mapping):
        raise UnreadableTicket(f"{payload.get('key')}: no fields in Jira's answer.")
    return Ticket(
        key=_text(payload, "key"),
        id=_text(payload, "id"),
        updated=_text(raw, "updated"),
        status=_text(_mapping(raw, "status"), "name"),
        summary=_text(raw, "summary"),
        description=_optional_text(raw, "description"),
        components=tuple(_text(part, "name") for part in raw.get("components") or ()),
        reporter=_person(_mapping(raw, "reporter")),
        purpose=_optional_text(raw, fields.purpose),
        legal_basis=_optional_text(raw, fields.legal_basis),
        reference=_optional_text(raw, fields.reference),
        expires=_optional_text(raw, fields.expires),
        approver=_optional_person(raw, fields.approver),
        template=_optional_text(raw, fields.template),
        parameters=_optional_text(raw, fields.parameters),
        language=_optional_text(raw, fields.language),
        ethics=_optional_text(raw, fields.ethics),
        dpo=_optional_person(raw, fields.dpo),
        recurrence=_optional_text(raw, fields.recurrence) if fields.recurrence else "",
    )


def _person(raw: Mapping[str, Any]) -> Person:
    return Person(person_id(raw), str(raw.get("displayName") or person_id(raw)))


def _mapping(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    if not isinstance(value, Mapping):
        raise UnreadableTicket(f"the field {name} is missing or is not an object.")
    return value


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableTicket(f"the field {name} is missing or is not a text.")
    return value


def _optional_text(raw: Mapping[str, Any], name: str) -> str:
    """Return a field's text: of a plain field, or of an option (`value`)."""
    value = raw.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableTicket(f"the field {name} is not a text.")
    return value


def _optional_person(raw: Mapping[str, Any], name: str) -> Person | None:
    """Return the person that a field names: an object of Jira's, or an account as mere text."""
    value = raw.get(name)
    if isinstance(value, Mapping):
        return _person(value) if person_id(value) else None
    account = _optional_text(raw, name).strip()
    return Person(account, account) if account else None


def read_reviews(ledger: Ledger, gitlab: GitLabPort) -> None:
    """Take every merge request that a person may have touched into the ledger.

    One list per GitLab project in which a request waits for a person; only merge requests that
    changed since they were last read cost calls of their own. They are asked for by their numbers:
    by a date, one that was approved before this ledger began would never be seen.

    Raises:
        ForeignFault: GitLab could not be read.
    """
    waiting: dict[str, dict[int, Record]] = {}
    for record in ledger.records(_UNDER_REVIEW):
        links = record.links
        if links.project and links.merge_request:
            waiting.setdefault(links.project, {})[links.merge_request] = record
    for project, by_iid in waiting.items():
        for found in gitlab.merge_requests(project, state="all", scope="all", iids=list(by_iid)):
            seen = by_iid.get(int(found["iid"]))
            if seen is not None and seen.review.updated != found["updated_at"]:
                ledger.take_review(seen.key, _review(gitlab, project, seen, found))


def _review(gitlab: GitLabPort, project: str, record: Record, found: Mapping[str, Any]) -> Review:
    """Read one merge request: its head, its authors, and who approved this run's evidence."""
    evidence = evidence_marker(record.work.run or "")
    approvals: dict[str, Approval] | None = None
    notes = gitlab.notes(project, "mergerequests", int(found["iid"]))
    # In the order of their ids: an approval counts only when it follows the evidence it is about.
    for note in sorted(notes, key=lambda note: int(note["id"])):
        author = note["author"]
        username = str(author["username"])
        if username == gitlab.account and holds_mark(note["body"], evidence):
            approvals = {}
        elif note["system"] and approvals is not None:
            if note["body"].startswith("approved this merge request"):
                approvals[username] = Approval(username, str(author["name"]), note["created_at"])
            elif note["body"].startswith("unapproved this merge request"):
                approvals.pop(username, None)
    return Review(
        updated=str(found["updated_at"]),
        head=str(found["sha"]),
        state=str(found["state"]),
        approvals=tuple((approvals or {}).values()),
        authors=gitlab.commit_authors(
            project, str(found["target_branch"]), str(found["source_branch"])
        ),
    )


def evidence_marker(run: str) -> str:
    """Return the hidden mark of the note that shows a run's evidence to its reviewer."""
    return f"<!-- wardbook:evidence:{run} -->"

"""compare: both sides of a request are laid side by side, and what differs is brought to agree."""

from __future__ import annotations

from dataclasses import replace

from pipelines.house import House
from requests_sync.drift import Copy, adopted_twins, copies_in_comments, copies_in_notes
from requests_sync.issue_fields import analyst_of
from requests_sync.jira_port import person_id
from requests_sync.mirror import Sides, compare
from requests_sync.payloads import thread_of_payload, ticket_of_payload
from requests_sync.places import place_of
from requests_sync.read_gitlab import QUIET, take_issue
from wardbook.domain.mirror import Side
from wardbook.domain.record import Record
from wardbook.errors import ForeignFault


def compare_sides(house: House, record: Record) -> Record:
    """Intend what brings both sides to agree, and write down what they agree on."""
    if record.known_before and not record.agreed.wanted and _is_first(record):
        _adopt_copies(house, record)
    record = _read_again(house, record) if record.purged else _read_issue(house, record)
    intents = []
    if record.links.issue is not None and record.ticket.updated:
        ledger, key = house.ledger, record.key
        sides = Sides(
            record,
            ledger.thread(key, Side.JIRA),
            ledger.thread(key, Side.GITLAB),
            ledger.twins(key),
        )
        intents = compare(sides, house.settings, lambda ticket: issue_of(house, ticket))
    agreed = replace(record.agreed, ticket_done=record.ticket.done, issue_closed=record.view.closed)
    if analyst_of(record.ticket.assignee, house.settings.gitlab.people) == record.view.assignee:
        analyst = record.view.assignee
        agreed = replace(agreed, assignee=analyst, ticket_assignee=analyst)
    return house.ledger.intend(record, intents, house.now(), compared=record.version, agreed=agreed)


def issue_of(house: House, ticket_id: str) -> tuple[str, int] | None:
    """Return where the issue of another ticket is, if it has one."""
    key = house.ledger.key_of_ticket(ticket_id)
    other = house.ledger.record(key) if key else None
    if other is None or other.links.project is None or other.links.issue is None:
        return None
    return other.links.project, other.links.issue


def _read_issue(house: House, record: Record) -> Record:
    """Read an issue that was found again, or changed under our hands, directly."""
    project, iid = record.links.project, record.links.issue
    if project is None or iid is None or record.view.updated:
        return record
    issue = house.gitlab.issue(project, iid)
    if issue is None:
        return record
    take_issue(house.ledger, house.gitlab, record.key, issue, house.now() + QUIET)
    return house.ledger.record(record.key) or record


def _read_again(house: House, record: Record) -> Record:
    """Read both sides of a request whose texts were purged here, since somebody touched it again.

    Compared without them, the copies of all that people wrote would seem to be of nothing.
    """
    ledger, key, (project, iid) = house.ledger, record.key, place_of(record)
    issue, payload = house.gitlab.issue(project, iid), house.jira.issue(record.ticket.id)
    if issue is None or payload is None:
        raise ForeignFault(
            f"{key}: its texts were purged here, and its issue or its ticket is gone. Close what "
            "is left of the two by hand."
        )
    take_issue(ledger, house.gitlab, key, issue, house.now() + QUIET)
    ticket = ticket_of_payload(payload, house.settings.jira.fields)
    thread = thread_of_payload(payload, house.jira)
    ledger.take_texts_again(key, ticket, thread)
    return ledger.record(key) or record


def _is_first(record: Record) -> bool:
    """Tell whether the issue was in no comparison before."""
    _, issue, *_ = [*record.compared.split("|"), ""]
    return not issue


def _adopt_copies(house: House, record: Record) -> None:
    """Take in the copies on an issue that was found again: an original may be gone since."""
    if record.links.issue is None or not record.ticket.updated:
        return
    known = house.ledger.twins(record.key)
    adopted = adopted_twins(read_copies(house, record), known)
    house.ledger.replace_twins(record.key, [*adopted, *known.values()])


def read_copies(house: House, record: Record) -> list[Copy]:
    """Read the copies that our account wrote on either side of a request, oldest first.

    Raises:
        ForeignFault: a tracker could not be read, or the request has no issue.
    """
    project, iid = place_of(record)
    return [
        *copies_in_notes(house.gitlab.notes(project, "issues", iid), house.gitlab.account),
        *copies_in_comments(
            house.jira.comments(record.ticket.key),
            lambda comment: person_id(comment.get("author") or {}) == house.jira.account,
        ),
    ]

"""drift: both sides of every request read whole and compared; listed, or repaired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.decide import step_by_hand
from pipelines.house import House
from pipelines.settle import settle_effects
from pipelines.steps.compare import issue_of, read_copies
from pipelines.steps.notices import intend
from requests_sync.drift import Copy, Difference, Found, differences
from requests_sync.issue_fields import view_of_issue
from requests_sync.jira_effects import link_identity
from requests_sync.mirror import Sides, compare
from requests_sync.payloads import thread_of_payload, ticket_of_payload
from requests_sync.places import place_of
from requests_sync.read_gitlab import thread_of_notes
from wardbook.domain.mirror import Agreed, TwinKind
from wardbook.domain.record import Record
from wardbook.domain.states import State


@dataclass(frozen=True)
class Drift:
    """What differs in one request, and whether it was repaired."""

    request: str
    difference: Difference
    repaired: bool


def find_drift(house: House, keys: tuple[str, ...], *, repair: bool) -> Iterator[Drift]:
    """Yield what differs, request by request; `keys` are looked at, or all when there are none.

    A request that another worker holds, or that has effects under way, is left to its pass.

    Raises:
        ForeignFault: a tracker could not be read.
    """
    for record in house.ledger.records():
        if keys and record.key not in keys and record.ticket.key not in keys:
            continue
        with house.ledger.claim(record.key) as mine:
            if mine and record.links.issue is not None and record.ticket.updated:
                yield from _look_at(house, record.key, repair=repair)
    if not keys:
        yield from _orphans(house)


def _orphans(house: House) -> Iterator[Drift]:
    """Yield open issues of tickets that this ledger never met: deleted before it began."""
    for project in house.settings.projects:
        for ticket, issue in house.issues.of_project(project).items():
            if not issue.view.closed and house.ledger.key_of_ticket(ticket) is None:
                yield Drift(f"{project}#{issue.iid}", Difference("orphan", ticket, None), False)


def _look_at(house: House, key: str, *, repair: bool) -> Iterator[Drift]:
    record = house.ledger.record(key)
    if record is None or house.ledger.open_intents(key):
        return
    project, iid = place_of(record)
    issue, payload = house.gitlab.issue(project, iid), house.jira.issue(record.ticket.id)
    for side, there in (("issue", issue), ("ticket", payload)):
        if there is None:
            yield Drift(key, Difference("gone", side, None), repaired=False)
    if issue is None or payload is None:
        return
    ticket = ticket_of_payload(payload, house.settings.jira.fields)
    fresh = replace(record, ticket=ticket, view=view_of_issue(issue))
    known = record.agreed
    people = Agreed(assignee=known.assignee, ticket_assignee=known.ticket_assignee)
    untrusting = replace(fresh, agreed=people)
    sides = Sides(
        untrusting,
        thread_of_payload(payload, house.jira),
        thread_of_notes(house.gitlab, project, iid),
        twins={},
    )
    expected = compare(sides, house.settings, lambda other: issue_of(house, other))
    copies = [*read_copies(house, fresh), *_links(house, project, iid)]
    found = differences(expected, copies)
    listed = [*found.differences, *_state(house, record, fresh, issue["labels"])]
    repaired = repair and bool(listed) and _repair(house, record, fresh, found, listed)
    for one in listed:
        yield Drift(key, one, repaired=repaired and one.repair is not None)


def _repair(
    house: House, record: Record, fresh: Record, found: Found, listed: list[Difference]
) -> bool:
    ledger, key = house.ledger, record.key
    ledger.replace_twins(key, found.sound)
    ledger.see(
        key,
        ticket={"status": fresh.ticket.status, "done": fresh.ticket.done},
        view={"closed": fresh.view.closed, "shown": fresh.view.shown},
    )
    # Without a compared version the next pass looks at it, whatever it finds by hand.
    repairs = [one.repair for one in listed if one.repair]
    ledger.intend(record, repairs, house.now(), compared="")
    settled = settle_effects(house, record)
    return not (settled.way_waits or settled.copies_wait)


def _state(
    house: House, record: Record, fresh: Record, labels: Sequence[str]
) -> Iterator[Difference]:
    """Tell where status and state label are others than the ledger's; the next pass acts on it."""
    if step_by_hand(fresh) is not None:
        yield Difference("by_hand", f"{fresh.ticket.status}, {_open(fresh)}", None)
        return
    over = record.state in {State.ANSWERED, State.CLOSED}
    if record.state.label not in labels or fresh.view.closed != over:
        about = f"{record.state.label}, {_open(fresh)}"
        repair = intend(record, record.state, "gitlab.state", "drift", closed=over)
        yield Difference("state", about, repair)
    identity = link_identity(record, "issue")
    links = house.jira.remote_links(record.ticket.key)
    if record.links.branch and not any(link.get("globalId") == identity for link in links):
        title = f"GitLab · {record.key}"
        repair = intend(record, record.state, "jira.link", "drift", what="issue", title=title)
        yield Difference("remote_link", title, repair)


def _open(record: Record) -> str:
    return "closed" if record.view.closed else "opened"


def _links(house: House, project: str, iid: int) -> Iterator[Copy]:
    """Yield the links of the issue that join it to another request's issue."""
    for reference, link in house.gitlab.links(project, iid):
        other = house.ledger.ticket_of_issue(reference)
        if other is not None:
            yield Copy(TwinKind.LINK, other, str(link), "")

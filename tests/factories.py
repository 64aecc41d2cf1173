"""Tickets and requests in a given state, for tests of many kinds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from wardbook.domain.mirror import IssueView, Thread
from wardbook.domain.record import Links, Record, Review, Work
from wardbook.domain.request import Request
from wardbook.domain.states import State
from wardbook.domain.ticket import Person, Ticket
from wardbook.ledger import Ledger
from wardbook.ledger.rows import TakenTicket

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

_TICKET = Ticket(
    key="DATA-1",
    id="10001",
    updated="2026-03-02T11:59:00.000+0000",
    status="À traiter",
    summary="Hospitalisations du trimestre",
    description="Pour la cellule de crise.",
    components=("Direction médicale",),
    reporter=Person("cmoreau", "Claire Moreau"),
    purpose="Soins",
    legal_basis="Accord du chef de service",
    reference="NOTE-2026-014",
    expires="2027-12-31",
    approver=Person("hbernard", "Dr Hélène Bernard"),
    template="hospital_epidemic",
    parameters="",
    language="",
)


def make_ticket(**changes: object) -> Ticket:
    """A ticket that the gate accepts, with changes; its id follows from its key."""
    if "key" in changes:
        changes = {"id": f"1{str(changes['key']).rpartition('-')[2]:0>4}"} | changes
    return replace(_TICKET, **changes)  # type: ignore[arg-type]


def make_research(**changes: object) -> Ticket:
    """A ticket for research that the gate accepts, with changes."""
    research = {
        "purpose": "Recherche",
        "legal_basis": "MR-004",
        "reference": "F20260114093012",
        "ethics": "CER-2026-031",
        "dpo": Person("npetit", "Nadia Petit"),
    }
    return make_ticket(**(research | changes))


def take(ledger: Ledger, ticket: Ticket, thread: Thread = Thread()) -> bool:  # noqa: B008
    """Write a ticket into a ledger as if just read; returns whether it is new there."""
    is_new = ledger.key_of_ticket(ticket.id) is None
    taken = TakenTicket(ticket, thread, known_before=False)
    return not ledger.take_tickets([taken], census=1, now=NOON) and is_new


def make_record(state: State, **changes: object) -> Record:
    """A request in a given state, its ticket unchanged since the gate."""
    view = IssueView(updated="2026-03-02T11:59:30.000Z")
    record = Record(
        key="DATA-1",
        state=state,
        revision=1,
        known_before=False,
        ticket=_TICKET,
        asked=_TICKET.fingerprint,
        gated=_TICKET.fingerprint if state is not State.RECEIVED else "",
        request=None if state in {State.RECEIVED, State.REFUSED} else make_request(),
        links=Links(project="unite/direction-medicale", issue=1, merge_request=1),
        work=Work(),
        review=Review(),
        changed_at=NOON.isoformat(),
        view=view,
        compared=f"{_TICKET.updated}|{view.updated}|",
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def make_request(**changes: object) -> Request:
    """The request that the ticket becomes, with changes."""
    request = Request(
        key="DATA-1",
        title=_TICKET.summary,
        question=_TICKET.description,
        service="Direction médicale",
        requester="cmoreau",
        requester_name="Claire Moreau",
        purpose="care",
        legal_basis="head_of_service",
        reference="NOTE-2026-014",
        expires="2027-12-31",
        approver=Person("hbernard", "Dr Hélène Bernard"),
        template="hospital_epidemic",
        parameters={},
        sources={"hospital": "spf"},
        language="fr",
    )
    return replace(request, **changes)  # type: ignore[arg-type]

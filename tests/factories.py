"""Tickets and requests in a given state, for tests of many kinds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from wardbook.domain.ticket import Person, Ticket

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
    approver="hbernard",
    template="hospital_epidemic",
    parameters="",
    language="",
)


def make_ticket(**changes: object) -> Ticket:
    """A ticket that the gate accepts, with changes."""
    return replace(_TICKET, **changes)  # type: ignore[arg-type]

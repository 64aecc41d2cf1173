"""close, reopen: somebody closed or opened the ticket or the issue by hand; the other side follows.

What was read by a search may lag, so both sides are read directly before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipelines.decide import Step, step_by_hand
from pipelines.house import House
from pipelines.steps.notices import intend, intend_status, language_of
from pipelines.steps.prepare import file_issue
from requests_sync.foreign_text import inline_code
from requests_sync.issue_fields import view_of_issue
from wardbook.domain.mirror import TwinKind
from wardbook.domain.record import Intent, Record
from wardbook.domain.states import State
from wardbook.engines.claim import ask_to_cancel
from wardbook.errors import ForeignFault
from wardbook.messages import say


def close_request(house: House, record: Record) -> Record:
    """Stop the work on a request that somebody closed; the other side is closed as well."""
    fresh = _read_directly(house, record)
    if step_by_hand(fresh) is not Step.CLOSE:
        return fresh
    target, unit = State.CLOSED, house.settings.unit.language
    # Closed before it was prepared: it gets its issue all the same, so that nothing is missing.
    is_unfiled = fresh.request is not None and fresh.ticket.updated
    intents: list[Intent] = [*file_issue(house, fresh, target)] if is_unfiled else []
    has_issue = fresh.links.issue is not None or bool(intents)
    if not fresh.ticket.updated:
        told = say(unit, "mirror.gone_from_jira")
        intents += _note(fresh, target, told)
        intents += _unlink(house, fresh, target)
    elif fresh.ticket.done:
        told = say(unit, "mirror.closed_in_jira", status=inline_code(fresh.ticket.status))
        intents += _note(fresh, target, told)
    else:
        workflow = house.settings.jira.workflow
        notice = say(language_of(house, fresh), "notice.closed", key=fresh.ticket.key)
        intents.append(intend(fresh, target, "jira.comment", text=notice))
        intents.append(intend_status(house, fresh, target, workflow.done, workflow.dropped))
    if has_issue:
        intents.append(intend(fresh, target, "gitlab.state", closed=True))
    if fresh.state is State.RUNNING:
        ask_to_cancel(house.run_folder(str(fresh.work.run)))
    return _move(house, fresh, target, intents)


def reopen_request(house: House, record: Record) -> Record:
    """Take up a request again that somebody opened; the other side is opened as well.

    One that was answered waits for an analyst; one that was not passes the gate again.
    """
    fresh = _read_directly(house, record)
    if step_by_hand(fresh) is not Step.REOPEN:
        return fresh
    if fresh.state is State.CLOSED:
        return _move(house, fresh, State.RECEIVED, [])
    target, workflow = State.REOPENED, house.settings.jira.workflow
    intents: list[Intent] = []
    if fresh.ticket.done:
        status = workflow.todo or workflow.working
        intents.append(intend_status(house, fresh, target, status))
    else:
        intents += _note(
            fresh, target, say(house.settings.unit.language, "mirror.reopened_in_jira")
        )
    if fresh.links.issue is not None:
        intents.append(intend(fresh, target, "gitlab.state", closed=False))
    return _move(house, fresh, target, intents)


def _unlink(house: House, record: Record, target: State) -> Iterator[Intent]:
    """Intend the end of the links of a ticket that is gone: Jira stamps no ticket at their end."""
    ledger, project, iid = house.ledger, record.links.project, record.links.issue
    if project is None or iid is None:
        return
    for reference, link in house.gitlab.links(project, iid):
        other = ledger.ticket_of_issue(reference)
        key = ledger.key_of_ticket(other) if other else None
        if other is None or key is None:
            continue
        copied = (TwinKind.LINK, other) in ledger.twins(record.key)
        if copied or (TwinKind.LINK, record.ticket.id) in ledger.twins(key):
            twin = {"kind": TwinKind.LINK, "theirs": other, "stamp": ""}
            part = f"link:{other}"
            yield intend(record, target, "gitlab.link", part, gone=True, twin=twin, ours=str(link))


def _note(record: Record, target: State, text: str) -> list[Intent]:
    if record.links.issue is None:
        return []
    return [intend(record, target, "gitlab.note", "by_hand", on="issue", text=text)]


def _read_directly(house: House, record: Record) -> Record:
    ticket: dict[str, object] = {}
    view: dict[str, object] = {}
    if record.ticket.updated:  # else Jira no longer has it
        try:
            status, done = house.jira.status(record.ticket.key)
        except ForeignFault as fault:
            if fault.status != 404 or house.jira.issue(record.ticket.id) is not None:
                raise
            house.ledger.lose_ticket(record.key)
            return house.ledger.record(record.key) or record
        ticket = {"status": status, "done": done}
    if record.links.project is not None and record.links.issue is not None:
        issue = house.gitlab.issue(record.links.project, record.links.issue)
        view = {"closed": view_of_issue(issue).closed} if issue is not None else {}
    return house.ledger.see(record.key, ticket=ticket, view=view) or record


def _move(house: House, record: Record, target: State, intents: list[Intent]) -> Record:
    """Move; both sides count as agreed on what they show: the effects bring them together."""
    agreed = replace(record.agreed, ticket_done=record.ticket.done, issue_closed=record.view.closed)
    by_requester = record.ticket.done != record.agreed.ticket_done
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        actor="requester" if by_requester else "analyst",
        intents=intents,
        agreed=agreed,
    )

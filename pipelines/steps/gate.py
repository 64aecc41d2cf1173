"""gate: a ticket that may not run gets one clear comment; nothing else happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pipelines.house import House
from pipelines.steps.notices import intend, intend_notices
from pipelines.steps.prepare import file_issue
from requests_sync.foreign_text import quote_for_jira
from requests_sync.gate import Verdict, explain_problem, judge_ticket
from wardbook.domain.record import Record, Review, Work
from wardbook.domain.states import State
from wardbook.messages import say

_MOST_TOLD = 50


def pass_gate(house: House, record: Record) -> Record:
    """Judge the ticket as it now reads, and start a new revision of its request."""
    now = house.now()
    if record.state is not State.RECEIVED:
        record = house.ledger.move(
            record, State.RECEIVED, now=now, actor=record.ticket.reporter.username
        )
    verdict = judge_ticket(record.ticket, house.templates, house.settings, house.today)
    if verdict.request is None and record.known_before and record.links.issue is None:
        record = _find_issue(house, record)
    judged = replace(record, request=verdict.request, work=Work(problems=verdict.problems))
    if record.ticket.done and not record.gated:
        return _take_in_closed(house, judged)
    accepted = verdict.request is not None
    target = State.ACCEPTED if accepted else State.REFUSED
    comment = None if accepted else write_refusal(record.key, verdict, house.field_names)
    return house.ledger.move(
        record,
        target,
        now=now,
        intents=list(intend_notices(house, judged, target, comment)),
        detail={"problems": [problem.code for problem in verdict.problems]},
        **_next_revision(judged),
    )


def _next_revision(judged: Record) -> dict[str, Any]:
    """Return what is written down of a request that was judged: its next revision."""
    return {
        "revision": judged.revision + 1,
        "gated": judged.asked,
        "request": judged.request,
        "work": judged.work,
        "review": Review(),
    }


def _take_in_closed(house: House, record: Record) -> Record:
    """Take in a ticket that was closed before it was first read: nothing is asked any more.

    It has an issue, closed as well, so that nothing of it is missing in GitLab. After a lost
    ledger the issue tells whether the request had been answered.
    """
    target = State.CLOSED
    intents = []
    if record.request is not None:
        project = house.service(record.request.service).project
        found = (
            house.issues.find(project, record.ticket.id, tried=False)
            if record.known_before
            else None
        )
        if found is not None and State.ANSWERED.label in found.labels:
            target = State.ANSWERED
        intents = list(file_issue(house, record, target))
        if found is None or not found.view.closed:
            intents.append(intend(record, target, "gitlab.state", closed=True))
    elif record.links.issue is not None and not record.view.closed:
        intents.append(intend(record, target, "gitlab.state", closed=True))
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        intents=intents,
        agreed=replace(record.agreed, ticket_done=True),
        **_next_revision(record),
    )


def _find_issue(house: House, record: Record) -> Record:
    """Return a refused request with the issue that it had when a ledger before this one was lost.

    One that is accepted finds its issue when it is filed.
    """
    for project in house.settings.projects:
        found = house.issues.find(project, record.ticket.id, tried=False)
        if found is not None:
            links = {"project": project, "issue": found.iid, "issue_url": found.url}
            # Without a version it is read before it is compared.
            view = asdict(replace(found.view, updated=""))
            agreed = {"issue_closed": found.closed_by_us}
            return house.ledger.see(record.key, links=links, view=view, agreed=agreed) or record
    return record


def write_refusal(key: str, verdict: Verdict, names: Mapping[str, str]) -> str:
    """Return the comment that says all that is to be changed, in Jira's wiki markup.

    Args:
        key: the ticket's.
        verdict: with its problems; of very many the first are told, since a comment has its limit.
        names: what Jira calls each field.
    """
    lines = [
        "* " + quote_for_jira(explain_problem(problem, verdict.language, names))
        for problem in verdict.problems[:_MOST_TOLD]
    ]
    untold = len(verdict.problems) - _MOST_TOLD
    if untold > 0:
        lines.append("* " + say(verdict.language, "gate.and_more", count=untold))
    return say(verdict.language, "notice.refused", key=key, problems="\n".join(lines))

"""release: those who may let an output out, or a standing approval of an unchanged report does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pipelines.cutting import register_release
from pipelines.evidence import Evidence, gather_evidence
from pipelines.evidence_note import (
    tell_persons_refusal,
    tell_requester,
    tell_rules_refusal,
    write_note,
)
from pipelines.evidence_page import write_page
from pipelines.house import House
from pipelines.provenance import refuse_twins
from pipelines.steps.notices import intend, intend_notices, language_of
from pipelines.steps.prepare import open_merge_request
from pipelines.steps.run import judge_outputs
from requests_sync.marks import digest_of_evidence, evidence_mark
from wardbook.domain.output import Verdict
from wardbook.domain.record import Approval, Intent, Record
from wardbook.domain.run import RunSpec
from wardbook.domain.states import State
from wardbook.errors import Fault
from wardbook.messages import say
from wardbook.review.approving import find_refusal, valid_approvals, worst_verdict
from wardbook.review.standing import is_ending
from wardbook.settings import StandingApproval


def release_outputs(house: House, record: Record) -> Record | None:
    """Let the outputs go on a standing approval, hold them for review, or refuse them."""
    evidence = gather_evidence(house, record)
    if evidence is None:
        raise Fault(f"{record.key}: the run {record.work.run} has no outputs any more.")
    if worst_verdict(record) is Verdict.REFUSE:
        return _refuse(house, record, evidence)
    found = evidence.standing
    if found is not None and not evidence.obstacles:
        return _release(house, record, lambda: _release_standing(house, record, *found))
    text, shown = _show_evidence(house, record, evidence)
    told: dict[str, Any] = {"needed": evidence.panel.needed}
    if evidence.standing is not None:
        name = evidence.standing[0]
        told |= {"standing": name, "obstacles": [str(one) for one in evidence.obstacles]}
    return _move(
        house,
        record,
        State.HELD,
        intents=shown,
        detail=told,
        work=replace(record.work, evidence=digest_of_evidence(text)),
    )


def _release_standing(
    house: House, record: Record, name: str, standing: StandingApproval
) -> Record:
    given = house.now().isoformat()
    approvals = tuple(Approval(one, one, given) for one in dict.fromkeys(standing.reviewers))
    return _move(
        house,
        record,
        State.RELEASED,
        intents=list(_tell_ending(house, record, name, standing)),
        detail={"standing": name, "until": standing.until.isoformat()},
        work=replace(record.work, released_by=approvals, ground="standing"),
    )


def _tell_ending(
    house: House, record: Record, name: str, standing: StandingApproval
) -> Iterator[Intent]:
    """Intend one note on the issue, ahead of the day on which a standing approval ends."""
    schedule = record.request.schedule(house.zone) if record.request else None
    after = schedule.start_after(record.work.settled) if schedule and record.work.settled else None
    next_run = after.astimezone(house.zone).date() if after else None
    if not is_ending(standing, house.today, house.settings.review.notice_days, next_run):
        return
    key = f"{record.key.lower()}/standing-ends-{standing.until}/gitlab.note"
    if house.ledger.was_intended(record.key, key):
        return
    text = say(
        house.settings.unit.language,
        "review.standing_ends",
        name=name,
        until=standing.until.isoformat(),
        reviewers=", ".join(standing.reviewers),
        key=record.key,
    )
    yield Intent(key, "gitlab.note", {"on": "issue", "text": text})


def accept_review(house: House, record: Record) -> Record | None:
    """Enough reviewers approved the evidence of this run: its outputs may leave."""
    approvals = valid_approvals(record, house.circumstances.panel_of(record))

    def move() -> Record:
        return _move(
            house,
            record,
            State.RELEASED,
            actor=", ".join(approval.username for approval in approvals)[:120],
            work=replace(record.work, released_by=approvals, ground="review"),
        )

    return _release(house, record, move)


def _release(house: House, record: Record, move: Callable[[], Record]) -> Record | None:
    """Register the tables that leave, then move; judge them anew where others left meanwhile.

    Registered first: a table that is in the register and did not leave only makes the next safer.
    """
    refuse_twins(RunSpec.read(house.run_folder(str(record.work.run))))
    registered = register_release(house, record)
    if registered is None:
        return None  # another worker is at the register
    if registered:
        return move()
    # Whoever approved had other evidence before their eyes, and what they said is in the record.
    review = replace(record.review, approvals=())
    return _move(house, record, State.CHECKED, work=judge_outputs(house, record), review=review)


def turn_down(house: House, record: Record) -> Record:
    """A reviewer refused, or the merge request was closed: nothing leaves."""
    refusal = find_refusal(record, house.circumstances.panel_of(record))
    if refusal is None:
        raise Fault(f"{record.key}: nobody turned its outputs down; a defect of ours.")
    unit = house.settings.unit.language
    note = _tell_analyst(record, tell_persons_refusal(record, refusal, unit))
    reasons = tell_requester(record, refusal, language_of(house, record))
    detail = {"causes": list(refusal.causes)}
    return _reject(house, record, reasons, [note], refusal.username or "reviewer", detail)


def _refuse(house: House, record: Record, evidence: Evidence) -> Record:
    """A rule refused: nothing leaves. The evidence is shown all the same, to mend it by."""
    unit = house.settings.unit.language
    text, shown = _show_evidence(house, record, evidence)
    note = _tell_analyst(record, tell_rules_refusal(record, unit, public=evidence.public))
    reasons = tell_requester(record, None, language_of(house, record))
    work = replace(record.work, evidence=digest_of_evidence(text))
    rules = sorted({one.reason for one in record.work.checks if one.verdict is Verdict.REFUSE})
    return _reject(house, record, reasons, [*shown, note], None, {"rules": rules}, work=work)


def _tell_analyst(record: Record, text: str) -> Intent:
    return intend(record, State.REJECTED, "gitlab.note", "refusal", on="issue", text=text)


def _reject(
    house: House,
    record: Record,
    reasons: str,
    intents: Sequence[Intent],
    actor: str | None,
    detail: dict[str, Any],
    **changes: Any,
) -> Record:
    language = language_of(house, record)
    comment = say(language, "notice.rejected", key=record.key, reasons=reasons)
    return house.ledger.move(
        record,
        State.REJECTED,
        now=house.now(),
        actor=actor,
        detail=detail,
        intents=[*intend_notices(house, record, State.REJECTED, comment), *intents],
        **changes,
    )


def _move(
    house: House,
    record: Record,
    target: State,
    *,
    intents: Sequence[Intent] = (),
    **changes: Any,
) -> Record:
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        intents=[*intend_notices(house, record, target), *intents],
        **changes,
    )


def _show_evidence(house: House, record: Record, evidence: Evidence) -> tuple[str, list[Intent]]:
    """Write the page on the secure side, and intend the note that a reviewer judges by."""
    language, run = house.settings.unit.language, str(record.work.run)
    page = write_page(house, evidence, language)
    base = house.settings.review.evidence_url
    url = f"{base.rstrip('/')}/{run}/evidence/index.html" if base else None
    text = f"{write_note(evidence, language, page, url)}\n\n{evidence_mark(run)}"
    shown = intend(
        record,
        State.HELD,
        "gitlab.note",
        f"evidence-{digest_of_evidence(text)[:16]}",
        on="merge_request",
        text=text,
    )
    return text, [*open_merge_request(house, record, State.HELD), shown]

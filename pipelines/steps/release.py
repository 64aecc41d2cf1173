"""release: somebody other than the author lets an output out, or a standing approval does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pipelines.decide import may_leave_standing, valid_approvals, worst_verdict
from pipelines.house import House
from pipelines.steps.notices import intend, intend_notices, language_of
from pipelines.steps.prepare import open_merge_request, request_of
from requests_sync.foreign_text import inline_code
from requests_sync.marks import evidence_mark
from wardbook.disclosure import tell_dropped
from wardbook.domain.output import Check, Verdict
from wardbook.domain.record import Approval, Intent, Record
from wardbook.domain.run import RunResult, RunSpec
from wardbook.domain.states import State
from wardbook.messages import Language, say


def release_outputs(house: House, record: Record) -> Record:
    """Let the outputs go on a standing approval, hold them for a reviewer, or refuse them."""
    template = house.templates[request_of(record).template]
    if worst_verdict(record) is Verdict.REFUSE:
        return _reject(house, record, intents=_show_evidence(house, record))
    standing = house.settings.standing_approvals.get(template.spec.name)
    if standing and may_leave_standing(record, standing, template.digest, house.today):
        approval = Approval(standing.reviewer, standing.reviewer, house.now().isoformat())
        return _move(
            house,
            record,
            State.RELEASED,
            work=replace(record.work, released_by=(approval,), ground="standing"),
        )
    return _move(house, record, State.HELD, intents=_show_evidence(house, record))


def accept_review(house: House, record: Record) -> Record:
    """A reviewer approved the evidence of this run: its outputs may leave."""
    approvals = valid_approvals(record, house.service(request_of(record).service).reviewers)
    return _move(
        house,
        record,
        State.RELEASED,
        actor=", ".join(approval.username for approval in approvals),
        work=replace(record.work, released_by=approvals, ground="review"),
    )


def turn_down(house: House, record: Record) -> Record:
    """A reviewer closed the merge request: nothing leaves."""
    return _reject(house, record, actor="reviewer")  # who has the evidence before them


def _reject(
    house: House, record: Record, *, intents: Sequence[Intent] = (), actor: str | None = None
) -> Record:
    comment = say(language_of(house, record), "notice.rejected", key=record.key)
    return house.ledger.move(
        record,
        State.REJECTED,
        now=house.now(),
        actor=actor,
        intents=[*intend_notices(house, record, State.REJECTED, comment), *intents],
    )


def _move(
    house: House,
    record: Record,
    target: State,
    *,
    intents: list[Intent] | None = None,
    actor: str | None = None,
    **changes: Any,
) -> Record:
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        actor=actor,
        intents=[*intend_notices(house, record, target), *(intents or [])],
        **changes,
    )


def _show_evidence(house: House, record: Record) -> list[Intent]:
    """Intend the note on the merge request that a reviewer judges by; no data value is in it."""
    language = house.settings.unit.language
    run = str(record.work.run)
    result = RunResult.read(house.run_folder(run))
    outputs = {output.name: output for output in result.outputs} if result else {}
    lines = []
    for check in record.work.checks:
        output = outputs.get(check.output)
        lines.append(
            say(
                language,
                "issue.evidence_line",
                output=check.output,
                verdict=say(language, f"issue.verdict_{check.verdict}"),
                reason=tell_reason(check, language),
                rows=output.rows if output else "—",
                digest=output.sha256[:16] if output else "—",
            )
        )
    spec = RunSpec.read(house.run_folder(run))
    dropped = map(inline_code, tell_dropped(record.work.dropped, spec, language))
    text = say(
        language,
        "issue.evidence",
        run=run,
        commit=str(record.work.commit)[:12],
        lines="\n".join(lines),
        dropped=", ".join(dropped) or "—",
    )
    shown = intend(
        record,
        State.HELD,
        "gitlab.note",
        "evidence",
        on="merge_request",
        text=f"{text}\n\n{evidence_mark(run)}",
    )
    return [*open_merge_request(house, record, State.HELD), shown]


def tell_reason(check: Check, language: Language) -> str:
    """Return a check's reason in words."""
    return say(language, check.message, **dict(check.details))


def released_names(record: Record) -> Iterator[str]:
    """Yield the outputs that may leave: judged, and not refused."""
    refused = {check.output for check in record.work.checks if check.verdict is Verdict.REFUSE}
    yield from dict.fromkeys(c.output for c in record.work.checks if c.output not in refused)

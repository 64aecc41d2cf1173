"""run and check: the request's notebook is executed, and every declared output judged."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from pipelines.cutting import cut_outputs
from pipelines.house import House
from pipelines.leaving import check_leaving
from pipelines.rerun import is_bound_to_recur
from pipelines.resources import compare_resources
from pipelines.run_spec import describe_run
from pipelines.sources import Ready, hold_for_findings, keep_findings, make_ready, read_findings
from pipelines.steps.notices import intend, intend_notices, language_of
from pipelines.steps.period import add_period_values, period_to_run
from pipelines.steps.prepare import branch_of, folder_of, open_merge_request, request_of
from requests_sync.foreign_text import quote_for_gitlab, quote_for_jira
from wardbook.disclosure import check_outputs, find_undeclared
from wardbook.domain.made_from import digest_parameters, run_key
from wardbook.domain.record import Record, Review, Work
from wardbook.domain.run import Failure, FailureKind, RunResult, RunSpec
from wardbook.domain.states import State
from wardbook.engines.claim import CANCEL
from wardbook.engines.failures import describe_failure
from wardbook.errors import Fault
from wardbook.files import write_atomically
from wardbook.messages import say
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import Template

log = logging.getLogger(__name__)


def start_run(house: House, record: Record) -> Record:
    """Lay out the folder of the run that this commit, these parameters and these data ask for."""
    request = request_of(record)
    template = house.templates[request.template]
    project, branch = record.links.project, branch_of(record.key)
    head = house.gitlab.branch_head(project, branch) if project else None
    if project is None or head is None:
        raise Fault(f"{record.key}: the branch {branch} is gone. Restore it, or edit the ticket.")
    notebook = house.gitlab.file(project, f"{folder_of(record.key)}/{template.spec.notebook}", head)
    texts = house.gitlab.file(project, f"{folder_of(record.key)}/parameters.json", head)
    made = house.circumstances.made_from(request, head, digest_parameters(texts))
    period = period_to_run(house, record)
    texts = add_period_values(house, record, period, texts)
    parameters = read_parameters(template, texts)
    forced = house.ledger.times_forced(record.key)
    if notebook is None or parameters is None:
        ready = Ready({}, failure=Failure(FailureKind.REQUEST_BROKEN))
    else:
        ready = make_ready(house, request, template, made, parameters, forced)
    run = run_key(record.key, period, made, forced)
    house.circumstances.keep_environment(template)
    house.circumstances.keep_template(template)
    folder = house.run_folder(run)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    spec = describe_run(
        run,
        record.key,
        template,
        request.language,
        parameters or {},
        ready.files,
        period=period,
        open_to=house.settings.unit.open_to,
    )
    earlier = RunResult.read(folder)
    if earlier is not None and earlier.failure and not is_bound_to_recur(earlier.failure.kind):
        (folder / "result.json").unlink()  # tried again: what failed then need not fail now
        (folder / CANCEL).unlink(missing_ok=True)
    write_atomically(folder / "notebook.ipynb", notebook or b"")
    keep_findings(folder, ready.findings)
    spec.write(folder)
    if ready.failure is not None:
        RunResult(run, house.now().isoformat(), 0.0, failure=ready.failure).write(folder)
    unchanged = notebook == template.notebook.read_bytes()
    work = Work(
        run=run, period=period, commit=head, made_from=made, forced=forced, unchanged=unchanged
    )
    return house.ledger.move(
        record,
        State.RUNNING,
        now=house.now(),
        intents=list(intend_notices(house, record, State.RUNNING)),
        detail={"run": run},
        work=work,
    )


def read_parameters(template: Template, texts: bytes | None) -> dict[str, object] | None:
    """Type the parameters as they stand on the branch; None where they do not fit the template."""
    try:
        raw = json.loads(texts or b"")
        values, problems = type_parameters(template.spec, {k: str(v) for k, v in raw.items()})
    except (ValueError, AttributeError):
        return None
    return None if problems else values


def follow_run(house: House, record: Record) -> Record | None:
    """Hand the run to the executor unless it has ended; then check what it produced."""
    folder = house.run_folder(str(record.work.run))
    result = RunResult.read(folder)
    if result is None:
        house.executor.submit(folder)
        return None
    if result.failure is not None:
        return _tell_failure(house, record, result.failure, result)
    work = judge_outputs(house, record)
    return house.ledger.move(
        record,
        State.CHECKED,
        now=house.now(),
        intents=list(intend_notices(house, record, State.CHECKED)),
        detail=_timing(house, result) | {"verdicts": [str(check.verdict) for check in work.checks]},
        work=work,
    )


def judge_outputs(house: House, record: Record) -> Work:
    """Return the work of a request whose run succeeded, with every output judged as it leaves.

    Raises:
        Fault: the run's folder is gone.
    """
    request, folder = request_of(record), house.run_folder(str(record.work.run))
    result = RunResult.read(folder)
    if result is None:
        raise Fault(f"{record.key}: the run {record.work.run} has no outputs any more.")
    template = house.templates[request.template]
    outputs, spec = folder / "outputs", template.spec
    policy = house.policy_for(request.service, template)
    checks = check_outputs(result.outputs, outputs, spec, RunSpec.read(folder), policy)
    dropped = find_undeclared(result.outputs, outputs, spec)
    checks = cut_outputs(house, record, checks)
    found, approvals = read_findings(folder), policy.approvals.held
    checks += hold_for_findings(found, checks, policy.reference, approvals)
    work = replace(record.work, checks=checks, dropped=dropped)
    return replace(work, checks=checks + check_leaving(house, replace(record, work=work)))


def _timing(house: House, result: RunResult) -> dict[str, object]:
    took = {"started": result.started, "seconds": round(result.seconds, 3)}
    return took | compare_resources(RunSpec.read(house.run_folder(result.key)), result)


def _tell_failure(house: House, record: Record, failure: Failure, result: RunResult) -> Record:
    language = language_of(house, record)
    told = describe_failure(failure, language)
    place = quote_for_jira(told.place) if told.place else "—"
    comment = say(
        language,
        "notice.failed",
        key=record.key,
        cause=quote_for_jira(told.cause),
        place=place,
        next_step=quote_for_jira(told.next_step),
    )
    unit = house.settings.unit.language
    told = describe_failure(failure, unit)
    lines = "\n".join(filter(None, (told.cause, told.place, told.next_step)))
    text = say(unit, "issue.failed", run=result.key, lines=quote_for_gitlab(lines))
    note = intend(record, State.FAILED, "gitlab.note", "failure", on="issue", text=text)
    return house.ledger.move(
        record,
        State.FAILED,
        now=house.now(),
        intents=[
            *open_merge_request(house, record, State.FAILED),
            *intend_notices(house, record, State.FAILED, comment),
            note,
        ],
        detail=_timing(house, result) | {"failure": str(failure.kind)},
        work=replace(record.work, failure=failure),
    )


def mend_request(house: House, record: Record) -> Record:
    """Something is not as it was when the request was run. Run again, for its period."""
    work = Work(period=record.work.period)
    mended = replace(record, revision=record.revision + 1, work=work)
    return house.ledger.move(
        record,
        State.PREPARED,
        now=house.now(),
        intents=list(intend_notices(house, mended, State.PREPARED)),
        actor=", ".join(record.review.authors) or None,
        detail={"commit": record.review.head},
        revision=mended.revision,
        work=mended.work,
        review=Review(),
    )


def force_request(house: House, record: Record, actor: str, reason: str) -> Record:
    """A person has the request run again although nothing changed: the run's key counts that."""
    forced = house.ledger.times_forced(record.key) + 1
    anew = replace(
        record, revision=record.revision + 1, work=Work(period=record.work.period, forced=forced)
    )
    return house.ledger.move(
        record,
        State.PREPARED,
        now=house.now(),
        intents=list(intend_notices(house, anew, State.PREPARED)),
        actor=actor,
        detail={"reason": reason},
        forced=True,
        revision=anew.revision,
        work=anew.work,
        review=Review(),
    )

"""run and check: the request's notebook is executed, and every declared output judged."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.house import House
from pipelines.resources import compare_resources
from pipelines.steps.notices import intend, intend_notices, language_of
from pipelines.steps.prepare import branch_of, folder_of, open_merge_request, request_of
from requests_sync.foreign_text import quote_for_gitlab, quote_for_jira
from wardbook.disclosure import check_outputs, find_undeclared
from wardbook.domain.periods import period_of
from wardbook.domain.record import Record, Review, Work
from wardbook.domain.request import Request
from wardbook.domain.run import Failure, FailureKind, RunResult, RunSpec, SourceFile
from wardbook.domain.states import State
from wardbook.engines.failures import describe_failure
from wardbook.errors import Fault
from wardbook.files import hash_file, write_atomically
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
    sources, failure = find_sources(house, request)
    parameters = read_parameters(template, texts)
    if notebook is None or parameters is None:
        failure = Failure(FailureKind.REQUEST_BROKEN)
    period = period_of(request.every, house.today)
    run = run_key(record.key, period, head, template, texts or b"", sources)
    folder = house.run_folder(run)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    spec = RunSpec(
        key=run,
        request=record.key,
        template=template.spec.name,
        template_folder=str(template.folder),
        kernel=template.spec.kernel,
        language=request.language,
        parameters=parameters or {},
        sources=sources,
        engine=template.spec.engine,
        period=period,
        cpus=template.spec.resources.cpus,
        memory_mb=template.spec.resources.memory_mb,
        seconds=template.spec.resources.minutes * 60,
        partition=template.spec.resources.partition,
        gres=template.spec.resources.gres,
    )
    earlier = RunResult.read(folder)
    if earlier is not None and earlier.failure is not None:
        (folder / "result.json").unlink()  # tried again: what failed then need not fail now
    write_atomically(folder / "notebook.ipynb", notebook or b"")
    spec.write(folder)
    if failure is not None:
        RunResult(run, house.now().isoformat(), 0.0, failure=failure).write(folder)
    unchanged = notebook == template.notebook.read_bytes()
    work = Work(run=run, period=period, commit=head, unchanged=unchanged)
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


def find_sources(house: House, request: Request) -> tuple[dict[str, SourceFile], Failure | None]:
    """Return the sources that are there now, and the failure to tell when one is missing."""
    found: dict[str, SourceFile] = {}
    failure = None
    for name, chosen in request.sources.items():
        source = house.settings.sources[chosen]
        try:
            digest = hash_file(source.path)
        except OSError:
            details = {"file": source.path.name}
            failure = Failure(FailureKind.DATA_PROBLEM, problem="file_missing", details=details)
        else:
            found[name] = SourceFile(str(source.path), digest, source.sensitivity)
    return found, failure


def run_key(
    key: str,
    period: str,
    commit: str,
    template: Template,
    parameters: bytes,
    sources: Mapping[str, SourceFile],
) -> str:
    """Return the key of a run: request × period × code × parameters × data.

    Equal keys are one run.
    """
    parts = [
        key,
        *filter(None, [period]),
        commit,
        template.digest,
        hashlib.sha256(parameters).hexdigest(),
    ]
    parts += [f"{name}={source.sha256}" for name, source in sorted(sources.items())]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"{key.lower()}-{digest[:16]}"


def follow_run(house: House, record: Record) -> Record | None:
    """Hand the run to the executor unless it has ended; then check what it produced."""
    folder = house.run_folder(str(record.work.run))
    result = RunResult.read(folder)
    if result is None:
        house.executor.submit(folder)
        return None
    if result.failure is not None:
        return _tell_failure(house, record, result.failure, result)
    template = house.templates[request_of(record).template]
    outputs = folder / "outputs"
    checks = check_outputs(result.outputs, outputs, template.spec, RunSpec.read(folder))
    work = replace(record.work, checks=checks, dropped=find_undeclared(result.outputs, outputs))
    return house.ledger.move(
        record,
        State.CHECKED,
        now=house.now(),
        intents=list(intend_notices(house, record, State.CHECKED)),
        detail=_timing(house, result) | {"verdicts": [str(check.verdict) for check in checks]},
        work=work,
    )


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


def were_data_mended(house: House, record: Record) -> bool:
    """Tell whether the data on which a run failed are others now.

    A file is read again only when it was touched since the run, so asking costs next to nothing.
    """
    failure = record.work.failure
    if record.state is not State.FAILED or failure is None:
        return False
    if failure.kind is not FailureKind.DATA_PROBLEM:
        return False
    folder = house.run_folder(str(record.work.run))
    ended = (folder / "result.json").stat().st_mtime
    known = RunSpec.read(folder).sources
    return any(
        _is_other_now(house.settings.sources[chosen].path, known.get(name), ended)
        for name, chosen in request_of(record).sources.items()
    )


def _is_other_now(file: Path, known: SourceFile | None, since: float) -> bool:
    if known is None:
        return file.is_file()  # it was missing
    try:
        return file.stat().st_mtime > since and hash_file(file) != known.sha256
    except OSError:
        return False


def mend_request(house: House, record: Record) -> Record:
    """The branch or the data are others than those that were run. Run again."""
    mended = replace(record, revision=record.revision + 1, work=Work())
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

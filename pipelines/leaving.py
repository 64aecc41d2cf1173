"""What would leave is made once before anybody decides, in the run's own folder, and read.

A reviewer decides on the artefact, not on its declaration; nothing here is published. Runs of
requests and runs by hand are judged by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipelines.house import House
from pipelines.provenance import Finished, render_deliverable
from pipelines.steps.prepare import request_of
from wardbook.domain.output import Channel, Check, OutputKind, Sensitivity, Verdict, verdicts_of
from wardbook.domain.record import Record
from wardbook.domain.run import RunSpec, SourceFile
from wardbook.settings import IdentifierSettings, NameColumns
from wardbook.template.spec import TemplateSpec

if TYPE_CHECKING:
    from wardbook.artefacts.judge import Ground
    from wardbook.disclosure.policy import Policy
    from wardbook.identifiers.name_index import NameIndex

Render = Callable[[Sequence[str], Path], None]
"""Writes the report with the outputs of these names into a new folder."""


def check_leaving(house: House, record: Record) -> tuple[Check, ...]:
    """Return the checks of everything that the run of this record would let out.

    Args:
        house: the unit.
        record: the request; its work names the run and the checks of the declared outputs.
    """
    done = Finished.of(house, record)

    def render(names: Sequence[str], staged: Path) -> None:
        render_deliverable(house, record, done, names, staged)

    return check_run(done, record.work.checks, ground_of(house, record, done), render)


def check_run(
    done: Finished, checks: Sequence[Check], ground: Ground, render: Render
) -> tuple[Check, ...]:
    """Return the checks of what a run would let out, as any reader could read it.

    Args:
        done: the run.
        checks: of the declared outputs; what is refused is not looked at.
        ground: what it is judged by.
        render: makes the report.
    """
    from wardbook.artefacts.deliverable import check_files

    spec = done.template.spec
    refused = {check.output for check in checks if check.verdict is Verdict.REFUSE}
    leaving = [name for name in spec.outputs if name not in refused]
    site = [name for name in leaving if spec.outputs[name].channel is Channel.SITE]
    found = list(_check_report(done, site, ground, render)) if site else []
    others = {
        output: spec.outputs[output.name].sensitivity
        for output in done.result.outputs
        if output.name in leaving and output.name not in site
    }
    return (*found, *check_files(others, done.outputs, ground))


def _check_report(
    done: Finished, site: Sequence[str], ground: Ground, render: Render
) -> tuple[Check, ...]:
    from wardbook.artefacts.deliverable import check_report_folder, tell_unrendered
    from wardbook.report.problem import ReportProblem

    report = report_name(done.template.spec, site)
    with TemporaryDirectory(dir=done.folder, prefix="leaving-") as scratch:
        staged = Path(scratch) / "report"
        try:
            render(site, staged)
        except ReportProblem as problem:
            return (tell_unrendered(report, problem),)
        return check_report_folder(report, staged, done.template.spec, done.spec.language, ground)


def check_payload(
    house: House, record: Record, output: str, payload: str | bytes
) -> tuple[Check, ...]:
    """Judge what a channel is about to send of an output, right before it sends it.

    Every channel that writes an output's content elsewhere than into the report or onto the share
    calls this, and sends only what passes.

    Args:
        house: the unit.
        record: the request, released.
        output: name of a declared output.
        payload: the text of a comment, or JSON as bytes.
    """
    from wardbook.artefacts.deliverable import check_payload as judge_payload

    done = Finished.of(house, record)
    declared, verdicts = done.template.spec.outputs, verdicts_of(record.work.checks)
    ground, kept = ground_of(house, record, done), declared[output].sensitivity
    tables = [
        done.outputs / one.file
        for one in done.result.outputs
        if one.kind is OutputKind.TABLE
        and not ground.public  # then no number has to be accounted for
        and declared[one.name].sensitivity is not Sensitivity.SENSITIVE
        and verdicts.get(one.name, Verdict.REFUSE) is not Verdict.REFUSE
    ]
    return judge_payload(output, payload, tables, ground, kept)


def refuse_unchecked(
    house: House, record: Record, done: Finished, site: Sequence[str], staged: Path
) -> None:
    """Read a rendered report once more, right before it leaves.

    Raises:
        ReportProblem: it holds something that nobody saw when the run was checked; the message
            names the reasons only.
    """
    from wardbook.artefacts.deliverable import check_report_folder
    from wardbook.artefacts.judge import NAMES_UNREAD
    from wardbook.report.problem import ReportProblem

    spec, language = done.template.spec, done.spec.language
    report = report_name(spec, site)
    found = check_report_folder(report, staged, spec, language, ground_of(house, record, done))
    seen = {(check.output, check.reason, check.details) for check in record.work.checks}
    new = [
        check.reason
        for check in found
        if check.verdict is not Verdict.PASS
        # A source may change while people decide; its names were looked for when it was checked.
        and check.reason != NAMES_UNREAD
        and (check.output, check.reason, check.details) not in seen
    ]
    if new:
        raise ReportProblem(
            f"{record.key}: the report is not the one that was checked ({', '.join(new)}). "
            "Run the request again."
        )


def ground_of(house: House, record: Record, done: Finished) -> Ground:
    """Return what the artefacts of a request's run are judged by."""
    request, settings = request_of(record), house.settings
    columns = {
        name: settings.sources[chosen].names
        for name, chosen in request.sources.items()
        if chosen in settings.sources
    }
    policy = house.policy_for(request.service, done.template)
    return make_ground(done.template.spec, done.spec, policy, settings.identifiers, columns)


def make_ground(
    spec: TemplateSpec,
    run: RunSpec,
    policy: Policy,
    known: IdentifierSettings,
    columns: Mapping[str, NameColumns | None],
) -> Ground:
    """Return what the artefacts of any run are judged by.

    Args:
        spec: the template's declaration.
        run: what the run read.
        policy: the rules in force.
        known: the site's numbers.
        columns: for each of the run's sources where its file names persons.
    """
    from wardbook.artefacts.judge import Ground
    from wardbook.identifiers.context import Context
    from wardbook.identifiers.site import SitePatterns

    # What is about persons leaves sealed and may name them: nobody looks for names there.
    looks = any(one.sensitivity is not Sensitivity.SENSITIVE for one in spec.outputs.values())
    cohort, unread = _read_names(run, columns if looks else {})
    return Ground(
        public=run.reads_only_public,
        least=policy.minimum_count,
        context=Context(
            cohort=cohort, site=SitePatterns(known.ipp, known.nda), shown=frozenset(known.shown)
        ),
        most_rows=policy.most_rows,
        policy=policy.reference,
        unread=unread,
    )


def _read_names(
    run: RunSpec, columns: Mapping[str, NameColumns | None]
) -> tuple[NameIndex, tuple[str, ...]]:
    """Return the persons named in what a run read, and the sources whose names nobody knows."""
    from wardbook.identifiers.cohort import NamesUnread, read_cohort
    from wardbook.identifiers.name_index import NO_NAMES, NameIndex

    people: set[tuple[str, str]] = set()
    unread = []
    for name, source in run.sources.items():
        where = columns.get(name)
        if where is None:
            continue
        try:
            if not _is_as_read(source):
                raise NamesUnread
            people |= read_cohort(Path(source.path), where.surnames, where.first_names)
            if not _is_as_read(source):
                raise NamesUnread
        except (NamesUnread, OSError):
            unread.append(name)
    return (NameIndex.of(people) if people else NO_NAMES), tuple(unread)


def _is_as_read(source: SourceFile) -> bool:
    """Tell whether the file system says of a source what it said when the run was made."""
    found = Path(source.path).stat()
    return (found.st_size, found.st_mtime_ns) == (source.size, source.mtime_ns)


def report_name(spec: TemplateSpec, site: Sequence[str]) -> str:
    """Return the output that a report's checks are told of: itself, or the first that it shows."""
    reports = (name for name in site if spec.outputs[name].kind is OutputKind.REPORT)
    return next(reports, site[0])

"""What would leave is made once before anybody decides, in the run's own folder, and read.

A reviewer decides on the artefact, not on its declaration; nothing here is published.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipelines.house import House
from pipelines.provenance import Finished, render_deliverable
from pipelines.steps.prepare import request_of
from wardbook.domain.output import Channel, Check, OutputKind, Verdict
from wardbook.domain.record import Record
from wardbook.template.spec import TemplateSpec

if TYPE_CHECKING:
    from wardbook.artefacts.judge import Ground


def check_leaving(house: House, record: Record) -> tuple[Check, ...]:
    """Return the checks of everything that the run of this record would let out.

    Args:
        house: the unit.
        record: the request; its work names the run and the checks of the declared outputs.
    """
    from wardbook.artefacts.deliverable import check_file

    done = Finished.of(house, record)
    spec = done.template.spec
    refused = {check.output for check in record.work.checks if check.verdict is Verdict.REFUSE}
    leaving = [name for name in spec.outputs if name not in refused]
    ground = ground_of(house, record, done)
    site = [name for name in leaving if spec.outputs[name].channel is Channel.SITE]
    checks = list(_check_report(house, record, done, site, ground)) if site else []
    for output in done.result.outputs:
        if output.name in leaving and output.name not in site:
            kept = spec.outputs[output.name].sensitivity
            checks += check_file(output, done.outputs, ground, kept)
    return tuple(checks)


def _check_report(
    house: House, record: Record, done: Finished, site: Sequence[str], ground: Ground
) -> tuple[Check, ...]:
    from wardbook.artefacts.deliverable import check_report_folder, tell_unrendered
    from wardbook.report.problem import ReportProblem

    report = report_name(done.template.spec, site)
    with TemporaryDirectory(dir=done.folder, prefix="leaving-") as scratch:
        staged = Path(scratch) / "report"
        try:
            render_deliverable(house, record, done, site, staged)
        except ReportProblem as problem:
            return (tell_unrendered(report, problem),)
        return check_report_folder(report, staged, done.template.spec, done.spec.language, ground)


def refuse_unchecked(
    house: House, record: Record, done: Finished, site: Sequence[str], staged: Path
) -> None:
    """Read a rendered report once more, right before it leaves.

    Raises:
        ReportProblem: it holds something that nobody saw when the run was checked; the message
            names the reasons only.
    """
    from wardbook.artefacts.deliverable import check_report_folder
    from wardbook.report.problem import ReportProblem

    spec, language = done.template.spec, done.spec.language
    report = report_name(spec, site)
    found = check_report_folder(report, staged, spec, language, ground_of(house, record, done))
    seen = {(check.output, check.reason, check.details) for check in record.work.checks}
    new = [
        check.reason
        for check in found
        if check.verdict is not Verdict.PASS
        and (check.output, check.reason, check.details) not in seen
    ]
    if new:
        raise ReportProblem(
            f"{record.key}: the report is not the one that was checked ({', '.join(new)}). "
            "Run the request again."
        )


def ground_of(house: House, record: Record, done: Finished) -> Ground:
    """Return what the artefacts of a run are judged by."""
    from wardbook.artefacts.judge import Ground
    from wardbook.identifiers.context import Context
    from wardbook.identifiers.site import SitePatterns

    known = house.settings.identifiers
    policy = house.policy_for(request_of(record).service, done.template)
    return Ground(
        public=done.spec.reads_only_public,
        least=policy.minimum_count,
        context=Context(site=SitePatterns(known.ipp, known.nda), shown=frozenset(known.shown)),
        most_rows=policy.most_rows,
        policy=policy.reference,
    )


def report_name(spec: TemplateSpec, site: Sequence[str]) -> str:
    """Return the output that a report's checks are told of: itself, or the first that it shows."""
    reports = (name for name in site if spec.outputs[name].kind is OutputKind.REPORT)
    return next(reports, site[0])

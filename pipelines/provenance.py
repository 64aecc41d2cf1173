"""What a deliverable tells about itself: the report's foot, and the signed receipt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.headlines import headlines_of
from pipelines.house import House
from pipelines.steps.prepare import request_of
from requests_sync.foreign_text import title_of
from wardbook import seal as sealing
from wardbook.disclosure import tell_dropped
from wardbook.disclosure.leaving import hidden_rows, read_leaving
from wardbook.domain.output import Channel, Output, releasable
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.domain.run import RunResult, RunSpec
from wardbook.environment import environment_digest, platform_version
from wardbook.errors import Fault
from wardbook.files import write_atomically
from wardbook.template.spec import Template

if TYPE_CHECKING:
    from wardbook.report.editions import PastEdition
    from wardbook.report.foot import Beside

THRESHOLDS = frozenset(
    {"approvals", "base", "least", "limit", "most", "needed", "percent", "redacted", "rules"}
)
"""The details of a check that are a rule's own numbers; all others may come from the data."""


@dataclass(frozen=True)
class Finished:
    """A run that ended well, with all that a deliverable tells about it."""

    spec: RunSpec
    result: RunResult
    folder: Path
    template: Template
    outputs: Path
    """Where the outputs stand as they leave; `result` tells of those."""

    @classmethod
    def of(cls, house: House, record: Record) -> Finished:
        """Read the request's run.

        Raises:
            Fault: its folder is gone.
        """
        folder = house.run_folder(str(record.work.run))
        result = RunResult.read(folder)
        if result is None or result.failure is not None:
            raise Fault(f"{record.key}: the run {record.work.run} has no outputs any more.")
        template = house.templates[request_of(record).template]
        where, outputs = read_leaving(folder, result.outputs)
        return cls(RunSpec.read(folder), replace(result, outputs=outputs), folder, template, where)

    def output(self, name: str) -> Output:
        """Return one of the run's outputs."""
        return next(output for output in self.result.outputs if output.name == name)


def refuse_twins(run: RunSpec) -> None:
    """Stand before everything that lets a run's results out.

    Raises:
        Fault: it read stand-ins. Production never does, so somebody has put it there.
    """
    if run.twins:
        raise Fault(
            f"{run.key}: it was made with synthetic stand-ins ({', '.join(run.twins)}), so it "
            "leaves nowhere. Run the request on its own sources."
        )


def render_deliverable(
    house: House,
    record: Record,
    done: Finished,
    names: Sequence[str],
    staged: Path,
    assets: str | None = "../../../assets",
) -> None:
    """Render the report with the outputs of these names into the new folder `staged`.

    `assets` is where the site's stand from there; None for a report that stands alone.
    """
    from wardbook.report.limits import KB, SizeLimits
    from wardbook.report.provenance import Provenance
    from wardbook.report.released import report_sensitivity
    from wardbook.report.render import render_report

    request, language = request_of(record), done.spec.language
    site = house.settings.site
    spec, made = done.template.spec, record.work.made_from
    provenance = Provenance(
        request=record.key,
        request_url=record.links.issue_url,
        service=request.service,
        template=spec.title.in_language(language),
        template_version=made.template_version if made else spec.version,
        template_digest=made.template_digest if made else done.template.digest,
        commit=record.work.commit,
        run=done.spec.key,
        started=done.result.started,
        sources=tuple(
            (spec.sources[name].label.in_language(language), Path(file.path).name, file.sha256)
            for name, file in done.spec.sources.items()
        ),
        parameters=tuple(
            (spec.parameters[name].label.in_language(language), text)
            for name, text in told_parameters(done, request).items()
            if text
        ),
        checks=tuple(check for check in record.work.checks if check.output in names),
        dropped=tell_dropped(record.work.dropped, done.spec, done.spec.language),
        environment=_environment_of(record),
        receipt="receipt.json",
        twins=label_twins(done.spec, done.template),
    )
    render_report(
        executed=done.folder / "executed.ipynb",
        outputs=done.outputs,
        released=[output for output in done.result.outputs if output.name in names],
        template=done.template,
        title=title_of(request.title),
        question=request.question or spec.question.in_language(language),
        provenance=provenance,
        language=language,
        destination=staged,
        assets=assets,
        unit=house.settings.unit.name,
        hidden=hidden_rows(done.folder),
        headlines=headlines_of(
            done, {*names, *releasable(record.work.checks)}, report_sensitivity(done.template)
        ),
        editions=_editions_before(house, record, done) if assets else (),
        beside=made_beside(house) if assets else frozenset(),
        limits=SizeLimits(page=site.page_kb * KB, folder=site.report_kb * KB),
    )


def label_twins(run: RunSpec, template: Template) -> tuple[str, ...]:
    """Return the labels of the sources of which a run read stand-ins, in the report's language."""
    sources = template.spec.sources
    return tuple(sources[name].label.in_language(run.language) for name in run.twins)


def made_beside(house: House) -> frozenset[Beside]:
    """Return what is made of a published report once it is checked."""
    return frozenset({"xlsx", "pdf"} if house.settings.site.pdf else {"xlsx"})


def edition_of(record: Record) -> str:
    """Return the name of this edition of a request's deliverables: the run's digest."""
    return str(record.work.run).rpartition("-")[2]


def _editions_before(house: House, record: Record, done: Finished) -> list[PastEdition]:
    """Return the published editions of a request that are older than this run, newest first."""
    from wardbook.pages.address import slug_of
    from wardbook.pages.results import read_editions
    from wardbook.report.editions import PastEdition

    started = datetime.fromisoformat(done.result.started)
    return [
        PastEdition(one.address.rpartition("/")[2], one.card.started)
        for one in read_editions(house.settings.site.folder, slug_of(record.key))
        if one.card.started < started
    ]


def _environment_of(record: Record) -> str:
    """Return the digest of the software that the run was made with, which may be gone by now."""
    made = record.work.made_from
    return made.environment if made else environment_digest()


def told_parameters(done: Finished, request: Request) -> dict[str, str]:
    """Return what the requester wrote, with what this run took from its period."""
    from_period = {
        name: done.spec.parameters.get(name)
        for name, parameter in done.template.spec.parameters.items()
        if parameter.from_period
    }
    texts = {
        name: str(value["date"] if isinstance(value, dict) else value)
        for name, value in from_period.items()
        if value
    }
    return texts | {name: text for name, text in request.parameters.items() if text}


def sign_deliverable(
    house: House,
    record: Record,
    done: Finished,
    files: dict[str, str],
    folder: Path,
    output: str,
    channel: Channel,
    *,
    editions: Path,
    stem: str = "receipt",
    sealed_to: tuple[sealing.SealedTo, ...] = (),
) -> None:
    """Write the signed receipt of delivered files into their folder; a report gets an RO-Crate too.

    Args:
        house: for the unit's key.
        record: the request.
        done: its run.
        files: name of each delivered file in `folder`: its SHA-256.
        folder: where the files and the receipt stand.
        output: name of the output.
        channel: how it leaves.
        editions: the folder in which each edition of this request has its folder.
        stem: of the receipt's file name.
        sealed_to: the key that a sealed file is for.

    Raises:
        Fault: the run read stand-ins.
    """
    refuse_twins(done.spec)
    signer = sealing.Fingerprint(house.settings.seal.signer)
    receipt = sealing.Receipt.of(
        [sealing.Subject(name, digest, _size(folder, name)) for name, digest in files.items()],
        origin=_origin_of(record, done),
        run=_evidence_of(house, record, done),
        release=sealing.Release(
            output=output,
            channel=channel.value,
            language=done.spec.language,
            approvals=tuple(
                sealing.Approval(one.username, datetime.fromisoformat(one.at), record.work.ground)
                for one in record.work.released_by
            ),
            sealed_to=sealed_to,
        ),
    )
    previous = sealing.find_newest(
        editions,
        receipt,
        public_key=house.keyring.export_public(signer),
        fingerprint=signer,
        now=house.now(),
    )
    receipt = replace(receipt, release=replace(receipt.release, previous=previous))
    if channel is Channel.SITE:
        receipt = _add_crate(receipt, folder)
    sealing.write_receipt(receipt, folder, signer=signer, keyring=house.keyring, stem=stem)


def _origin_of(record: Record, done: Finished) -> sealing.Origin:
    """Return what was asked and what the run was made from, as the run's own parts tell it."""
    made = record.work.made_from
    return sealing.Origin(
        ticket=record.key,
        request_url=str(record.links.issue_url),
        period=done.spec.period,
        template=done.spec.template,
        template_version=made.template_version if made else done.template.spec.version,
        template_sha256=made.template_digest if made else done.template.digest,
        parameters_sha256=digest_values(done.spec.parameters),
        commit=str(record.work.commit),
        environment_sha256=_environment_of(record),
        sources=tuple(
            sealing.Source(
                name,
                made.sources[name].source if made else name,
                file.sha256,
                datetime.fromtimestamp(file.mtime_ns // 10**9, UTC),
            )
            for name, file in done.spec.sources.items()
        ),
    )


def _evidence_of(house: House, record: Record, done: Finished) -> sealing.RunEvidence:
    started, used = datetime.fromisoformat(done.result.started), done.result.used
    return sealing.RunEvidence(
        key=done.spec.key,
        executor=house.settings.executor.kind,
        builder=house.settings.site.url,
        builder_version=platform_version(),
        started=started,
        finished=started + timedelta(seconds=done.result.seconds),
        use=sealing.Use(float(used.cpu_seconds), used.peak_mb) if used else None,
        checks=tuple(
            sealing.CheckEvidence(
                check.output,
                check.rule,
                check.verdict.value,
                check.reason,
                {name: value for name, value in check.details if name in THRESHOLDS},
            )
            for check in record.work.checks
        ),
        policy=_policy_of(record),
        dropped=tell_dropped(record.work.dropped, done.spec, done.spec.language),
    )


def _policy_of(record: Record) -> sealing.PolicyUsed | None:
    """Return the policy by which a run's outputs were checked: one for all of them, or none."""
    used = next((check.policy for check in record.work.checks if check.policy), None)
    return sealing.PolicyUsed(used.name, used.version, used.digest) if used else None


def digest_values(parameters: Mapping[str, Any]) -> str:
    """Return the SHA-256 of typed parameters as canonical JSON."""
    text = json.dumps(dict(parameters), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _add_crate(receipt: sealing.Receipt, folder: Path) -> sealing.Receipt:
    """Write the crate of what the receipt tells, and let the receipt name that file too."""
    crate = sealing.write_crate(receipt)
    write_atomically(folder / sealing.CRATE, crate, mode=0o644)
    subject = sealing.Subject(sealing.CRATE, hashlib.sha256(crate).hexdigest(), len(crate))
    subjects = (*receipt.subjects, subject)
    return replace(receipt, subjects=tuple(sorted(subjects, key=lambda one: one.name)))


def _size(folder: Path, name: str) -> int:
    return (folder / name).stat().st_size

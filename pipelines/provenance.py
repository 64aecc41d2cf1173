"""What a deliverable tells about itself: the report's foot, and the signed receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.house import House
from pipelines.steps.prepare import request_of
from requests_sync.foreign_text import title_of
from wardbook import seal as sealing
from wardbook.disclosure import tell_dropped
from wardbook.domain.output import Channel, Output
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.domain.run import RunResult, RunSpec
from wardbook.environment import environment_digest, platform_version
from wardbook.errors import Fault
from wardbook.template.spec import Template


@dataclass(frozen=True)
class Finished:
    """A run that ended well, with all that a deliverable tells about it."""

    spec: RunSpec
    result: RunResult
    folder: Path
    template: Template

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
        return cls(RunSpec.read(folder), result, folder, template)

    def output(self, name: str) -> Output:
        """Return one of the run's outputs."""
        return next(output for output in self.result.outputs if output.name == name)


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
    from wardbook.report.provenance import Provenance
    from wardbook.report.render import render_report

    request, language = request_of(record), done.spec.language
    spec = done.template.spec
    provenance = Provenance(
        request=record.key,
        request_url=record.links.issue_url,
        service=request.service,
        template=spec.title.in_language(language),
        template_version=spec.version,
        template_digest=done.template.digest,
        commit=record.work.commit,
        run=done.spec.key,
        started=done.result.started,
        sources=tuple(
            (spec.sources[name].label.in_language(language), Path(file.path).name, file.sha256)
            for name, file in done.spec.sources.items()
        ),
        parameters=tuple(
            (spec.parameters[name].label.in_language(language), text)
            for name, text in _told_parameters(done, request).items()
            if text
        ),
        checks=tuple(check for check in record.work.checks if check.output in names),
        dropped=tell_dropped(record.work.dropped, done.spec, done.spec.language),
        environment=_environment_of(record),
        receipt="receipt.json",
    )
    render_report(
        executed=done.folder / "executed.ipynb",
        outputs=done.folder / "outputs",
        released=[output for output in done.result.outputs if output.name in names],
        template=done.template,
        title=title_of(request.title),
        question=request.question or spec.question.in_language(language),
        provenance=provenance,
        language=language,
        destination=staged,
        assets=assets,
        unit=house.settings.unit.name,
    )


def _environment_of(record: Record) -> str:
    """Return the digest of the software that the run was made with, which may be gone by now."""
    made = record.work.made_from
    return made.environment if made else environment_digest()


def _told_parameters(done: Finished, request: Request) -> dict[str, str]:
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
    stem: str = "receipt",
    sealed_to: tuple[sealing.SealedTo, ...] = (),
) -> None:
    """Write the signed receipt of delivered files into their folder.

    Args:
        house: for the unit's key.
        record: the request.
        done: its run.
        files: name of each delivered file in `folder`: its SHA-256.
        folder: where the files and the receipt stand.
        output: name of the output.
        channel: how it leaves.
        stem: of the receipt's file name.
        sealed_to: the key that a sealed file is for.
    """
    started = datetime.fromisoformat(done.result.started)
    parameters = repr(sorted(done.spec.parameters.items())).encode()
    receipt = sealing.Receipt.of(
        files,
        origin=sealing.Origin(
            ticket=record.key,
            request_url=str(record.links.issue_url),
            template=f"{done.template.spec.name} {done.template.spec.version}",
            template_sha256=done.template.digest,
            parameters_sha256=hashlib.sha256(parameters).hexdigest(),
            commit=str(record.work.commit),
            environment_sha256=_environment_of(record),
            sources=tuple(
                sealing.Source(name, file.sha256) for name, file in done.spec.sources.items()
            ),
        ),
        run=sealing.RunEvidence(
            key=done.spec.key,
            executor=house.settings.executor.kind,
            builder=house.settings.site.url,
            builder_version=platform_version(),
            started=started,
            finished=started + timedelta(seconds=done.result.seconds),
            checks=tuple(
                sealing.CheckEvidence(
                    f"{check.output}: {check.rule}",
                    check.verdict.value,
                    check.reason,
                    str(check.policy or ""),
                )
                for check in record.work.checks
            ),
            dropped=tell_dropped(record.work.dropped, done.spec, done.spec.language),
        ),
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
    sealing.write_receipt(
        receipt,
        folder,
        signer=sealing.Fingerprint(house.settings.seal.signer),
        keyring=house.keyring,
        stem=stem,
    )

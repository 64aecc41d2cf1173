"""Channels: a released output reaches the site or the share, with its signed receipt.

Both effects may be repeated: what stands whole with a valid receipt of the same run is kept.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.house import House
from pipelines.site import rebuild_site
from pipelines.steps.prepare import request_of
from requests_sync.effects import Effect
from requests_sync.foreign_text import title_of
from wardbook import seal as sealing
from wardbook.domain.output import Channel, Output, Sensitivity
from wardbook.domain.record import Deliverable, Intent, Outcome, Record
from wardbook.domain.run import RunResult, RunSpec
from wardbook.environment import environment_digest, platform_version
from wardbook.errors import Fault, SealRefusal
from wardbook.files import hash_file
from wardbook.messages import say
from wardbook.pages.address import edition_folder, slug_of
from wardbook.template.spec import Template


@dataclass(frozen=True)
class _Finished:
    """A run that ended well, with all that a deliverable tells about it."""

    spec: RunSpec
    result: RunResult
    folder: Path
    template: Template

    @classmethod
    def of(cls, house: House, record: Record) -> _Finished:
        folder = house.run_folder(str(record.work.run))
        result = RunResult.read(folder)
        if result is None or result.failure is not None:
            raise Fault(f"{record.key}: the run {record.work.run} has no outputs any more.")
        template = house.templates[request_of(record).template]
        return cls(RunSpec.read(folder), result, folder, template)

    def output(self, name: str) -> Output:
        return next(output for output in self.result.outputs if output.name == name)


@dataclass(frozen=True)
class SitePublish:
    """The report on the site, with its tables and its receipt."""

    house: House

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Nothing to look for: publishing the same edition again keeps what stands."""
        del intent, record
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Render, sign, publish; then bring the site's own pages up to date."""
        site = self.house.settings.site
        slug, edition = slug_of(record.key), edition_of(record)
        folder = edition_folder(site.folder, slug, edition)
        staging = self.house.settings.unit.state / "staging" / str(record.work.run)
        shutil.rmtree(staging, ignore_errors=True)  # what a killed attempt left
        if not holds_receipt(self.house, folder, str(record.work.run)):
            staging.mkdir(parents=True, mode=0o700)
            self._publish(intent.payload["outputs"], record, staging / "report", slug, edition)
            shutil.rmtree(staging)
        rebuild_site(self.house)
        address = f"{site.url.rstrip('/')}/reports/{slug}/{edition}/"
        return _delivered(record, "report", Channel.SITE, address, folder, "index.html")

    def _publish(
        self, names: Sequence[str], record: Record, staged: Path, slug: str, edition: str
    ) -> None:
        from wardbook.pages.publish import publish_report

        done = _Finished.of(self.house, record)
        _render(self.house, record, done, names, staged)
        files = {
            file.relative_to(staged).as_posix(): hash_file(file)
            for file in staged.rglob("*")
            if file.is_file()
        }
        _sign(self.house, record, done, files, staged, "report", Channel.SITE)
        publish_report(self.house.settings.site.folder, staged, slug, edition)


@dataclass(frozen=True)
class SharePut:
    """A sensitive output in the shared folder: encrypted to its requester, signed by the unit."""

    house: House

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the sealed file stands there with a valid receipt of this run."""
        folder, name = self._place(intent, record)
        if not holds_receipt(self.house, folder / f"{name}.gpg", str(record.work.run)):
            return None
        return self._delivered(intent, record)

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Seal to the requester's pinned key as GitLab's directory lists it now; sign a receipt."""
        done = _Finished.of(self.house, record)
        folder, name = self._place(intent, record)
        folder.mkdir(parents=True, exist_ok=True)
        output = done.output(intent.payload["output"])
        recipient = self._recipient(record)
        seal = self.house.settings.seal
        sealed = sealing.seal(
            done.folder / "outputs" / output.file,
            folder,
            recipients=[recipient],
            signer=sealing.Fingerprint(seal.signer),
            keyring=self.house.keyring,
            name=name,
        )
        _sign(
            self.house,
            record,
            done,
            {sealed.path.name: sealed.sha256},
            folder,
            output.name,
            Channel.SHARE,
            stem=f"{sealed.path.name}.receipt",
            sealed_to=(sealing.SealedTo(recipient.fingerprint, recipient.encryption_key),),
        )
        return self._delivered(intent, record)

    def _place(self, intent: Intent, record: Record) -> tuple[Path, str]:
        folder = self.house.settings.share.folder / slug_of(record.key) / edition_of(record)
        return folder, f"{slug_of(record.key)}-{intent.payload['output']}.csv"

    def _delivered(self, intent: Intent, record: Record) -> Outcome:
        folder, name = self._place(intent, record)
        within = folder.relative_to(self.house.settings.share.folder).as_posix()
        address = f"{self.house.settings.share.url.rstrip('/')}/{within}/{name}.gpg"
        output = str(intent.payload["output"])
        return _delivered(record, output, Channel.SHARE, address, folder, f"{name}.gpg")

    def _recipient(self, record: Record) -> sealing.Recipient:
        requester = request_of(record).requester
        pinned = self.house.settings.seal.recipients.get(requester)
        if pinned is None:
            raise SealRefusal(
                f"{record.key}: no key is pinned for {requester}. Ask them to publish their key in "
                "GitLab, confirm its fingerprint with them, and add it to [seal.recipients]."
            )
        recipient = sealing.choose_recipient_key(
            self.house.gitlab.gpg_keys(requester),
            sealing.Fingerprint(pinned),
            self.house.keyring,
            self.house.now(),
        )
        # Kept, so that a revocation once seen is not undone by an older copy of the key.
        self.house.keyring.import_key(recipient.public_key)
        return recipient


def channel_effects(house: House) -> dict[str, Effect]:
    """Return the effects on the channels, by the kind that intents name."""
    return {"site.publish": SitePublish(house), "share.put": SharePut(house)}


def edition_of(record: Record) -> str:
    """Return the name of this edition of a request's deliverables: the run's digest."""
    return str(record.work.run).rpartition("-")[2]


def holds_receipt(house: House, target: Path, run: str) -> bool:
    """Tell whether `target` stands whole, with our valid receipt for this run."""
    if not target.exists():
        return False
    signer = sealing.Fingerprint(house.settings.seal.signer)
    public_key = house.keyring.export_public(signer)
    try:
        found = sealing.verify(target, public_key=public_key, fingerprint=signer, now=house.now())
    except SealRefusal:
        return False
    return found.receipt.run.key == run


def _delivered(
    record: Record, name: str, channel: Channel, address: str, folder: Path, file: str
) -> Outcome:
    new = Deliverable(name, str(record.work.run), channel, address, str(folder), file)
    others = tuple(
        one for one in record.links.deliverables if (one.name, one.run) != (new.name, new.run)
    )
    return Outcome({"deliverables": (*others, new)}, {"address": address})


def _render(
    house: House, record: Record, done: _Finished, names: Sequence[str], staged: Path
) -> None:
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
            for name, text in request.parameters.items()
            if text
        ),
        checks=tuple(check for check in record.work.checks if check.output in names),
        dropped=_tell_dropped(record, done),
        environment=environment_digest(),
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
        unit=house.settings.unit.name,
    )


def _tell_dropped(record: Record, done: _Finished) -> tuple[str, ...]:
    """Name the dropped files outside only when no source is about patients: names can be too."""
    if all(file.sensitivity is Sensitivity.PUBLIC for file in done.spec.sources.values()):
        return record.work.dropped
    count = len(record.work.dropped)
    return (say(done.spec.language, "issue.dropped_count", count=count),) if count else ()


def _sign(
    house: House,
    record: Record,
    done: _Finished,
    files: dict[str, str],
    folder: Path,
    output: str,
    channel: Channel,
    *,
    stem: str = "receipt",
    sealed_to: tuple[sealing.SealedTo, ...] = (),
) -> None:
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
            environment_sha256=environment_digest(),
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
                    f"{check.output}: {check.rule}", check.verdict.value, check.reason
                )
                for check in record.work.checks
            ),
            dropped=_tell_dropped(record, done),
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

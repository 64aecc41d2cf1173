"""Channels: a released output reaches the site, the share or a dashboard, with a signed receipt.

All effects may be repeated: what stands whole with a valid receipt of the same run is kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.house import House
from pipelines.leaving import refuse_unchecked
from pipelines.provenance import (
    Finished,
    edition_of,
    made_beside,
    render_deliverable,
    sign_deliverable,
)
from pipelines.recipients import find_recipients, pinned_key
from pipelines.shared_folder import set_rights, shared_folder, tell_plainly
from pipelines.site import rebuild_site
from pipelines.steps.prepare import request_of
from requests_sync.effects import Effect
from wardbook import seal as sealing
from wardbook.domain.output import Channel
from wardbook.domain.record import Deliverable, Intent, Outcome, Record
from wardbook.errors import SealRefusal
from wardbook.files import hash_file
from wardbook.pages.address import edition_folder, slug_of


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
        return tell_delivered(record, "report", Channel.SITE, address, folder, "index.html")

    def _publish(
        self, names: Sequence[str], record: Record, staged: Path, slug: str, edition: str
    ) -> None:
        from wardbook.pages.publish import publish_report
        from wardbook.report.foot import PDF
        from wardbook.report.pdf import print_report
        from wardbook.report.workbook import add_workbooks

        done = Finished.of(self.house, record)
        render_deliverable(self.house, record, done, names, staged)
        add_workbooks(staged, done.template, done.spec.language)
        refuse_unchecked(self.house, record, done, names, staged)
        if "pdf" in made_beside(self.house):
            # Of the page that was read just now.
            address = f"{self.house.settings.site.url.rstrip('/')}/reports/{slug}/{edition}/"
            print_report(staged, staged / PDF, address=address)
        files = {
            file.relative_to(staged).as_posix(): hash_file(file)
            for file in staged.rglob("*")
            if file.is_file()
        }
        public = self.house.settings.site.folder
        editions = edition_folder(public, slug, edition).parent
        sign_deliverable(
            self.house, record, done, files, staged, "report", Channel.SITE, editions=editions
        )
        publish_report(public, staged, slug, edition)


@dataclass(frozen=True)
class SharePut:
    """A sensitive output in the shared folder: encrypted to its recipients, signed by the unit."""

    house: House

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the sealed file stands there with our valid receipt, for these people."""
        folder, name = self._place(intent, record)
        receipt = valid_receipt(self.house, folder / f"{name}.gpg", str(record.work.run))
        if receipt is None:
            return None
        sealed_to = {one.fingerprint for one in receipt.release.sealed_to}
        wanted = {pinned_key(self.house, one) for one in request_of(record).recipients}
        if sealed_to != wanted:
            return None
        with tell_plainly(self.house.settings.share.folder):
            set_rights(self.house.settings.share, folder)  # what a killed attempt had not yet done
        return self._delivered(intent, record)

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Seal to everybody's confirmed key as GitLab's directory lists it now; sign a receipt."""
        done, recipients = Finished.of(self.house, record), find_recipients(self.house, record)
        folder, _ = self._place(intent, record)
        with shared_folder(self.house.settings.share, folder):
            self._seal(intent, record, done, recipients)
        return self._delivered(intent, record)

    def _seal(
        self,
        intent: Intent,
        record: Record,
        done: Finished,
        recipients: Sequence[sealing.Recipient],
    ) -> None:
        folder, name = self._place(intent, record)
        output = done.output(intent.payload["output"])
        sealed = sealing.seal(
            done.outputs / output.file,
            folder,
            recipients=recipients,
            signer=sealing.Fingerprint(self.house.settings.seal.signer),
            keyring=self.house.keyring,
            name=name,
            plain_name=self._plain_name(intent, record),
            sha256=output.sha256,
        )
        sign_deliverable(
            self.house,
            record,
            done,
            {sealed.path.name: sealed.sha256},
            folder,
            output.name,
            Channel.SHARE,
            editions=folder.parent,
            stem=f"{sealed.path.name}.receipt",
            sealed_to=sealed_to(recipients),
        )

    def _place(self, intent: Intent, record: Record) -> tuple[Path, str]:
        settings = self.house.settings
        folder = settings.share.folder / slug_of(record.key) / edition_of(record)
        run, output = str(record.work.run), str(intent.payload["output"])
        return folder, sealing.opaque_name(settings.seal.home, run, output)

    def _plain_name(self, intent: Intent, record: Record) -> str:
        return f"{slug_of(record.key)}-{intent.payload['output']}.csv"

    def _delivered(self, intent: Intent, record: Record) -> Outcome:
        folder, name = self._place(intent, record)
        within = folder.relative_to(self.house.settings.share.folder).as_posix()
        address = f"{self.house.settings.share.url.rstrip('/')}/{within}/{name}.gpg"
        output = str(intent.payload["output"])
        return tell_delivered(
            record,
            output,
            Channel.SHARE,
            address,
            folder,
            f"{name}.gpg",
            self._plain_name(intent, record),
        )


def sealed_to(recipients: Sequence[sealing.Recipient]) -> tuple[sealing.SealedTo, ...]:
    """Return the keys of recipients as a receipt names them."""
    return tuple(sealing.SealedTo(one.fingerprint, one.encryption_key) for one in recipients)


def channel_effects(house: House) -> dict[str, Effect]:
    """Return the effects on the channels, by the kind that intents name."""
    from pipelines.metrics_channel import GrafanaPut  # which stands on this module
    from pipelines.ticket_channel import JiraAttach  # the same

    return {
        "site.publish": SitePublish(house),
        "share.put": SharePut(house),
        "grafana.put": GrafanaPut(house),
        "jira.attach": JiraAttach(house),
    }


def holds_receipt(house: House, target: Path, run: str) -> bool:
    """Tell whether `target` stands whole, with our valid receipt for this run."""
    return valid_receipt(house, target, run) is not None


def valid_receipt(house: House, target: Path, run: str) -> sealing.Receipt | None:
    """Return the receipt of `target` if that stands whole, and it is ours and of this run."""
    if not target.exists():
        return None
    signer = sealing.Fingerprint(house.settings.seal.signer)
    public_key = house.keyring.export_public(signer)
    try:
        found = sealing.verify(target, public_key=public_key, fingerprint=signer, now=house.now())
    except SealRefusal:
        return None
    return found.receipt if found.receipt.run.key == run else None


def tell_delivered(
    record: Record,
    name: str,
    channel: Channel,
    address: str,
    folder: Path,
    file: str,
    plain_name: str = "",
) -> Outcome:
    """Return the outcome of a delivery: one more deliverable, or the same one again."""
    run = str(record.work.run)
    new = Deliverable(name, run, channel, address, str(folder), file, plain_name)
    others = tuple(
        one for one in record.links.deliverables if (one.name, one.run) != (new.name, new.run)
    )
    return Outcome({"deliverables": (*others, new)}, {"address": address})

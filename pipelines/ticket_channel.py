"""The channel `ticket`: a released output is attached to the Jira ticket, with its signed receipt.

Jira keeps several attachments of one name, so before a second attempt each file is looked for: by
its name, our account, and the digest of what Jira gives back.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pipelines.channels import holds_receipt, tell_delivered
from pipelines.house import House
from pipelines.leaving import ground_of
from pipelines.provenance import Finished, edition_of, sign_deliverable
from requests_sync.jira_port import JiraPort, NotOurs, Payload, person_id
from requests_sync.places import may_exist
from wardbook.domain.mirror import Attachment
from wardbook.domain.output import Channel, Output, Verdict
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.errors import Fault, ForeignFault
from wardbook.files import hash_file
from wardbook.pages.address import slug_of

FOLDER = "attached"
"""Of the secure side: what was attached, as it was, each edition with its receipts."""


@dataclass(frozen=True)
class JiraAttach:
    """An output and its receipt on the ticket; the receipt is attached first."""

    house: House
    refused_for_good: ClassVar[frozenset[int]] = frozenset({400, 403, 413, 415, 422})

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the file and its receipt are on the ticket, as we would attach them."""
        staged = self._staged(intent, record)
        if not holds_receipt(self.house, staged, str(record.work.run)):
            return None
        missing = list(self._find_missing(staged, record))
        return None if missing else self._delivered(staged, intent, record)

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Attach what is not there yet; what is too large, or refused for good, is skipped."""
        done = Finished.of(self.house, record)
        output = done.output(intent.payload["output"])
        if output.size > self.house.settings.jira.attach_max_bytes:
            return Outcome(detail={"skipped": f"{output.file} is larger than attach_max_bytes"})
        _refuse_unchecked(self.house, record, done, output)
        staged = self._staged(intent, record)
        if not holds_receipt(self.house, staged, str(record.work.run)):
            self._stage(done, output, staged, record)
        files = list(_files_of(staged))
        if may_exist(intent, record):
            files = list(self._find_missing(staged, record))
        try:
            for file in files:
                with file.open("rb") as opened:
                    self.house.jira.attach(record.ticket.key, file.name, opened)
        except ForeignFault as fault:
            if fault.status not in self.refused_for_good:
                raise
            return Outcome(detail={"skipped": str(fault)})
        return self._delivered(staged, intent, record)

    def _staged(self, intent: Intent, record: Record) -> Path:
        slug, edition = slug_of(record.key), edition_of(record)
        folder = self.house.settings.unit.state / FOLDER / slug / edition
        # The name tells one edition of a recurring request from another.
        return folder / f"{slug}-{intent.payload['output']}-{edition[:8]}.csv"

    def _stage(self, done: Finished, output: Output, staged: Path, record: Record) -> None:
        staged.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(done.outputs / output.file, staged)
        digest = hash_file(staged)
        if digest != output.sha256:
            raise Fault(
                f"{record.key}: {output.file} changed while it was read; it is tried again."
            )
        sign_deliverable(
            self.house,
            record,
            done,
            {staged.name: digest},
            staged.parent,
            output.name,
            Channel.TICKET,
            editions=staged.parent.parent,
            stem=f"{staged.name}.receipt",
        )

    def _find_missing(self, staged: Path, record: Record) -> Iterator[Path]:
        jira, key = self.house.jira, record.ticket.key
        ours = [
            one
            for one in jira.attachments(key)
            if person_id(one.get("author") or {}) == jira.account
        ]
        for file in _files_of(staged):
            size, digest = file.stat().st_size, hash_file(file)
            same = (
                one for one in ours if one.get("filename") == file.name and one.get("size") == size
            )
            if not any(_digest_of(jira, one, size) == digest for one in same):
                yield file

    def _delivered(self, staged: Path, intent: Intent, record: Record) -> Outcome:
        address = f"{self.house.settings.jira.url.rstrip('/')}/browse/{record.ticket.key}"
        name = str(intent.payload["output"])
        folder = staged.parent
        return tell_delivered(record, name, Channel.TICKET, address, folder, staged.name)


def _files_of(staged: Path) -> Iterator[Path]:
    """Yield what goes on the ticket; whoever sees the file finds its receipt there."""
    receipt = staged.with_name(f"{staged.name}.receipt.json")
    yield from (receipt.with_name(f"{receipt.name}.asc"), receipt, staged)


def _digest_of(jira: JiraPort, payload: Payload, size: int) -> str:
    """Return the digest of an attachment as Jira gives it back; "" where it does not."""
    found = Attachment(
        id=str(payload["id"]),
        name=str(payload["filename"]),
        author="",
        at=str(payload.get("created") or ""),
        size=size,
        media_type="",
        address=str(payload.get("content") or ""),
    )
    try:
        with tempfile.TemporaryFile() as held:
            return jira.download(found, size, held)
    except NotOurs:
        return ""


def _refuse_unchecked(house: House, record: Record, done: Finished, output: Output) -> None:
    """Read the file once more, right before it leaves.

    Raises:
        Fault: it holds something that nobody saw when the run was checked.
    """
    from wardbook.artefacts.deliverable import check_files
    from wardbook.artefacts.judge import NAMES_UNREAD

    kept = done.template.spec.outputs[output.name].sensitivity
    seen = {(check.output, check.reason, check.details) for check in record.work.checks}
    new = sorted(
        {
            check.reason
            for check in check_files({output: kept}, done.outputs, ground_of(house, record, done))
            if check.verdict is not Verdict.PASS
            and check.reason != NAMES_UNREAD
            and (check.output, check.reason, check.details) not in seen
        }
    )
    if new:
        raise Fault(
            f"{record.key}: {output.file} is not the one that was checked ({', '.join(new)}). "
            "Run the request again."
        )

"""The channel of metrics: released tables become rows of the metrics' database.

A signed receipt tells the digest of the rows as they arrived; it and those rows, as files, stand on
the secure side. The effect may be repeated: what has arrived is left alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.channels import tell_delivered, valid_receipt
from pipelines.house import House
from pipelines.leaving import check_payload
from pipelines.provenance import Finished, edition_of, sign_deliverable
from pipelines.steps.prepare import request_of
from wardbook.disclosure.sheet import Sheet, Unreadable, read_sheet
from wardbook.domain.output import Channel, Verdict
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.errors import Fault
from wardbook.files import write_atomically
from wardbook.pages.address import slug_of

if TYPE_CHECKING:
    from wardbook.metrics.series import Release, Series

DELIVERABLE = "metrics"


@dataclass(frozen=True)
class GrafanaPut:
    """A run's metrics in the database that dashboards read, all of them in one transaction."""

    house: House

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether these rows have arrived and stand there with our valid receipt."""
        from wardbook.metrics.series import has_arrived

        folder = self._folder(record)
        receipt = valid_receipt(self.house, folder, str(record.work.run))
        if receipt is None:
            return None
        every = self._read(Finished.of(self.house, record), intent)
        if {one.name: one.sha256 for one in receipt.subjects} != digests_of(every):
            return None
        with self.house.open_metrics() as database:
            arrived = has_arrived(database, every, release_of(intent, record))
        return self._delivered(intent, record) if arrived else None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Check once more what is sent, write it, sign a receipt."""
        from wardbook.metrics.series import put_series

        done, folder = Finished.of(self.house, record), self._folder(record)
        for name in intent.payload["outputs"]:
            refuse_unseen(self.house, record, name, read_released(done, name))
        every = self._read(done, intent)
        with self.house.open_metrics() as database:
            put_series(database, every, release_of(intent, record))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for series in every:
            write_atomically(folder / file_of(series), series.to_csv())
        sign_deliverable(
            self.house,
            record,
            done,
            digests_of(every),
            folder,
            DELIVERABLE,
            Channel.GRAFANA,
            editions=folder.parent,
        )
        return self._delivered(intent, record)

    def _read(self, done: Finished, intent: Intent) -> list[Series]:
        from wardbook.metrics.series import read_series

        spec = done.template.spec
        return [
            read_series(
                read_released(done, name), spec.name, name, spec.outputs[name], self.house.zone
            )
            for name in intent.payload["outputs"]
        ]

    def _folder(self, record: Record) -> Path:
        state = self.house.settings.unit.state
        return state / "metrics" / slug_of(record.key) / edition_of(record)

    def _delivered(self, intent: Intent, record: Record) -> Outcome:
        address = dashboard_address(self.house, request_of(record).template)
        file = f"{intent.payload['outputs'][0]}.csv"
        folder = self._folder(record)
        return tell_delivered(record, DELIVERABLE, Channel.GRAFANA, address, folder, file)


def file_of(series: Series) -> str:
    """Return the name of the file that keeps a series' rows as they arrived."""
    return f"{series.output}.csv"


def digests_of(every: list[Series]) -> dict[str, str]:
    """Return the digest of each series' rows, by the name of its file."""
    return {file_of(series): series.sha256 for series in every}


def release_of(intent: Intent, record: Record) -> Release:
    """Return the release that an intent is of; its moment was written down with the intent."""
    from wardbook.metrics.series import Release

    released = datetime.fromisoformat(intent.payload["released"]).astimezone(UTC)
    return Release(record.key, str(record.work.run), released)


def read_released(done: Finished, name: str) -> Sheet:
    """Read a table of a run as it leaves.

    Raises:
        Fault: its file is not the one that was checked.
    """
    output = done.output(name)
    file = done.outputs / output.file
    try:
        if hashlib.sha256(file.read_bytes()).hexdigest() == output.sha256:
            return read_sheet(file)
    except (OSError, Unreadable):
        pass
    raise Fault(f"The file of the metric {name} is not the one that was checked. Run it again.")


def refuse_unseen(house: House, record: Record, output: str, sheet: Sheet) -> None:
    """Read a metric once more, as Grafana would get it, right before it leaves.

    Raises:
        Fault: it holds what nobody saw when the run was checked; the message names reasons only.
    """
    from wardbook.artefacts.judge import NAMES_UNREAD

    seen = {check.reason for check in record.work.checks if check.output == output}
    found = check_payload(house, record, output, payload_of(sheet))
    new = {check.reason for check in found if check.verdict is not Verdict.PASS}
    if new := new - seen - {NAMES_UNREAD}:
        raise Fault(
            f"{record.key}: the metric {output} is not the one that was checked "
            f"({', '.join(sorted(new))}). Run the request again."
        )


def payload_of(sheet: Sheet) -> bytes:
    """Return a table as the data frame in which Grafana would show it, to be judged as such."""
    fields = [{"name": name} for name in sheet.header]
    values = [sheet.texts(name) for name in sheet.header]
    frame = {"schema": {"fields": fields}, "data": {"values": values}}
    return json.dumps({"results": {"metric": {"frames": [frame]}}}, ensure_ascii=False).encode()


def dashboard_address(house: House, template: str) -> str:
    """Return where a template's metrics are shown: in Grafana if there is one, else on the site."""
    from wardbook.dashboards.board import stable_uid

    if house.settings.grafana.url:
        return f"{house.settings.grafana.url.rstrip('/')}/d/{stable_uid(template)}"
    return f"{house.settings.site.url.rstrip('/')}/dashboards/{template}/"

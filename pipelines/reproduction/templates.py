"""Which copies of templates no edition needs any more to be made again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.house import House
from wardbook.audit.entry import is_digest
from wardbook.domain.record import Deliverable
from wardbook.errors import SealRefusal
from wardbook.seal import Receipt
from wardbook.seal.verify import find_receipt, read_receipt


def find_unneeded(house: House, days: int | None) -> Iterator[str]:
    """Yield the digests of copies that were made more than `days` days ago and serve nothing.

    Needed are the templates of now, those of the requests' present runs, and those that the receipt
    of anything ever delivered names. Where a receipt cannot be read now, every version of that
    request's template is needed: its folder may be away for a while only.
    """
    folder = house.circumstances.kept_templates
    if days is None or not folder.is_dir():
        return
    latest = house.now() - timedelta(days=days)
    copies = [
        one for one in sorted(folder.iterdir()) if is_digest(one.name) and _made(one) < latest
    ]
    digests, names = _find_needed(house) if copies else (set(), set())
    for copy in copies:
        if copy.name not in digests and not names & {one.name for one in copy.iterdir()}:
            yield copy.name


def _made(copy: Path) -> datetime:
    return datetime.fromtimestamp(copy.stat().st_mtime, UTC)


def _find_needed(house: House) -> tuple[set[str], set[str]]:
    """Return the digests that are needed, and the names of which every version is."""
    digests = {template.digest for template in house.templates.values()}
    names: set[str] = set()
    for record in house.ledger.records():
        if record.work.made_from is not None:
            digests.add(record.work.made_from.template_digest)
        for deliverable in record.links.deliverables:
            receipt = _receipt_of(deliverable)
            if receipt is not None:
                digests.add(receipt.origin.template_sha256)
            elif record.request is not None:
                names.add(record.request.template)
    return digests, names


def _receipt_of(deliverable: Deliverable) -> Receipt | None:
    """Return the receipt as it stands; whose it is need not be proved to keep what it names."""
    try:
        found = find_receipt(Path(deliverable.folder) / deliverable.file)
        return Receipt.from_json(read_receipt(found))
    except (SealRefusal, OSError):
        return None

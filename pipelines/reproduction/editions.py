"""Which edition is meant, and its receipts, verified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.house import House
from wardbook.domain.record import Record
from wardbook.errors import Refusal
from wardbook.messages import Language, say
from wardbook.seal import Fingerprint, Receipt, Verification, verify


class NotReproducible(Refusal):
    """There is nothing to make again, or not what it takes; told in the reader's language."""

    def __init__(self, code: str, **details: str | int) -> None:
        self.code, self.details = code, details
        super().__init__(code, *details.values())

    def tell(self, language: Language) -> str:
        """Return what happened and what to do next."""
        return say(language, f"reproduce.{self.code}", **self.details)

    def __str__(self) -> str:
        return self.tell("en")


@dataclass(frozen=True)
class Delivered:
    """One edition of a request's deliverables, each with its good receipt, all of one run."""

    record: Record
    found: tuple[Verification, ...]

    @property
    def receipt(self) -> Receipt:
        """The receipt from which it is made again: all of one run say the same of it."""
        return self.found[0].receipt


def find_delivered(house: House, key: str, edition: str = "") -> Delivered:
    """Find an edition in the ledger and verify its deliverables where they stand.

    Args:
        house: the unit.
        key: of the request.
        edition: the first digits of the edition's name; the last that was delivered without.

    Raises:
        NotReproducible: no such request, nothing delivered, no such edition, or several.
        SealProblem: a deliverable is not as it was signed, or is gone.
    """
    record = house.ledger.record(key)
    if record is None:
        raise NotReproducible("no_request", key=key)
    delivered = record.links.deliverables
    runs = list(dict.fromkeys(one.run for one in delivered))
    if not runs:
        raise NotReproducible("not_delivered", key=key)
    meant = [run for run in runs if run.rpartition("-")[2].startswith(edition)]
    if edition and len(meant) != 1:
        known = ", ".join(run.rpartition("-")[2] for run in runs)
        raise NotReproducible("no_edition", edition=edition, key=key, known=known)
    signer = Fingerprint(house.settings.seal.signer)
    public_key = house.keyring.export_public(signer)
    found = (
        verify(
            Path(one.folder) / one.file,
            public_key=public_key,
            fingerprint=signer,
            now=house.now(),
        )
        for one in delivered
        if one.run == meant[-1]
    )
    return Delivered(record, tuple(found))

"""Sealing again after a change of key: what stands on the share is sealed to the keys of today.

The content comes from the run's folder on the secure side, and must still be what the run produced.
The receipt is the old one, with the new file and the new keys, signed anew. Before anything on the
share is touched, the old receipt is kept on the secure side, so that a killed attempt goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.channels import sealed_to
from pipelines.house import House
from pipelines.recipients import KeysHeld, find_recipients, pinned_key
from pipelines.shared_folder import set_rights
from wardbook import seal as sealing
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import Channel
from wardbook.domain.record import Deliverable, Record
from wardbook.domain.run import RunResult
from wardbook.errors import SealRefusal
from wardbook.seal import Fingerprint, Receipt
from wardbook.seal.files import read_file
from wardbook.seal.public_home import PublicHome
from wardbook.seal.signature import check_detached

_SUFFIX = ".receipt.json"


@dataclass(frozen=True)
class Resealed:
    """What became of one sealed file; `told` says it in words for an operator."""

    request: str
    output: str
    well: bool
    told: str


def reseal_for(house: House, person: str) -> Iterator[Resealed]:
    """Seal again every file on the share for `person` that is for other keys than today's.

    Safe to repeat: what is for the right keys is left alone.

    Raises:
        ForeignFault: GitLab's directory could not be read.
    """
    for record in house.ledger.records():
        if record.request is None or person not in record.request.recipients:
            continue
        share = [one for one in record.links.deliverables if one.channel is Channel.SHARE]
        if not share:
            continue
        with house.ledger.claim(record.key) as mine:
            if not mine:
                told = "another worker is at it; run this again"
                yield Resealed(record.key, "(all)", False, told)
                continue
            for deliverable in share:
                yield _reseal_one(house, record, deliverable)


def _reseal_one(house: House, record: Record, deliverable: Deliverable) -> Resealed:
    def told(well: bool, text: str) -> Resealed:
        return Resealed(record.key, deliverable.name, well, text)

    target = Path(deliverable.folder) / deliverable.file
    if not target.exists():
        return told(True, "no longer on the share")
    try:
        receipt = _trusted_receipt(house, target)
        if _is_for_today(house, record, target, receipt):
            if (_kept(house, target) / f"{target.name}{_SUFFIX}").exists():
                _end(house, record, target, deliverable)  # of an attempt that was killed
            return told(True, "already sealed to the present keys")
        recipients = find_recipients(house, record)
        content = _content(house, deliverable)
        if content is None:
            return told(False, "its run is gone from the secure side: run it again, or remove it")
        _seal_anew(house, target, receipt, recipients, content, deliverable)
        _end(house, record, target, deliverable)
        set_rights(house.settings.share, target.parent)
    except KeysHeld as held:
        return told(False, f"waits: {held}")
    except SealRefusal as refusal:
        return told(False, str(refusal))
    return told(True, "sealed again, its receipt renewed")


def _kept(house: House, target: Path) -> Path:
    """Return where the old receipt of a sealed file is kept while it is sealed again."""
    return house.settings.unit.state / "reseal" / target.name


def _trusted_receipt(house: House, target: Path) -> Receipt:
    """Return the file's receipt as the unit signed it; the one that was kept, after a crash."""
    kept = _kept(house, target) / f"{target.name}{_SUFFIX}"
    stands = target.with_name(target.name + _SUFFIX)
    signer = Fingerprint(house.settings.seal.signer)
    public_key = house.keyring.export_public(signer)
    file = kept if kept.exists() else stands
    data, signature = read_file(file), read_file(file.with_name(f"{file.name}.asc"))
    with PublicHome(house.now()) as home:
        home.add(public_key)
        check_detached(home, data, signature, signer)
    return Receipt.from_json(data)


def _is_for_today(house: House, record: Record, target: Path, receipt: Receipt) -> bool:
    """Tell whether the file stands whole, its receipt too, for everybody's present key."""
    if record.request is None:
        return True
    wanted = {pinned_key(house, one) for one in record.request.recipients}
    try:
        signer = Fingerprint(house.settings.seal.signer)
        found = sealing.verify(
            target,
            public_key=house.keyring.export_public(signer),
            fingerprint=signer,
            now=house.now(),
        )
    except SealRefusal:
        return False
    same_run = found.receipt.run.key == receipt.run.key
    return same_run and {one.fingerprint for one in found.receipt.release.sealed_to} == wanted


def _content(house: House, deliverable: Deliverable) -> tuple[Path, str] | None:
    """Return the output's file on the secure side, and its SHA-256 as the run recorded it."""
    folder = house.run_folder(deliverable.run)
    result = RunResult.read(folder)
    where, outputs = read_leaving(folder, result.outputs if result else ())
    for output in outputs:
        if output.name == deliverable.name:
            file = where / output.file
            return (file, output.sha256) if file.exists() else None
    return None


def _seal_anew(
    house: House,
    target: Path,
    receipt: Receipt,
    recipients: tuple[sealing.Recipient, ...],
    content: tuple[Path, str],
    deliverable: Deliverable,
) -> None:
    _keep_receipt(house, target)
    signer = Fingerprint(house.settings.seal.signer)
    sealed = sealing.seal(
        content[0],
        target.parent,
        recipients=recipients,
        signer=signer,
        keyring=house.keyring,
        name=target.name.removesuffix(".gpg"),
        plain_name=deliverable.plain_name,
        sha256=content[1],
    )
    file = sealing.Subject(sealed.path.name, sealed.sha256, sealed.size)
    renewed = receipt.sealed_again(file, sealed_to(recipients))
    sealing.write_receipt(
        renewed,
        target.parent,
        signer=signer,
        keyring=house.keyring,
        stem=f"{target.name}.receipt",
    )


def _end(house: House, record: Record, target: Path, deliverable: Deliverable) -> None:
    """Have the audit log tell what was sealed again, and forget the old receipt."""
    name, kept = target.name + _SUFFIX, _kept(house, target)
    stands, old = (read_file(folder / name) for folder in (target.parent, kept))
    if stands != old:  # an attempt may have been killed before it changed anything
        renewed = Receipt.from_json(stands)
        house.note_fact(
            "deliverable.resealed",
            record.key,
            run=deliverable.run,
            output=deliverable.name,
            fingerprint=[one.fingerprint for one in renewed.release.sealed_to],
            sha256=[one.sha256 for one in renewed.subjects],
        )
    shutil.rmtree(kept)


def _keep_receipt(house: House, target: Path) -> None:
    """Copy the old receipt with its signature; the folder gets its name when both are there."""
    kept = _kept(house, target)
    if kept.exists():
        return
    part = kept.with_name(f".{kept.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    for suffix in (_SUFFIX, f"{_SUFFIX}.asc"):
        shutil.copyfile(target.with_name(target.name + suffix), part / (target.name + suffix))
    part.rename(kept)

"""The editions of one deliverable, as a chain: each receipt names the one before by its digest.

The unit signs each link, so an edition cannot be put in, taken out or exchanged between two others
without a break. What lies before the oldest edition that is here may have been purged; that is
told, not refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wardbook.seal.evidence import Previous
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.problems import SealProblem
from wardbook.seal.public_home import PublicHome
from wardbook.seal.receipt import Receipt
from wardbook.seal.verify import (
    FILE_RECEIPT,
    FOLDER_RECEIPT,
    Verification,
    is_edition,
    permitted_signer,
    read_receipt,
    read_signed,
    verify,
)


@dataclass(frozen=True)
class Edition:
    """One edition that stands: good, or with what is wrong with it."""

    folder: Path
    name: str
    found: Verification | None
    problem: SealProblem | None = None

    @classmethod
    def of(cls, found: Verification) -> Edition:
        """Return a good edition."""
        return cls(found.receipt_path.parent, found.receipt.edition, found)


@dataclass(frozen=True)
class History:
    """The editions that stand, newest first, and what the oldest of them names as the one before.

    `earlier` is None where the first edition is here.
    """

    editions: tuple[Edition, ...]
    earlier: Previous | None

    @property
    def problems(self) -> tuple[SealProblem, ...]:
        """What is wrong with the editions; empty where all are good."""
        return tuple(one.problem for one in self.editions if one.problem)


def trace(
    target: Path, *, public_key: str | None, fingerprint: Fingerprint | None, now: datetime
) -> History:
    """Check every edition of the deliverable at `target`, and that they form one chain.

    Editions are the folders beside the one that `target` is in. Arguments are those of `verify`.

    Raises:
        SealProblem: `target` itself is not good; editions do not follow one another: one is
            missing between two (`history_gap`), two claim the same predecessor (`history_fork`).
    """
    given: dict[str, Any] = {"public_key": public_key, "fingerprint": fingerprint, "now": now}
    here = verify(target, **given)
    editions = []
    for path in _receipts_in(here.receipt_path.parent.parent):
        edition = _judge(path, here, given)
        if edition is not None:
            editions.append(edition)
    if any(one.problem for one in editions):
        return History(tuple(editions), None)
    chain = tuple(_follow([one.found for one in editions if one.found]))
    return History(tuple(map(Edition.of, chain)), chain[-1].receipt.release.previous)


def find_newest(
    editions: Path, like: Receipt, *, public_key: str, fingerprint: Fingerprint, now: datetime
) -> Previous | None:
    """Return the newest edition of a deliverable that stands already, or None.

    Newest is the one that no other names: not the one with the latest date. Only receipts that the
    unit signed count. If damage left several, it is the one whose run began last.

    Args:
        editions: the folder that holds a folder for each edition.
        like: a receipt of the same output of the same request; its own run's are left out.
        public_key, fingerprint, now: as for `verify`.
    """
    claimed = {path: _parse(path) for path in _receipts_in(editions)}
    found = {path: one for path, one in claimed.items() if one and _precedes(one, like)}
    with PublicHome(now) as home:
        signer = permitted_signer(home, public_key, fingerprint)
        while found:
            named = {one.release.previous.sha256 for one in found.values() if one.release.previous}
            heads = [path for path, one in found.items() if not named & names_of(one)]
            newest = max(heads, key=lambda path: (found[path].run.started, found[path].sha256))
            try:  # one signature is enough: the unit signed what that receipt says of the others
                read_signed(home, newest, signer)
            except SealProblem:
                del found[newest]
            else:
                return Previous(found[newest].run.key, found[newest].sha256)
    return None


def names_of(receipt: Receipt) -> set[str]:
    """Return every digest by which later editions may name this one."""
    return {receipt.sha256, *receipt.release.replaces}


def _judge(path: Path, here: Verification, given: Mapping[str, Any]) -> Edition | None:
    """Return the edition of this receipt; None if the unit signed it for another deliverable."""
    if path == here.receipt_path:
        return Edition.of(here)
    try:
        found = verify(path, **given)
    except SealProblem as problem:
        if _is_elsewhere(path, here.receipt, given):
            return None
        return Edition(path.parent, path.parent.name, None, problem)
    if not _same_deliverable(found.receipt, here.receipt):
        return None
    return Edition.of(found)


def _is_elsewhere(path: Path, here: Receipt, given: Mapping[str, Any]) -> bool:
    """Tell whether a receipt that is not good has nothing to do with this deliverable.

    Beside a folder that a reader has named lie others'. Among folders that bear editions' names
    only the unit's signature is believed.
    """
    claimed = _parse(path)
    if claimed is not None and _same_deliverable(claimed, here):
        return False
    return not is_edition(path.parent) or (claimed is not None and _is_signed(path, given))


def _parse(path: Path) -> Receipt | None:
    """Return what a receipt claims, signed or not; None if it is none."""
    try:
        return Receipt.from_json(read_receipt(path))
    except SealProblem:
        return None


def _is_signed(path: Path, given: Mapping[str, Any]) -> bool:
    with PublicHome(given["now"]) as home:
        try:
            read_signed(
                home, path, permitted_signer(home, given["public_key"], given["fingerprint"])
            )
        except SealProblem:
            return False
    return True


def _precedes(receipt: Receipt, like: Receipt) -> bool:
    return _same_deliverable(receipt, like) and receipt.run.key != like.run.key


def _receipts_in(folder: Path) -> Iterator[Path]:
    for pattern in (f"*/{FOLDER_RECEIPT}", f"*/*{FILE_RECEIPT}"):
        yield from sorted(
            path for path in folder.glob(pattern) if not path.parent.name.startswith(".")
        )


def _same_deliverable(one: Receipt, other: Receipt) -> bool:
    return (one.origin.ticket, one.release.output, one.release.channel) == (
        other.origin.ticket,
        other.release.output,
        other.release.channel,
    )


def _follow(good: Sequence[Verification]) -> Iterator[Verification]:
    """Yield the editions from the newest on; every one of them must be met."""
    missed = {one.receipt.sha256: one for one in good}
    known = {name: digest for digest, one in missed.items() for name in names_of(one.receipt)}
    previous = [one.receipt.release.previous for one in missed.values()]
    named = [known.get(one.sha256, one.sha256) for one in previous if one]
    if len(set(named)) < len(named):
        twice = next(digest for digest in named if named.count(digest) > 1)
        raise SealProblem("history_fork", digest=twice[:16])
    heads = [one for digest, one in missed.items() if digest not in named]
    at: Verification | None = max(heads, key=lambda one: one.receipt.run.started)
    while at is not None:
        del missed[at.receipt.sha256]
        yield at
        before = at.receipt.release.previous
        at = missed.get(known.get(before.sha256, "")) if before else None
    if missed:
        first = next(iter(missed.values())).receipt.edition
        raise SealProblem("history_gap", count=len(missed), edition=first)

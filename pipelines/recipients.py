"""To whom a request's sensitive outputs are sealed, or why that has to wait for a person.

Which key of a person counts, in this order: the one pinned in the settings; the one that an
approver confirmed in the ledger; none yet. A key that the directory lists the first time, or in the
place of the one that counts, is proposed and waits for an approver: it is never followed by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.house import House
from wardbook import seal as sealing
from wardbook.audit.told import tell_details
from wardbook.domain.pinned import Trust
from wardbook.domain.record import Record
from wardbook.errors import Fault, SealRefusal
from wardbook.messages import Language
from wardbook.seal import Fingerprint, Listing, SealProblem

HELD = "key.held"
"""The audit log's event of a delivery that waits for a key: whose, why, which were proposed."""
_OVER = frozenset({Trust.REJECTED, Trust.FOLLOWED, Trust.REVOKED})
_REVOCATIONS = frozenset({"key_revoked", "key_revoked_by_another"})


@dataclass(frozen=True)
class HeldKey:
    """Why nothing can be sealed to a person yet; `proposed` are keys that could be confirmed."""

    person: str
    problem: SealProblem
    proposed: tuple[Fingerprint, ...] = ()


class KeysHeld(SealRefusal):
    """A delivery waits, since not all of its recipients have a confirmed and sound key."""

    def __init__(self, held: tuple[HeldKey, ...]) -> None:
        self.held = held
        super().__init__(self.tell("en"))

    def tell(self, language: Language) -> str:
        """Return what is the matter with whose key, a line each."""
        return "\n".join(f"{one.person}: {one.problem.tell(language)}" for one in self.held)


def directory_name(house: House, person: str) -> str:
    """Return what somebody of Jira is called in GitLab."""
    return house.settings.gitlab.people.get(person, person)


def pinned_key(house: House, person: str) -> Fingerprint | None:
    """Return the key that counts for a person: the settings' before the ledger's."""
    known = house.settings.seal.recipients.get(person) or house.ledger.confirmed_key(person)
    return Fingerprint(known) if known else None


def trusted_key(house: House, person: str) -> Fingerprint | None:
    """Return the key that counts for a person, unless it is known to be revoked."""
    pinned = pinned_key(house, person)
    return None if pinned and _trust(house, person, pinned) is Trust.REVOKED else pinned


def find_recipients(house: House, record: Record) -> tuple[sealing.Recipient, ...]:
    """Return everybody for whom the request's sealed files are, by keys that may be used now.

    Keys seen the first time are proposed in the ledger on the way; revocations are remembered.

    Raises:
        KeysHeld: somebody's key is not confirmed, or must not be used: then nobody gets anything.
    """
    if record.request is None:
        raise Fault(f"{record.key} is {record.state} without a request: the ledger is damaged.")
    found, held = [], []
    for person in record.request.recipients:
        try:
            found.append(_recipient(house, person, record.key))
        except _Waits as waits:
            held.append(waits.held)
    if held:
        _note_held(house, record.key, held)
        raise KeysHeld(tuple(held))
    return tuple(found)


def _note_held(house: House, request: str, held: Sequence[HeldKey]) -> None:
    """Have the audit log tell once why a delivery waits for whose key."""
    known = [entry.told for entry in house.ledger.audit_entries(request, events=(HELD,))]
    for one in held:
        details = {
            "person": one.person,
            "ground": one.problem.code,
            "proposed": [str(key) for key in one.proposed],
        }
        if tell_details(details) not in known:
            house.note_fact(HELD, request, **details)


class _Waits(Exception):
    def __init__(
        self, person: str, problem: SealProblem, proposed: tuple[Fingerprint, ...] = ()
    ) -> None:
        super().__init__(person)
        self.held = HeldKey(person, problem, proposed)


def _recipient(house: House, person: str, request: str) -> sealing.Recipient:
    pinned = pinned_key(house, person)
    blocks = house.gitlab.gpg_keys(directory_name(house, person))
    listing = sealing.read_directory(blocks, house.keyring, house.now())
    if pinned is None:
        raise _propose(house, person, listing, request)
    _remember(house, person, pinned, listing, request)
    if _trust(house, person, pinned) is Trust.REVOKED:
        raise _propose(house, person, listing, request, SealProblem("key_revoked", pinned=pinned))
    try:
        return sealing.choose_recipient_key(blocks, pinned, house.keyring, house.now())
    except SealProblem as problem:
        raise _propose(house, person, listing, request, problem) from None


def _trust(house: House, person: str, fingerprint: Fingerprint) -> Trust | None:
    known = house.ledger.keys_of(person)
    return next((key.trust for key in known if key.fingerprint == fingerprint), None)


def _remember(
    house: House, person: str, pinned: Fingerprint, listing: Listing, request: str
) -> None:
    """Keep what the directory says of the pinned key: a revocation once seen holds for ever."""
    listed = listing.find(pinned)
    if listed is None:
        return
    house.keyring.import_key(listed.public_key)
    revoked = listed.problem is not None and listed.problem.code in _REVOCATIONS
    if revoked and _trust(house, person, pinned) is not Trust.REVOKED:
        house.ledger.decide_key(
            person, pinned, Trust.REVOKED, by="platform", request=request, now=house.now()
        )


def _propose(
    house: House,
    person: str,
    listing: Listing,
    request: str,
    problem: SealProblem | None = None,
) -> _Waits:
    """Propose the sound keys that are listed, and return why the person's delivery waits."""
    over = {key.fingerprint for key in house.ledger.keys_of(person) if key.trust in _OVER}
    pinned = pinned_key(house, person)
    sound = [key.fingerprint for key in listing.sound if key.fingerprint not in {*over, pinned}]
    free = tuple(one for one in sound if not owners_of(house, one) - {person})
    for fingerprint in free:
        house.ledger.propose_key(person, fingerprint, request, house.now())
    if problem is None:
        problem = _why_unknown(listing, free, sound)
    return _Waits(person, problem, free)


def owners_of(house: House, fingerprint: str) -> set[str]:
    """Return the people for whom this key is or was trusted, here or in the settings."""
    pinned = {one for one, key in house.settings.seal.recipients.items() if key == fingerprint}
    return pinned | house.ledger.owners_of(fingerprint)


def _why_unknown(
    listing: Listing, free: tuple[Fingerprint, ...], sound: list[Fingerprint]
) -> SealProblem:
    """Say why somebody without a confirmed key has to wait."""
    if len(free) == 1:
        return SealProblem("key_proposed")
    if free:
        return SealProblem("keys_proposed", count=len(free))
    if sound:
        return SealProblem("key_of_another", pinned=sound[0])
    if listing.sound:
        return SealProblem("key_turned_down", pinned=listing.sound[0].fingerprint)
    return listing.first_problem or SealProblem("key_none")

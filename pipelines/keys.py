"""Decisions on people's keys, made by somebody else than the person: confirm, reject, revoke."""

from __future__ import annotations

from pipelines.house import House
from pipelines.recipients import directory_name, owners_of
from wardbook import seal as sealing
from wardbook.domain.pinned import Trust
from wardbook.seal import Fingerprint, SealProblem


def confirm_key(house: House, person: str, fingerprint: Fingerprint, by: str) -> None:
    """Pin a key that GitLab's directory lists for a person now; it follows the one before.

    Args:
        house: the unit.
        person: the account's name in Jira.
        fingerprint: as it was compared with the person, in full.
        by: the approver who compared it.

    Raises:
        SealProblem: `key_not_approver`, `key_own`, `key_in_settings`, `key_not_listed`,
            `key_of_another`, or what speaks against the key itself.
    """
    _require_approver(house, person, by)
    if person in house.settings.seal.recipients:
        raise SealProblem("key_in_settings", person=person)
    listing = read_listing(house, person)
    listed = listing.find(fingerprint)
    if listed is None:
        problem = listing.first_problem if not listing.keys else None
        raise problem or SealProblem("key_not_listed", given=fingerprint, person=person)
    if listed.problem is not None:
        raise listed.problem
    if owners_of(house, fingerprint) - {person}:
        raise SealProblem("key_of_another", pinned=fingerprint)
    known = {key.fingerprint: key.trust for key in house.ledger.keys_of(person)}
    if known.get(fingerprint) is Trust.REVOKED:
        raise SealProblem("key_revoked", pinned=fingerprint)
    # Kept, so that a revocation which the directory shows later is not undone by an older copy.
    house.keyring.import_key(listed.public_key)
    _decide(house, person, fingerprint, Trust.CONFIRMED, by)


def reject_key(house: House, person: str, fingerprint: Fingerprint, by: str) -> None:
    """Write down that a proposed key is not the person's: it is not proposed again.

    Raises:
        SealProblem: `key_not_approver`, `key_own` or `key_not_known`.
    """
    _require_approver(house, person, by)
    _require_known(house, person, fingerprint)
    _decide(house, person, fingerprint, Trust.REJECTED, by)


def revoke_key(house: House, person: str, fingerprint: Fingerprint, by: str) -> None:
    """Write down that a key must not be used for a person any more, for ever.

    Raises:
        SealProblem: `key_not_approver`, `key_own` or `key_not_known`.
    """
    _require_approver(house, person, by)
    if house.settings.seal.recipients.get(person) != fingerprint:
        _require_known(house, person, fingerprint)
    _decide(house, person, fingerprint, Trust.REVOKED, by)


def read_listing(house: House, person: str) -> sealing.Listing:
    """Return what GitLab's directory lists for a person now, each key judged."""
    blocks = house.gitlab.gpg_keys(directory_name(house, person))
    return sealing.read_directory(blocks, house.keyring, house.now())


def _require_approver(house: House, person: str, by: str) -> None:
    approvers = house.settings.key_approvers
    if by not in approvers:
        raise SealProblem("key_not_approver", by=by, approvers=", ".join(approvers))
    if by in (person, directory_name(house, person)):
        raise SealProblem("key_own", by=by)


def _require_known(house: House, person: str, fingerprint: Fingerprint) -> None:
    if fingerprint not in {key.fingerprint for key in house.ledger.keys_of(person)}:
        raise SealProblem("key_not_known", given=fingerprint, person=person)


def _decide(house: House, person: str, fingerprint: Fingerprint, trust: Trust, by: str) -> None:
    house.ledger.decide_key(person, fingerprint, trust, by=by, request="", now=house.now())

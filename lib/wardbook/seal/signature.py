"""Signatures: made by the unit's key, and judged against the one fingerprint that is pinned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from wardbook.seal.armour import read_armour, write_armour
from wardbook.seal.facts import KeyFacts
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.gnupg_home import StatusLog
from wardbook.seal.keys import Keyring
from wardbook.seal.problems import SealProblem
from wardbook.seal.public_home import PublicHome


@dataclass(frozen=True)
class Signed:
    """A good signature: the primary key, the key or subkey that signed, and when (UTC)."""

    signer: Fingerprint
    signing_key: Fingerprint
    at: datetime


def signing_options(signer: Fingerprint) -> list[str]:
    """Return gpg's options to sign with this key and no other.

    python-gnupg's `keyid` becomes `--default-key`, and gpg silently takes another secret key when
    the default one has expired; `--local-user` fails instead.
    """
    return ["--local-user", signer, "--digest-algo", "SHA512", "--pinentry-mode", "error"]


def sign_detached(data: bytes, signer: Fingerprint, keyring: Keyring) -> bytes:
    """Return an armoured detached signature over `data`.

    Raises:
        SealProblem: the key is missing, expired, revoked or locked (`signer_unusable`).
    """
    gpg = keyring.open_with_secrets()
    options = signing_options(signer)
    made = gpg.sign(data, detach=True, clearsign=False, binary=True, extra_args=options)
    require_signed(made, signer)
    return write_armour(made.data)


def require_signed(log: StatusLog, signer: Fingerprint) -> None:
    """Refuse unless gpg made exactly one signature.

    Raises:
        SealProblem: `signer_unusable`.
    """
    if log.returncode != 0 or len(log.values("SIG_CREATED")) != 1:
        raise SealProblem("signer_unusable", signer=signer)


def check_detached(home: PublicHome, data: bytes, armoured: bytes, signer: Fingerprint) -> Signed:
    """Return who signed `data` and when, if `signer` did.

    Args:
        home: a home that holds the signer's public key, at the time of the check.
        data: what was signed.
        armoured: the signature in the form of `write_armour`.
        signer: the one key that may have signed.

    Raises:
        SealProblem: `key_not_given`, `signature_malformed`, or what `judge_signature` says.
    """
    key = next((key for key in home.facts() if key.fingerprint == signer), None)
    if key is None:
        raise SealProblem("key_not_given", signer=signer)
    signature = read_armour(armoured)
    file = home.path / "signature"
    file.write_bytes(signature.packet)
    signed = judge_signature(home.gpg.verify_data(str(file), data), key)
    if signature.key_id != signed.signing_key.key_id:
        raise SealProblem("signature_malformed")
    return signed


def judge_signature(log: StatusLog, key: KeyFacts) -> Signed:
    """Return who signed and when, from gpg's status lines alone.

    Raises:
        SealProblem: `signature_other_key`, `signature_bad`, `signature_key_revoked`,
            `signature_key_expired`, `signature_after_expiry`, `signature_expired` or
            `signature_malformed`.
    """
    signed = _single_signature(log, key.fingerprint)
    if log.has("REVKEYSIG"):
        raise SealProblem("signature_key_revoked", signer=key.fingerprint)
    if log.has("EXPKEYSIG"):
        raise _expired_key(signed, key)
    if log.has("EXPSIG"):
        raise SealProblem("signature_expired", signer=key.fingerprint)
    if not log.has("GOODSIG") or log.returncode != 0:
        raise SealProblem("signature_malformed")
    return signed


def _single_signature(log: StatusLog, pinned: Fingerprint) -> Signed:
    if log.has("BADSIG"):
        raise SealProblem("signature_bad", signer=pinned)
    if log.has("NO_PUBKEY"):
        found = log.values("NO_PUBKEY")[0][0]
        raise SealProblem("signature_other_key", signer=pinned, found=found)
    valid = log.values("VALIDSIG")
    if len(log.values("NEWSIG")) != 1 or len(valid) != 1 or log.has("ERRSIG"):
        raise SealProblem("signature_malformed")
    signing_key, made_at, primary = (valid[0][place] for place in (0, 2, 9))
    if primary != pinned:
        raise SealProblem("signature_other_key", signer=pinned, found=primary)
    moment = datetime.fromtimestamp(int(made_at), UTC)
    return Signed(pinned, Fingerprint(signing_key), moment)


def _expired_key(signed: Signed, key: KeyFacts) -> SealProblem:
    """Tell a signature made in time, for which a renewed key helps, from one made too late."""
    involved = [
        one for one in key.all_keys if one.fingerprint in (signed.signer, signed.signing_key)
    ]
    expiry = min(one.expires for one in involved if one.expires is not None)
    code = "signature_key_expired" if signed.at < expiry else "signature_after_expiry"
    return SealProblem(
        code,
        signer=key.fingerprint,
        signed=signed.at.date().isoformat(),
        expired=expiry.date().isoformat(),
    )

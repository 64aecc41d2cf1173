"""Files encrypted to a requester's key and signed by the unit's."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from wardbook.seal.files import printable, write_whole
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.gnupg_home import StatusLog
from wardbook.seal.keys import Keyring, Recipient
from wardbook.seal.packets import UnreadablePacket, read_recipients
from wardbook.seal.problems import SealProblem
from wardbook.seal.public_home import import_public
from wardbook.seal.scratch import ScratchFolder
from wardbook.seal.signature import judge_signature, require_signed, signing_options

_SAMPLE = 1 << 18
_WORTH_IT = 0.9  # of the size: what gains less is not worth gpg's time


@dataclass(frozen=True)
class SealedFile:
    """An encrypted file: its SHA-256 (hexadecimal), its size in bytes, the key ids it is for."""

    path: Path
    sha256: str
    size: int
    key_ids: tuple[str, ...]


def seal(
    data_path: Path,
    out_dir: Path,
    *,
    recipients: Sequence[Recipient],
    signer: Fingerprint,
    keyring: Keyring,
    name: str,
    plain_name: str = "",
    sha256: str | None = None,
) -> SealedFile:
    """Encrypt a file to `out_dir/NAME.gpg`, signed; plaintext only passes through pipes.

    gpg sees no other keys than the recipients' as they were judged and the signer's, is given
    full fingerprints of encryption keys, and what it wrote is compared with them before the file
    gets its name. What the recipient calls the content stands in the encrypted part alone.

    Args:
        data_path: the plaintext, in the secure folder.
        out_dir: an existing folder.
        recipients: at least one, from `choose_recipient_key`.
        signer: the unit's key, whose secret part `keyring` holds.
        keyring: the unit's keys.
        name: the sealed file's own name, one path segment.
        plain_name: what the recipient may call the content, one path segment.
        sha256: of the content, hexadecimal, where that is known.

    Raises:
        ValueError: no recipient, or a name that is not one plain path segment.
        SealProblem: `signer_unusable`, `key_unknown`, `seal_failed`, `seal_wrong_recipient` or
            `seal_other_content`; `out_dir` is then as it was.
        OSError: `out_dir` is full or cannot be written; it is as it was too.
    """
    if not (recipients and is_plain(name) and is_plain(plain_name or "none")):
        raise ValueError("sealing needs a recipient, and a name that is one plain path segment")
    path = out_dir / f"{name}.gpg"
    with ScratchFolder() as scratch, write_whole(path) as file:
        gpg = keyring.open_with_secrets(scratch.path / "ring.kbx")
        for block in (keyring.export_public(signer), *(one.public_key for one in recipients)):
            import_public(gpg, block)
        sealed = _Sink(file)
        keys = [one.encryption_key for one in recipients]
        with data_path.open("rb") as opened:
            data = _Source(opened)
            options = ["--set-filename", plain_name, *_compression(data.peek()), "--no-encrypt-to"]
            log = _encrypt(gpg, data, sealed, keys, [*options, *signing_options(signer)])
        _require_sealed(log, signer)
        if sha256 not in (None, data.sha256.hexdigest()):
            raise SealProblem("seal_other_content", file=printable(data_path.name))
        file.flush()
        key_ids = list_key_ids(Path(file.name))
        if sorted(key_ids) != sorted(one.encryption_key.key_id for one in recipients):
            raise SealProblem("seal_wrong_recipient", found=", ".join(key_ids))
    return SealedFile(path, sealed.sha256.hexdigest(), sealed.size, key_ids)


def is_plain(name: str) -> bool:
    """Tell whether a name is one path segment that shows as it is."""
    return "/" not in name and bool(name.strip(".")) and name.isprintable()


def list_key_ids(path: Path) -> tuple[str, ...]:
    """Return the key ids (16 hexadecimal digits) that an encrypted file says it is for, in order.

    Only its beginning is read and nothing is decrypted; empty when it is no such file.
    """
    with path.open("rb") as file:
        try:
            return read_recipients(file)
        except UnreadablePacket:
            return ()


def open_sealed(path: Path, out: Path, keyring: Keyring, signer: Fingerprint) -> None:
    """Decrypt a sealed file as its recipient does; `out` appears only if `signer` signed it.

    Args:
        path: the sealed file.
        out: the plaintext to write, readable by its owner alone.
        keyring: the recipient's keys, with the unit's public key imported.
        signer: the unit's fingerprint.

    Raises:
        SealProblem: `key_unknown` (the unit's key is not imported), `open_failed`, or what
            `judge_signature` says.
    """
    signing_key = keyring.facts_of(signer)
    gpg = keyring.open_with_secrets()
    with write_whole(out, mode=0o600) as file:
        gpg.on_data = _Sink(file).write
        log = gpg.decrypt_file(
            str(path), always_trust=True, extra_args=["--pinentry-mode", "error"]
        )
        if not log.has("DECRYPTION_OKAY") or log.on_data_failure:
            raise SealProblem("open_failed", file=printable(path))
        judge_signature(log, signing_key)


class _Source:
    """Where gpg's input comes from, hashed on its way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._first = b""
        self.sha256 = hashlib.sha256()

    def peek(self) -> bytes:
        """Return the first bytes, which `read` gives all the same."""
        self._first = self._file.read(_SAMPLE)
        return self._first

    def read(self, size: int) -> bytes:
        """Return the next bytes; empty at the end."""
        data, self._first = self._first or self._file.read(size), b""
        self.sha256.update(data)
        return data


class _Sink:
    """Where gpg's output goes while it comes: to a file and a hash, not to memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> bool:
        """Take a chunk; False tells python-gnupg not to collect it."""
        self._file.write(data)
        self.sha256.update(data)
        self.size += len(data)
        return False


def _encrypt(
    gpg: Any,
    data: _Source,
    sink: _Sink,
    keys: Sequence[Fingerprint],
    options: Sequence[str],
) -> StatusLog:
    gpg.on_data = sink.write
    try:
        # "!" makes gpg take this very subkey, not another of the same person.
        log: StatusLog = gpg.encrypt_file(
            data,
            [f"{key}!" for key in keys],
            sign=True,
            always_trust=True,
            armor=False,
            extra_args=list(options),
        )
    except BrokenPipeError:  # gpg gave up before it had read all: its status lines say why
        log = gpg.last_log
    finally:
        gpg.on_data = None
    return log


def _compression(sample: bytes) -> list[str]:
    """Return gpg's options for data that begin so.

    gpg's own choice (ZIP, level 6) takes four to six times as long as all the rest together, also
    on data that are compressed already and gain nothing.
    """
    gains = len(zlib.compress(sample, 1)) < len(sample) * _WORTH_IT
    return ["--compress-algo", "ZIP", "--compress-level", "1"] if gains else ["-z", "0"]


def _require_sealed(log: StatusLog, signer: Fingerprint) -> None:
    if isinstance(log.on_data_failure, OSError):
        raise log.on_data_failure  # where the file is written is full, or went away
    if log.has("INV_RECP"):
        raise SealProblem("seal_failed")
    require_signed(log, signer)
    if not log.has("END_ENCRYPTION") or log.on_data_failure:
        raise SealProblem("seal_failed")

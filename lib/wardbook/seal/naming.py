"""Names of sealed files: they tell nothing of ward, patient or question."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

_KEY_FILE = "names.key"
_DIGITS = 16


def opaque_name(home: Path, run: str, output: str) -> str:
    """Return the name of an output's sealed file: 16 hexadecimal digits, always the same.

    It is keyed by a secret of the unit's own, made at first use: without it nobody can try out
    which output a name stands for.

    Args:
        home: the unit's GnuPG home, which exists.
        run: the run's key.
        output: the output's name.
    """
    message = f"{run}\n{output}".encode()
    return hmac.new(_names_key(home / _KEY_FILE), message, hashlib.sha256).hexdigest()[:_DIGITS]


def _names_key(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        pass
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as new:
        new.write(secrets.token_bytes(32))
        new.flush()
        os.fsync(new.fileno())
    with suppress(FileExistsError):  # another process was first: its key counts
        os.link(part, file)
    part.unlink()
    return file.read_bytes()

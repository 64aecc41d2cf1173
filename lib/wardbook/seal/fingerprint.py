"""The one name of a key that nobody else can take."""

from __future__ import annotations

import re

from wardbook.seal.problems import SealProblem

_FULL = re.compile(r"[0-9A-F]{40}")


class Fingerprint(str):
    """A full OpenPGP fingerprint: 40 hexadecimal digits, upper case, no spaces.

    User IDs and short key ids can be forged, so nothing in `wardbook.seal` accepts them.

    Raises:
        SealProblem: the text is anything but a full fingerprint (`fingerprint_malformed`).
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Fingerprint:
        """Parse `text`; spaces and lower case are accepted."""
        digits = "".join(text.split()).upper()
        if not _FULL.fullmatch(digits):
            raise SealProblem("fingerprint_malformed", given=text[:60])
        return super().__new__(cls, digits)

    @property
    def key_id(self) -> str:
        """The last 16 digits: all that an encrypted file tells of its recipient."""
        return self[-16:]

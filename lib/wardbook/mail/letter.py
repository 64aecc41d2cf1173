"""A notice as a mail: plain text, headers of ours alone, an identity that follows from its cause.

Its Message-ID is made of the intent that it carries out, so a letter that had to be sent again is
the same letter: most servers and readers then show it once.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import Message
from email.mime.text import MIMEText
from email.utils import format_datetime

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
# White space but for what French typography does not let a line break at.
_BREAKABLE = re.compile(r"[^\S\u00a0\u202f]+")
_LONGEST_SUBJECT, _LONGEST_NAME = 150, 60


@dataclass(frozen=True)
class Letter:
    """One notice: to whom, about what, its text, and the key of the intent that it carries out."""

    to: str
    subject: str
    text: str
    key: str


def is_one_address(text: str) -> bool:
    """Tell whether a text is exactly one plain address (RFC 5321, ASCII, no quotes)."""
    local, _, domain = text.rpartition("@")
    return len(local) <= 64 and len(domain) <= 253 and _ADDRESS.fullmatch(text) is not None


def write_letter(letter: Letter, *, sender: str, name: str, now: datetime) -> Message:
    """Return the message; no text of the letter can begin a header, whatever it holds.

    Texts are always written as encoded words (RFC 2047): as plain text they could hold encoded
    words of their own, which Python's newer interface decodes, line breaks included.

    Args:
        letter: what is sent.
        sender: the unit's address.
        name: the unit's name.
        now: for its date.

    Raises:
        ValueError: the recipient or the sender is not one plain address.
    """
    if not (is_one_address(letter.to) and is_one_address(sender)):
        raise ValueError("a letter goes from one plain address to another")
    message = MIMEText(_printable(letter.text), "plain", "utf-8")
    message["From"] = f"{_encode(name, _LONGEST_NAME)} <{sender}>"
    message["To"] = letter.to
    message["Subject"] = _encode(letter.subject, _LONGEST_SUBJECT)
    message["Date"] = format_datetime(now)
    digest = hashlib.sha256(letter.key.encode("utf-8", "replace")).hexdigest()[:40]
    message["Message-ID"] = f"<wardbook.{digest}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def _encode(text: str, most: int) -> str:
    return Header(_one_line(text, most) or "-", "utf-8").encode()


def _one_line(text: str, most: int) -> str:
    line = _BREAKABLE.sub(" ", _printable(text)).strip()
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _printable(text: str) -> str:
    """Drop what is no text: control and format characters, halves of characters."""
    lines = re.sub("[\v\f\x85\u2028\u2029]|\r\n?", "\n", text)
    hidden = {"Cc", "Cf", "Cs"}
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in hidden)

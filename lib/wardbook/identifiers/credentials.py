"""Secrets: private keys, tokens by their makers' prefixes, passwords in addresses and settings."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.reading import Reading

MADE = {
    "-----BEGIN ": r"(?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----",
    "PuTTY-User-Key-File-": r"[23]: ",
    "gl": r"(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\w.-]{18,200}",
    "GR1348941": r"[\w-]{20}",
    "ATATT3": r"[\w=-]{40,400}",
    "ATCTT3": r"[\w=-]{40,400}",
    "ATBB": r"[A-Za-z0-9]{24,200}",
    "glsa_": r"\w{32}_[0-9a-f]{8}",
    "glc_": r"[\w+/=]{32,400}",
    "eyJrIjoi": r"[\w+/=]{30,400}",
    "AKIA": r"[0-9A-Z]{16}(?![^\W_])",
    "ASIA": r"[0-9A-Z]{16}(?![^\W_])",
    "eyJ": r"[\w-]{8,1000}\.eyJ[\w-]{8,2000}\.[\w-]{8,1000}",
    "gh": r"[opsur]_[A-Za-z0-9]{36}",
    "github_pat_": r"\w{40,200}",
    "xox": r"[abprs]-[\w-]{10,200}",
    "whsec_": r"[\w+/=]{32,200}",
}
"""What a secret begins with, quick to look for, and how it goes on."""

FORMS = {
    # Glued to a word it is no token: known at once, so a long run of beginnings costs no time.
    mark: re.compile(rf"{re.escape(mark)}(?<![^\W_]{re.escape(mark)}){rest}")
    for mark, rest in MADE.items()
}

IN_ADDRESS = re.compile(r"://[^\s:/@\"'<>]{0,64}:(?P<secret>[^\s/@\"'<>]{3,128})@[^\s@]")
NETRC = re.compile(
    r"\bmachine\s{1,9}\S{1,200}\s{1,9}login\s{1,9}\S{1,200}\s{1,9}password\s{1,9}(?P<secret>\S{1,200})"
)
KEY_WORDS = (
    *("password", "passwd", "passphrase", "mot de passe", "mot_de_passe", "mdp", "pwd", "secret"),
    *("token", "jeton", "apikey", "api_key", "api-key", "access_key", "access-key", "accesskey"),
    *("credential", "authorization"),
)
KEY_WORD = re.compile("|".join(map(re.escape, KEY_WORDS)))
ASSIGNED = re.compile(
    r"[\w-]{0,24}[\"']?\s{0,3}(?:[:=]|=>|est|is)\s{0,3}(?:bearer |basic |token )?[\"']?"
    r"(?P<secret>[^\s\"'<>{}()\[\],;]{8,200})",
    re.I,
)
PLACEHOLDER = re.compile(
    r"[$%<{]|(?:x{4,}|\*{3,}|\.{3,}|…)|changeme|change_me|example|placeholder|your[-_]?|votre"
    r"|os\.|environ|settings|config|none\b|null\b|true\b|false\b|self\.|/",
    re.I,
)
LEAST_BITS = 2.9
"""Bits a character: words and names of variables have less, what is drawn at random has more."""


def find_credentials(reading: Reading) -> Iterator[Finding]:
    """Yield secrets."""
    text = reading.text
    for mark, form in FORMS.items():
        if mark in text:
            for match in form.finditer(text):
                yield Finding(match.start(), match.end(), Kind.CREDENTIAL, Certainty.CERTAIN)
    if "://" in text:
        for match in IN_ADDRESS.finditer(text):
            if not PLACEHOLDER.match(match["secret"]):
                yield _tell(match, Certainty.CERTAIN)
    if "machine" in text:
        for match in NETRC.finditer(text):
            yield _tell(match, Certainty.CERTAIN)
    if not any(word in reading.lower for word in KEY_WORDS):
        return
    for word in KEY_WORD.finditer(reading.lower):
        assigned = ASSIGNED.match(text, word.end(), word.end() + 240)
        if assigned and text[assigned.end() : assigned.end() + 1] not in ("(", "["):
            if not is_drawn(assigned["secret"]):
                continue
            yield _tell(assigned, Certainty.LIKELY)


def _tell(match: re.Match[str], certainty: Certainty) -> Finding:
    return Finding(match.start("secret"), match.end("secret"), Kind.CREDENTIAL, certainty)


def is_drawn(text: str) -> bool:
    """Whether this looks drawn at random or like a password, not like a word or a reference."""
    if PLACEHOLDER.search(text):
        return False
    mixed = sum(
        (any(map(str.isdigit, text)), any(map(str.islower, text)), any(map(str.isupper, text)),
         not text.isalnum())
    )  # fmt: skip
    if mixed < 2 or not any(map(str.isdigit, text)):
        return False
    counts = Counter(text)
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    return bits >= min(LEAST_BITS, math.log2(len(text)) - 0.6)

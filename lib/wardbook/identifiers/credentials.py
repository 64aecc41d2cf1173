"""Secrets: private keys, tokens by their makers' prefixes, passwords in addresses and settings."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.reading import Reading

MADE = (
    (("PRIVATE KEY",), re.compile(r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----")),
    (("PuTTY-User-Key",), re.compile(r"PuTTY-User-Key-File-[23]: ")),
    (("gl",), re.compile(r"(?<![^\W_])gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\w.-]{18,}")),
    (("GR1348941",), re.compile(r"GR1348941[\w-]{20}")),
    (("ATATT3", "ATCTT3", "ATBB"), re.compile(r"(?<![^\W_])(?:AT[AC]TT3[\w=-]{40,}|ATBB[A-Za-z0-9]{24,})")),
    (("glsa_", "glc_", "eyJrIjoi"), re.compile(r"(?<![^\W_])(?:glsa_\w{32}_[0-9a-f]{8}|glc_[\w+/=]{32,}|eyJrIjoi[\w+/=]{30,})")),
    (("AKIA", "ASIA", "AROA", "AIDA"), re.compile(r"(?<![^\W_])A(?:KI|SI|RO|ID)A[0-9A-Z]{16}(?![^\W_])")),
    (("eyJ",), re.compile(r"(?<![^\W_])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    (("gh", "github_pat_"), re.compile(r"(?<![^\W_])(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{40,})")),
    (("xox",), re.compile(r"(?<![^\W_])xox[abprs]-[\w-]{10,}")),
    (("whsec_",), re.compile(r"(?<![^\W_])whsec_[\w+/=]{32,}")),
)  # fmt: skip
"""Which substrings must be there at all, and the form: the former are quick to look for."""

IN_ADDRESS = re.compile(r"://[^\s:/@\"'<>]{0,64}:(?P<secret>[^\s/@\"'<>]{3,128})@[^\s@]")
NETRC = re.compile(r"\bmachine\s{1,9}\S{1,200}\s{1,9}login\s{1,9}\S{1,200}\s{1,9}password\s{1,9}(?P<secret>\S{1,200})")
KEY_WORD = re.compile(
    r"passw(?:or)?d|passphrase|mot[ _]de[ _]passe|\bmdp\b|secret|token|jeton|api[_-]?key|apikey"
    r"|access[_-]?key|credential|authorization|\bpwd\b|auth"
)
ASSIGNED = re.compile(
    r"[\w-]{0,24}[\"']?\s{0,3}(?:[:=]|=>|est|is)\s{0,3}(?:bearer |basic |token )?[\"']?(?P<secret>[^\s\"'<>{}()\[\],;]{8,200})",
    re.I,
)
PLACEHOLDER = re.compile(
    r"[$%<{]|(?:x{4,}|\*{3,}|\.{3,}|…)|changeme|change_me|example|placeholder|your[-_]?|votre"
    r"|os\.|environ|settings|config|none\b|null\b|true\b|false\b|self\.|[a-z_]+\(|/", re.I
)
LEAST_BITS = 2.9
"""Bits a character: words and names of variables have less, what is drawn at random has more."""


def find_credentials(reading: Reading) -> Iterator[Finding]:
    """Yield secrets."""
    text = reading.text
    for marks, form in MADE:
        if any(mark in text for mark in marks):
            for match in form.finditer(text):
                yield Finding(match.start(), match.end(), Kind.CREDENTIAL, Certainty.CERTAIN)
    if "://" in text:
        for match in IN_ADDRESS.finditer(text):
            if not PLACEHOLDER.match(match["secret"]):
                yield _tell(match, Certainty.CERTAIN)
    if "machine" in text:
        for match in NETRC.finditer(text):
            yield _tell(match, Certainty.CERTAIN)
    for word in KEY_WORD.finditer(reading.lower):
        assigned = ASSIGNED.match(text, word.end(), word.end() + 240)
        if assigned and is_drawn(assigned["secret"]):
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

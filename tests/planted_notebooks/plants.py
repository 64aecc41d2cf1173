"""What is planted, as somebody would write it, and the disguises that it may wear."""

from __future__ import annotations

import base64
import gzip
import html
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from tests.identifier_corpus import values
from tests.planted_notebooks.plain import compact

KINDS = (
    "nir", "ipp", "phone", "email", "birth_date", "name", "iban",
    "gitlab_token", "jira_token", "aws_key", "private_key", "address_password", "password", "netrc",
)  # fmt: skip
SHORT = ("nir", "phone", "gitlab_token", "aws_key", "email")
"""What fits into the name of a file, a branch or a kernel."""


@dataclass(frozen=True)
class Plant:
    """One identifier or secret: its kind, how it is written, and what must not be found.

    `needle` is the value alone as `plain.compact` leaves it.
    """

    kind: str
    text: str
    needle: str


def make_plant(random: Random, kind: str) -> Plant:
    """Make one anew; values are long enough that no two are alike."""
    text, value = _MAKERS[kind](random)
    return Plant(kind, text, compact(value))


def make_stranger(random: Random) -> Plant:
    """Name somebody without a title: in an output only, since a search cannot know a name."""
    name = f"{_name(random)} {_name(random)}"
    return Plant("name", name, compact(name))


def _name(random: Random) -> str:
    parts = ("Ker", "lan", "gwe", "bou", "sse", "tri", "mor", "vel", "dac", "nno", "pli", "qua")
    return "".join(random.choice(parts) for _ in range(4)).capitalize()


def _cued(cue: str, value: str) -> tuple[str, str]:
    return f"{cue}{value}", value


def _make_nir(random: Random) -> tuple[str, str]:
    return _cued("NIR ", random.choice(["", " "]).join(values.nir(random)))


def _make_phone(random: Random) -> tuple[str, str]:
    return _cued("tél. ", random.choice(["", " ", "."]).join(values.phone(random)))


def _make_birth(random: Random) -> tuple[str, str]:
    day = f"{random.randint(1, 28):02}/{random.randint(1, 12):02}/{random.randint(1920, 2020)}"
    return (f"née le {day}",) * 2


def _make_name(random: Random) -> tuple[str, str]:
    return _cued("Mme ", f"{_name(random)} {_name(random)}")


def _make_email(random: Random) -> tuple[str, str]:
    value = f"{_name(random).lower()}.{values.digits(random, 3)}@orange.fr"
    return value, value


def _make_key(random: Random) -> tuple[str, str]:
    body = values.drawn(random, 64)
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----", body


def _make_address_password(random: Random) -> tuple[str, str]:
    secret = values.drawn(random, 14)
    return f"https://bot:{secret}@gitlab.hopital.example/unit/x.git", secret


def _make_password(random: Random) -> tuple[str, str]:
    secret = values.drawn(random, 13) + "7aB"
    return f"password = '{secret}'", secret


def _make_netrc(random: Random) -> tuple[str, str]:
    secret = values.drawn(random, 16)
    return f"machine gitlab.hopital.example login bot password {secret}", secret


_MAKERS: dict[str, Callable[[Random], tuple[str, str]]] = {
    "nir": _make_nir,
    "ipp": lambda random: _cued("IPP : ", "".join(values.ipp(random))),
    "phone": _make_phone,
    "email": _make_email,
    "birth_date": _make_birth,
    "name": _make_name,
    "iban": lambda random: _cued("IBAN ", " ".join(values.iban(random))),
    "gitlab_token": lambda random: _cued("", "glpat-" + values.drawn(random, 20)),
    "jira_token": lambda random: _cued("", "ATATT3" + values.drawn(random, 60)),
    "aws_key": lambda random: _cued("", "AKIA" + values.drawn(random, 16, "ABCDEFGHJKLM234567")),
    "private_key": _make_key,
    "address_password": _make_address_password,
    "password": _make_password,
    "netrc": _make_netrc,
}

Disguise = Callable[[str], str]


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _arabic_digits(text: str) -> str:
    return text.translate({ord("0") + n: 0x0660 + n for n in range(10)})


def _cyrillic(text: str) -> str:
    return text.translate(str.maketrans("aceopxyABEKMHOPCTX", "асеорхуАВЕКМНОРСТХ"))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _wrapped_base64(text: str) -> str:
    around = f"Lettre de sortie adressée au médecin traitant, {text}, avec copie au dossier."
    return base64.encodebytes(around.encode()).decode().rstrip("\n")


DISGUISES: dict[str, Disguise] = {
    "plain": lambda text: text,
    "escaped": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "hex escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode("latin-1")),
    "percent": lambda text: quote(text, safe=""),
    "entities": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "quoted html": html.escape,
    "full width": _full_width,
    "zero width": lambda text: "\u200b".join(text),
    "word joiners": lambda text: "\u2060".join(text),
    "combining marks": lambda text: "".join(f"{c}\u0332" for c in text),
    "arabic digits": _arabic_digits,
    "look-alikes": _cyrillic,
    "bold digits": lambda text: text.translate({48 + n: 0x1D7CE + n for n in range(10)}),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "base64": lambda text: _base64(text.encode()),
    "base64 in lines": _wrapped_base64,
    "urlsafe base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent twice": lambda text: quote(quote(text, safe="")),
    "entities of escapes": lambda text: "".join(f"&#92;u{ord(c):04x}" for c in text),
    "base64 of base64": lambda text: _base64(_base64(text.encode()).encode()),
    "base64 of percent": lambda text: _base64(quote(text, safe="").encode()),
    "gzip in base64": lambda text: _base64(gzip.compress(text.encode(), mtime=0)),
    "zlib in hexadecimal": lambda text: zlib.compress(text.encode()).hex(),
}

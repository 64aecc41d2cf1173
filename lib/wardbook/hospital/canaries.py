"""Canaries: patients who do not exist, planted in test data. Found outside, they prove a leak.

Nothing of them is anybody's. Nobody bears their surnames; their social security numbers have a
right key and a country that INSEE does not list (99 990); their telephone numbers are of the range
that Arcep keeps for fiction (06 39 98); their town and their domain are not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Canary:
    """One of them."""

    name: str
    first_name: str
    sex: str
    birth_date: date
    nir: str
    ipp: str
    phone: str
    address: str
    email: str


CANARY_IPP = 8_999_999_000
"""Numbers from here to 8 999 999 999 are canaries' and nobody else's."""

PATIENTS = (
    Canary(
        "Canarivoix", "Zélinde", "F", date(1901, 9, 17), "201099999099196", "8999999001",
        "0639981701", "999 impasse de la Serinette, 99999 Canariville", "zelinde@canari.invalid",
    ),
    Canary(
        "Témoin-Serinelle", "Ildefonse", "M", date(1902, 11, 23), "102119999099231", "8999999002",
        "0639982302", "998 impasse de la Serinette, 99999 Canariville", "ildefonse@canari.invalid",
    ),
    Canary(
        "D'Hirondœil", "Œnone", "F", date(1903, 8, 29), "203089999099377", "8999999003",
        "0639982903", "997 impasse de la Serinette, 99999 Canariville", "oenone@canari.invalid",
    ),
)  # fmt: skip


def _spell_out(one: Canary) -> Iterator[str]:
    """Yield what betrays one canary, in lower case, as it may be written."""
    nir = one.nir
    key = (nir[:1], nir[1:3], nir[3:5], nir[5:7], nir[7:10], nir[10:13], nir[13:])
    pairs = [one.phone[place : place + 2] for place in range(2, 10, 2)]
    for gap in (" ", ".", "-", "\u00a0"):
        yield gap.join(key)[:-3]
        yield gap.join(pairs)
    yield nir[:13]
    yield one.phone[1:]
    yield one.birth_date.isoformat()
    yield f"{one.birth_date:%d/%m/%Y}"


_IPP = str(CANARY_IPP // 1000)
MARKS = (
    *("canarivoix", "serinelle", "canariville", "serinette", "canari.invalid"),
    *("hirondœil", "hirondoeil", "hirond\\u0153il"),
    _IPP,
    *(mark for one in PATIENTS for mark in _spell_out(one)),
)
"""What betrays a canary, in lower case: each is quick to look for, and nothing else has it."""

# As a number of its own: 38.99899999999999 has its digits too.
_WHOLE_IPP = rf"(?<![0-9.,])0*{_IPP}[0-9]{{3}}(?![0-9])"
_ANY = re.compile("|".join((_WHOLE_IPP, *(re.escape(mark) for mark in MARKS if mark != _IPP))))


def find_canary_marks(lower: str) -> Iterator[tuple[int, int]]:
    """Yield where a text, given in lower case, holds something of a canary."""
    if any(mark in lower for mark in MARKS):
        for match in _ANY.finditer(lower):
            yield match.span()

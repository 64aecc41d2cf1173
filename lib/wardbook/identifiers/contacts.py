"""E-mail and postal addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.reading import CELL_BREAK, Reading

AT = re.compile(r"[@＠]|[\[(](?:at|AT|arobase|arobas)[\])]| (?:arobase|arobas) ")
AT_MARKS = ("@", "＠", "at)", "at]", "AT)", "AT]", "arobas")
LOCAL = re.compile(r"[\w.+%-]{1,64} ?\Z")
DOMAIN = re.compile(
    r" ?(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62}) ?(?:\.|\[dot\]|\(dot\)|\[point\]|\(point\)| point ) ?)"
    r"{1,4}[a-zA-Z]{2,18}(?![^\W_])"
)
RESERVED = re.compile(
    r"(?:(?:^|\.)example\.(?:com|net|org)|\.(?:example|invalid|test|localhost))\Z", re.I
)
"""Domains that nobody has, kept for examples by RFC 2606."""

OF_MAIL = frozenset(
    "fr com net org eu be ch lu ca de uk it es pt info bzh re gp mq gf nc pf io".split()  # noqa: SIM905
)

_BIS = r"\s{0,2}(?:bis|ter|quater|[a-e](?![^\W_]))?[\s,]{1,3}"
_STREET = (
    r"(?:rue|avenue|ave?\.?|boulevard|bo?u?l?v?d\.?|impasse|imp\.|all[ée]es?|chemin|che?m?\.|r\."
    r"|faubourg|fbg|ruelle|sentier|venelle|rte\.?|pl\.)"
)
_STREET_OR_NOT = (
    r"(?:route|place|cours|quai|square|passage|voie|villa|résidence|residence|rés\.|cité|cite|hameau"
    r"|lotissement|lot\.|clos|mail|esplanade|promenade|parvis|rond-point|lieu-dit|ld|domaine|parc|cour)"
)
NUMBER_THEN_WORD = re.compile(r"[0-9OI](?=(?:bis|ter|quater|[a-eA-E])?[\s,\u00a0-]{1,4}[^\W\d_])")
"""The last digit before a word: where a street or a town may follow."""

HOUSE = re.compile(r"(?<![^\W_])[0-9lIO]{1,4}\Z")
STREET = re.compile(
    rf"{_BIS}(?:(?:{_STREET})\s{{1,2}}[^\W\d_]"
    rf"|(?:{_STREET_OR_NOT})\s{{1,2}}"
    r"(?:(?:de|du|des|la|le|les|aux?|d['’]|l['’])[ ]?){0,2}(?-i:[A-ZÀ-Þ]))"
    rf"[^\n;|\t{CELL_BREAK}]{{0,60}}",
    re.I,
)
POSTCODE = re.compile(r"(?<![^\W_])(?:0[1-9]|[1-8][0-9]|9[0-58]|97)[0-9]{3}\Z")
TOWN = re.compile(r"[ \u00a0,-]{1,3}[^\W\d_]{2}[\w' ’-]{0,30}")
BEFORE_POSTCODE = re.compile(
    r"(?<![^\W_])(?:rue|avenue|av|bd|bld|boulevard|impasse|all[ée]e|chemin|route|place|cours|quai|square"
    r"|r[ée]sidence|lotissement|lieu[- ]dit|hameau|b[âa]t(?:iment)?|appt?|esc|bp|cs|b\.p|demeurant"
    r"|domicili[ée]e?|adresse|habit(?:e|ant)|r[ée]sid(?:e|ant)|domicile|address)(?![^\W_])"
)
NEAR_POSTCODE = 70
ADDRESS_COLUMN = re.compile(r"\badresse|\baddress|\bdomicile\b|\brue\b|\bvoie\b|\bstreet\b")
ADDRESS_CELL = re.compile(
    rf"[0-9]{{1,4}}[^0-9\n{CELL_BREAK}]{{0,8}}[^\W\d_]{{3}}[^\n{CELL_BREAK}]{{0,80}}"
)


def find_contacts(reading: Reading) -> Iterator[Finding]:
    """Yield e-mail and postal addresses."""
    yield from _find_emails(reading.text)
    yield from _find_addresses(reading)


def _find_emails(text: str) -> Iterator[Finding]:
    if not any(mark in text for mark in AT_MARKS):
        return
    for at in AT.finditer(text):
        before = LOCAL.search(text, max(0, at.start() - 65), at.start())
        after = DOMAIN.match(text, at.end(), at.end() + 200)
        if before and after and _may_be_real(before.group(), after.group()):
            yield Finding(before.start(), after.end(), Kind.EMAIL, Certainty.CERTAIN)


def _may_be_real(local: str, domain: str) -> bool:
    """Whether this is a domain; spaces around the @ are also how Python multiplies matrices."""
    spaced = local.endswith(" ") or domain.startswith(" ")
    known = domain.strip().rpartition(".")[2].lower() in OF_MAIL
    return not RESERVED.search(domain) and (known or not spaced)


def _find_addresses(reading: Reading) -> Iterator[Finding]:
    text = reading.text
    if reading.column and ADDRESS_COLUMN.search(reading.header):
        for match in ADDRESS_CELL.finditer(text):
            yield Finding(match.start(), match.end(), Kind.ADDRESS, Certainty.LIKELY)
    for number in NUMBER_THEN_WORD.finditer(text):
        span = _read_street(text, number.end()) or _read_town(reading, number.end())
        if span:
            yield Finding(*span, Kind.ADDRESS, Certainty.LIKELY)


def _read_street(text: str, end: int) -> tuple[int, int] | None:
    street = STREET.match(text, end)
    house = HOUSE.search(text, max(0, end - 5), end) if street else None
    return (house.start(), street.end()) if house and street else None


def _read_town(reading: Reading, end: int) -> tuple[int, int] | None:
    postcode = POSTCODE.search(reading.text, max(0, end - 6), end)
    town = TOWN.match(reading.text, end) if postcode else None
    if not postcode or not town:
        return None
    first = max(0, postcode.start() - NEAR_POSTCODE)
    told = BEFORE_POSTCODE.search(reading.lower, first, postcode.start())
    return (postcode.start(), town.end()) if told else None

"""What a search for identifiers says: a kind and a place, never the value that it found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was found; each has a message of the same name in the topic `identifier`."""

    NIR = "nir"
    INS = "ins"
    IPP = "ipp"
    NDA = "nda"
    RPPS = "rpps"
    ADELI = "adeli"
    FINESS = "finess"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    BIRTH_DATE = "birth_date"
    IBAN = "iban"
    PASSPORT = "passport"
    CREDENTIAL = "credential"
    CANARY = "canary"
    NAME = "name"
    FREE_TEXT = "free_text"


JUDGED_BY_PEOPLE = frozenset({Kind.NAME, Kind.FREE_TEXT})
"""Kinds that a person has to look at; every other kind is refused outright."""


class Certainty(StrEnum):
    """How sure a finding is.

    `certain`: a checksum, or a form together with the word that names it. `likely`: a form that
    hardly anything else has. `possible`: worth a person's look.
    """

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True, order=True)
class Finding:
    """Characters `start` to `end` of the text that was searched are an identifier."""

    start: int
    end: int
    kind: Kind
    certainty: Certainty

"""The organisms, drugs and specimens that an antibiogram knows: see catalogue.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from wardbook.messages import Language

SCREENING = "screening"
"""A specimen that looks for carriers; M39 leaves such out."""


@dataclass(frozen=True)
class Organism:
    """A species or group as laboratories report it.

    `lineage` are the codes whose breakpoints hold for it, nearest first and itself before them;
    `intrinsic` the drugs to which the whole species is expected to be resistant.
    """

    code: str
    name: str
    snomed: str
    lineage: tuple[str, ...]
    intrinsic: frozenset[str]


@dataclass(frozen=True)
class Drug:
    """An antimicrobial. `loinc` is "" where the warehouse has no code for it."""

    code: str
    loinc: str
    names: Mapping[Language, str]


@dataclass(frozen=True)
class Catalogue:
    """Organisms and drugs by code; specimens' SNOMED codes by name."""

    organisms: Mapping[str, Organism]
    drugs: Mapping[str, Drug]
    specimens: Mapping[str, str]

    def name_organism(self, code: str) -> str:
        """Return the name of an organism of the catalogue."""
        return self.organisms[code].name

    def name_drug(self, code: str, language: Language) -> str:
        """Return the name of a drug of the catalogue."""
        return self.drugs[code].names[language]

    def is_intrinsic(self, organism: str, drug: str) -> bool:
        """Tell whether resistance of the whole species is expected."""
        return drug in self.organisms[organism].intrinsic


@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue that comes with Wardbook."""
    text = files("wardbook.microbiology").joinpath("catalogue.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    return Catalogue(
        {
            code: Organism(
                code,
                one["name"],
                one.get("snomed", ""),
                (code, *one["lineage"]),
                frozenset(one["intrinsic"]).union(*(read["groups"][g] for g in one["groups"])),
            )
            for code, one in read["organisms"].items()
        },
        {
            code: Drug(code, one["loinc"], {"fr": one["fr"], "en": one["en"]})
            for code, one in read["drugs"].items()
        },
        read["specimens"],
    )


def shorten_name(name: str) -> str:
    """Return E. coli for Escherichia coli; what is no species' name stays."""
    genus, _, species = name.partition(" ")
    return f"{genus[0]}. {species}" if species.isalpha() and species.islower() else name

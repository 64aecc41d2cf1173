"""What each domain knows of the hospital's persons, with the effects planted in it.

A part is a module with

    CONCEPTS      the concepts that it uses beside `wardbook.omop.vocabulary.COMMON`
    TRUTH         what it plants, by name, as plain JSON values: sizes, never figures of what was
                  drawn
    draw(batch)   the rows that it adds, by table; pure, from `batch.rng(NAME)` alone
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from wardbook.hospital.building.batch import Batch, Rows
    from wardbook.omop.vocabulary import Concept

PARTS = (
    "stays",
    "care",
    "notes",
    "tubes",
    "microbiology",
    "pharmacovigilance",
    "sars_cov_2",
    "biology",
    "exome",
)
"""The parts, in the order in which they draw."""


class Part(Protocol):
    """What a module of this package has."""

    CONCEPTS: Sequence[Concept]
    TRUTH: Mapping[str, Any]

    @staticmethod
    def draw(batch: Batch) -> Rows:
        """Return the rows of one batch, by table."""


def load_parts(names: Sequence[str] = PARTS) -> dict[str, Part]:
    """Return the parts by name."""
    parts: dict[str, Any] = {name: import_module(f"{__name__}.{name}") for name in names}
    return parts

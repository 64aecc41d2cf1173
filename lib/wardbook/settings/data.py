"""Data sources, and what tells of persons in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
)

from wardbook.domain.output import Sensitivity
from wardbook.identifiers.site import check_pattern
from wardbook.settings.section import Section


class NameColumns(Section):
    """Columns of a source's file that name persons; those of first names are read together."""

    surnames: Annotated[tuple[str, ...], Field(min_length=1)]
    first_names: tuple[str, ...] = ()


class SourceSettings(Section):
    """One data source of the hospital.

    `names`: outputs of runs that read it are searched for the names that stand in these columns.
    """

    kind: str
    path: Path
    sensitivity: Sensitivity
    default: bool = False
    names: NameColumns | None = None


SitePattern = Annotated[str, AfterValidator(check_pattern)]


class IdentifierSettings(Section):
    """How the hospital numbers patients (IPP) and stays (NDA), and what everybody may see.

    `shown` are the unit's own telephone, address and numbers, which reports may hold.
    """

    ipp: SitePattern = "8[0-9]{9}"
    nda: SitePattern = "N[0-9]{9}"
    shown: tuple[str, ...] = ()

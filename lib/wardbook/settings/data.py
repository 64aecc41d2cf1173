"""Data sources, and what tells of persons in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    model_validator,
)

from wardbook.domain.output import Sensitivity
from wardbook.domain.request import Purpose
from wardbook.identifiers.site import check_pattern
from wardbook.omop.views import has_view
from wardbook.settings.section import Section

TableName = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_$#]*(\.[A-Za-z_][A-Za-z0-9_$#]*)?$")
]


class NameColumns(Section):
    """Columns of a source's file that name persons; those of first names are read together."""

    surnames: Annotated[tuple[str, ...], Field(min_length=1)]
    first_names: tuple[str, ...] = ()


FORMS = ("omop", "i2b2", "ehop")
"""The kinds of sources that are databases: any dataset that has a view is extracted of them."""


class SourceSettings(Section):
    """One data source of the hospital: a file of one kind of data, or a database.

    A database's `kind` is its form: `omop` (the Common Data Model), `i2b2` (its star schema) or
    `ehop` (the Common Data Model as views in an Oracle database, called as `tables` says). It has
    an `address` instead of a path, without a password; `minutes` is what reading it may take, and
    `vocabularies` which prefix of i2b2's codes stands for which vocabulary.

    `refresh` is how old the newest data may be ("2 days"). `purposes` and `services` say what and
    who may use it; no services are all. `names`: outputs of runs that read it are searched for the
    names that stand in these columns.
    """

    kind: str
    path: Path | None = None
    address: Annotated[str, Field(pattern=r"^[a-z0-9]+://\S+$")] | None = None
    password: Annotated[SecretStr, Field(min_length=1)] | None = None
    tables: Mapping[str, TableName] = Field(default_factory=dict)
    vocabularies: Mapping[str, str] = Field(default_factory=dict)
    minutes: Annotated[float, Field(gt=0)] = 30
    sensitivity: Sensitivity
    default: bool = False
    owner: str = ""
    refresh: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,3} (hour|day|week)s?)?$")] = ""
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)] = ("care", "research")
    services: tuple[str, ...] = ()
    names: NameColumns | None = None

    @model_validator(mode="after")
    def _must_be_a_file_or_a_database(self) -> SourceSettings:
        if self.is_database and (self.address is None or self.path is not None):
            raise ValueError(f'kind = "{self.kind}" goes with `address`, and without `path`')
        if not self.is_database and (self.path is None or self.address is not None):
            raise ValueError(
                f"`address` goes with a kind of {', '.join(FORMS)}; others have `path`"
            )
        if not self.is_database and (self.password or self.tables or self.vocabularies):
            raise ValueError("`password_file`, `tables` and `vocabularies` go with `address`")
        if self.is_database and self.names:
            raise ValueError("`names` goes with `path`: extracts of databases hold no names")
        if self.address and _has_password(self.address):
            raise ValueError("the address holds a password in plain sight: set `password_file`")
        return self

    @property
    def is_database(self) -> bool:
        """Whether data are extracted of it."""
        return self.kind in FORMS

    @property
    def oldest(self) -> timedelta | None:
        """How old the newest data may be; None where nobody said."""
        count, _, unit = self.refresh.rstrip("s").partition(" ")
        return timedelta(**{f"{unit}s": int(count)}) if count else None

    def fits(self, kind: str) -> bool:
        """Tell whether data of a kind can be had of it."""
        if self.is_database:
            return has_view(kind)
        return self.kind == kind

    def is_open_to(self, purpose: Purpose | None, service: str) -> bool:
        """Tell whether a request may use it, by what is known of the request."""
        return (purpose is None or purpose in self.purposes) and (
            not service or not self.services or service in self.services
        )


def _has_password(address: str) -> bool:
    parts = urlsplit(address)
    return parts.password is not None or "password=" in parts.query


SitePattern = Annotated[str, AfterValidator(check_pattern)]


class IdentifierSettings(Section):
    """How the hospital numbers patients (IPP) and stays (NDA), and what everybody may see.

    `shown` are the unit's own telephone, address and numbers, which reports may hold.
    """

    ipp: SitePattern = "8[0-9]{9}"
    nda: SitePattern = "N[0-9]{9}"
    shown: tuple[str, ...] = ()

"""How each dataset is made of the Common Data Model's tables.

The dataset `blood-tubes` is made by the module `blood_tubes` of this package, which has

    TABLES        the tables of the model that it reads
    OPTIONAL      further ones that it reads where what is asked needs them; may be left out. It can
                  open no others
    PARAMETERS    the template's parameters that it uses, by name
    view(cdm, asked)   the rows, with at least the dataset's columns, as an Ibis expression;
                  `asked` has a value (typed, or None) for each of PARAMETERS

A view narrows and counts where the data are: what a notebook does not need never leaves the
database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm


class View(Protocol):
    """What a module of this package has."""

    TABLES: Sequence[str]
    PARAMETERS: Sequence[str]

    @staticmethod
    def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
        """Return the rows of the dataset."""


def has_view(dataset: str) -> bool:
    """Tell whether a dataset can be made of the model; quick, it imports nothing."""
    return dataset.replace("-", "_").isidentifier() and find_spec(_name(dataset)) is not None


def find_view(dataset: str) -> View | None:
    """Return the view of a dataset by its name, or None where it cannot be made of the model."""
    if not has_view(dataset):
        return None
    view: Any = import_module(_name(dataset))
    return view  # type: ignore[no-any-return]


def optional_tables(dataset: str) -> tuple[str, ...]:
    """Return the tables that a view reads only where what is asked needs them."""
    return tuple(getattr(find_view(dataset), "OPTIONAL", ()))


def _name(dataset: str) -> str:
    return f"{__name__}.{dataset.replace('-', '_')}"

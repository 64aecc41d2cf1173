"""What each column of a kind is to a twin: told by marginals, or invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wardbook.datasets import Dataset


@dataclass(frozen=True)
class Role:
    """How one column is made.

    Attributes:
        given: columns before it whose value it depends on; a moment stands for its period.
        level: the identifier within which it is always the same; "" where each row has its own.
    """

    given: tuple[str, ...] = ()
    level: str = ""


@dataclass(frozen=True)
class Identifier(Role):
    """An identifier, numbered from 1: the row's own, or of a person, a visit, a report.

    Attributes:
        form: how the number is written, for `format`; "" leaves it a number, above `above`.
        above: beyond what a warehouse numbers its own rows with, and below what 32 bits hold.
    """

    form: str = ""
    above: int = 2_000_000_000


@dataclass(frozen=True)
class Category(Role):
    """One of a list of codes.

    Attributes:
        label: it only names what it is given, as a ward's name names the ward: that all of a group
            have the same tells nothing of anybody.
        distinct: no two rows of the innermost identifier have the same.
    """

    label: bool = False
    distinct: bool = False


@dataclass(frozen=True)
class Amount(Role):
    """A number, by the means of its classes of rank."""


@dataclass(frozen=True)
class Moment(Role):
    """A day or a moment, by weeks or months, days of the week and hours.

    Attributes:
        chain: identifier within which rows follow each other: each begins some time after the one
            before ended.
        end: the column in which a row of the chain ends.
    """

    chain: str = ""
    end: str = ""


@dataclass(frozen=True)
class After(Role):
    """A day or a moment some time after another.

    Attributes:
        start: the other one.
        lasting: empty where it would be later than the data reach, and nowhere else.
        or_before: it may be earlier too.
        beside: filled where that column is filled, and nowhere else.
    """

    start: str = ""
    lasting: bool = False
    or_before: bool = False
    beside: str = ""


@dataclass(frozen=True)
class Birth(Role):
    """A birth day, by the age on another day.

    Attributes:
        on: the other day.
    """

    on: str = ""


@dataclass(frozen=True)
class Invented(Role):
    """A name, a room or another free text: the column's number written in a form of ours."""

    form: str = "{}"


@dataclass(frozen=True)
class Plan:
    """How the rows of a kind are made.

    `roles` are in the order of making: what is given comes first. The first is the person's
    identifier; identifiers follow from the outermost to the row's own.
    """

    dataset: Dataset
    roles: Mapping[str, Role]

    @property
    def person(self) -> str:
        """The column that tells persons apart."""
        return next(name for name, role in self.roles.items() if isinstance(role, Identifier))

    @property
    def levels(self) -> tuple[str, ...]:
        """The identifiers that several rows may share, outermost first."""
        names = [name for name, role in self.roles.items() if isinstance(role, Identifier)]
        return tuple(name for name in names if self.dataset.key != (name,))

    @property
    def told(self) -> tuple[str, ...]:
        """The columns of which figures are told; the others are numbered or invented."""
        return tuple(n for n, role in self.roles.items() if not isinstance(role, _MADE_UP))


_MADE_UP = (Identifier, Invented)

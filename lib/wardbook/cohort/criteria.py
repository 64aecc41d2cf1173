"""What makes a cohort: the event that enters it, and criteria that a person meets or does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

VOCABULARIES: Mapping[str, str] = {
    name.casefold(): name
    for name in (
        *("ICD10", "ICD10CM", "ICD9CM", "SNOMED", "ATC", "RxNorm", "NDC", "CVX"),
        *("CCAM", "LOINC", "HPO", "Visit"),
    )
}
"""Vocabularies whose codes can be asked for, by their names in small letters."""

BY_PREFIX = frozenset({"ICD10", "ICD10CM", "ICD9CM", "ATC", "CCAM"})
"""Those whose codes say their families: a code asked for stands for all that begin with it."""


@dataclass(frozen=True)
class Domain:
    """A kind of event: where the model holds it, and the vocabulary that is meant unless told."""

    table: str
    concept: str
    day: str
    vocabulary: str = ""
    source_concept: str = ""


DOMAINS: Mapping[str, Domain] = {
    "condition": Domain(
        *("condition_occurrence", "condition_concept_id", "condition_start_date", "ICD10"),
        source_concept="condition_source_concept_id",
    ),
    "drug": Domain(
        *("drug_exposure", "drug_concept_id", "drug_exposure_start_date", "ATC"),
        source_concept="drug_source_concept_id",
    ),
    "drug_era": Domain("drug_era", "drug_concept_id", "drug_era_start_date", "ATC"),
    "procedure": Domain(
        *("procedure_occurrence", "procedure_concept_id", "procedure_date", "CCAM"),
        source_concept="procedure_source_concept_id",
    ),
    "measurement": Domain(
        *("measurement", "measurement_concept_id", "measurement_date", "LOINC"),
        source_concept="measurement_source_concept_id",
    ),
    "observation": Domain(
        *("observation", "observation_concept_id", "observation_date", "HPO"),
        source_concept="observation_source_concept_id",
    ),
    "visit": Domain("visit_occurrence", "visit_concept_id", "visit_start_date", "Visit"),
    "death": Domain("death", "", "death_date"),
}


@dataclass(frozen=True)
class Codes:
    """Concepts by their codes in a vocabulary, or by their ids where `vocabulary` is ""."""

    vocabulary: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.vocabulary or 'concept'} {'|'.join(self.values)}"


@dataclass(frozen=True)
class Comparison:
    """A bound of a measurement's number; `unit` is the unit as the source writes it, if told."""

    sign: str  # one of > >= < <= =
    value: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.sign} {self.value:g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Event:
    """Something that is recorded of a person on a day."""

    domain: str
    codes: Codes | None = None
    comparison: Comparison | None = None

    def __str__(self) -> str:
        return " ".join(str(one) for one in (self.domain, self.codes, self.comparison) if one)


@dataclass(frozen=True)
class Window:
    """Days from the index, both included; before it they are negative."""

    first: int
    last: int

    def __str__(self) -> str:
        if self.last <= 0:
            return f"before index {-self.first}..{-self.last} days"
        return f"after index {self.first}..{self.last} days"


@dataclass(frozen=True)
class AgeAtIndex:
    """Whole years on the day of the index, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"age {self.low}..{self.high} at index"


@dataclass(frozen=True)
class SexIs:
    """Administrative sex, F or M."""

    code: str

    def __str__(self) -> str:
        return f"sex {self.code}"


@dataclass(frozen=True)
class Observed:
    """Observed without a gap from `first` to `last` days from the index."""

    first: int
    last: int

    def __str__(self) -> str:
        days, side = (-self.first, "before") if self.first else (self.last, "after")
        return f"observed {days} days {side} index"


@dataclass(frozen=True)
class Happened:
    """An event is recorded in the window (any time without one), or is not."""

    event: Event
    window: Window | None = None
    negated: bool = False

    def __str__(self) -> str:
        said = f"{self.event} {self.window}" if self.window else str(self.event)
        return f"not {said}" if self.negated else said


Criterion = AgeAtIndex | SexIs | Observed | Happened


@dataclass(frozen=True)
class Cohort:
    """All that is asked.

    The index of a person is the day of their first `entry` ever; `start` and `end` bound it.
    `criteria` are applied in their order. `characteristics` are told of those who meet them all,
    and `group`, if any, parts these in two.
    """

    entry: Event
    start: date | None
    end: date | None
    criteria: tuple[Criterion, ...] = ()
    characteristics: tuple[Criterion, ...] = ()
    group: Criterion | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """What is asked at each step after the entry, in the grammar's words."""
        bounded = (f"index {self.start or ''}..{self.end or ''}",) if self.is_bounded else ()
        return (*bounded, *(str(one) for one in self.criteria))

    @property
    def is_bounded(self) -> bool:
        """Whether the index has to be in a period."""
        return self.start is not None or self.end is not None

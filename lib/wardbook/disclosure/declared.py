"""From a CSV file and its declaration to the tables that the rules judge.

One file is several tables: one of frequencies for each column that counts persons, one of
magnitudes for each sum or mean. All share the file's places and therefore its relations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from wardbook.disclosure.relations import Codes, Place, find_relations
from wardbook.disclosure.sheet import Numbers, Sheet
from wardbook.disclosure.table import TOTAL, Cell, Relation, Table

if TYPE_CHECKING:
    from wardbook.template.outputs import MeasureSpec, OutputSpec

_SLACK = 1e-9
_HIDDEN = 1e6
"""Stands for a redacted count of a rounded table where only zero or not zero is asked."""


@dataclass(frozen=True)
class Flaw:
    """Why a file cannot be judged as declared: a code of topic `check` and its values."""

    reason: str
    details: tuple[tuple[str, str], ...]


class DeclaredTable:
    """A table's file, seen as its declaration says.

    Args:
        name: of the output.
        declared: its declaration.
        sheet: its file; the header is the declared one.
        backing: the file of its backing, where it has one.
    """

    def __init__(
        self, name: str, declared: OutputSpec, sheet: Sheet, backing: Sheet | None = None
    ) -> None:
        self.name = name
        self.declared = declared
        self.sheet = sheet
        self.places = sheet.places(declared.dimensions)
        self._backing = backing
        self._known: dict[str, Numbers] = {}

    @property
    def is_exact(self) -> bool:
        """Whether the file's counts are the true ones, and not rounded."""
        return not self.declared.rounded

    def numbers(self, column: str) -> Numbers:
        """Return a column of the file, or else of its backing, as numbers in the file's order."""
        if column not in self._known:
            self._known[column] = self._read(column)
        return self._known[column]

    def counts_behind(self, measure: MeasureSpec) -> Numbers:
        """Return how many persons are behind each row of a measure."""
        return self.numbers(measure.count or str(self.declared.count))

    @cached_property
    def count_columns(self) -> tuple[str, ...]:
        """The columns that count persons, each once."""
        declared = self.declared
        counted = [declared.count or ""]
        for column, measure in declared.measures.items():
            counted += [column if measure.statistic == "count" else "", measure.count]
        return tuple(dict.fromkeys(column for column in counted if column))

    @cached_property
    def flaws(self) -> tuple[Flaw, ...]:
        """All that keeps the file from being judged as declared."""
        return (*self._find_flaws(), *(flaw for _, flaws in self._built for flaw in flaws))

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The tables of frequencies, then those of magnitudes; of a flawed column there is none.

        Of a rounded file they are good for telling zero from not zero, and for nothing else.
        """
        return tuple(table for table, _ in self._built)

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """The sums that the places of the rows let a reader expect."""
        declared = self.declared
        codes = [
            Codes(declared.total.get(name, TOTAL), declared.hierarchies.get(name, {}))
            for name in declared.dimensions
        ]
        return find_relations(self.places, codes)

    @cached_property
    def _built(self) -> tuple[tuple[Table, tuple[Flaw, ...]], ...]:
        if len(set(self.places)) < len(self.places):
            return ()
        return (*self._count_tables(), *self._value_tables())

    def _find_flaws(self) -> Iterator[Flaw]:
        repeated = len(self.places) - len(set(self.places))
        if repeated:
            yield _flaw("rows_repeat", rows=repeated)
        for column, dimension in self.declared.labels.items():
            pairs = set(self.sheet.places((dimension, column)))
            if len(pairs) > len({code for code, _ in pairs}):
                yield _flaw("label_varies", column=column, dimension=dimension)
        absent = sum(1 for row in self._backing_rows if row is None)
        if absent:
            yield _flaw("backing_missing", rows=absent)
        for column in self.count_columns:
            unreadable = sum(1 for count in self._counts(column) if count is None)
            if unreadable:
                yield _flaw("counts_unreadable", column=column, rows=unreadable)
        for column, measure in self.declared.measures.items():
            if measure.statistic in {"sum", "mean"}:
                unreadable = sum(1 for value in self._values(column, measure) if value is None)
                if unreadable:
                    yield _flaw("values_unreadable", column=column, rows=unreadable)

    def _counts(self, column: str) -> Numbers:
        """Return counts, None where there is none; what a rounded table redacts is not zero."""
        counts = [n if n is None or n >= 0 else None for n in self.numbers(column)]
        if self.is_exact or column not in self.sheet.header:
            return tuple(counts)
        texts = self.sheet.texts(column)
        return tuple(n if t else _HIDDEN for n, t in zip(counts, texts, strict=True))

    def _values(self, column: str, measure: MeasureSpec) -> Numbers:
        """Return sums; that of a mean is the mean times its count."""
        behind = self.counts_behind(measure)
        values = self.numbers(column)
        return tuple(
            0.0
            if not count
            else None
            if value is None
            else value * (count if measure.statistic == "mean" else 1)
            for value, count in zip(values, behind, strict=True)
        )

    def _count_tables(self) -> Iterator[tuple[Table, tuple[Flaw, ...]]]:
        for column in self.count_columns:
            counts = _all_known(self._counts(column))
            if counts is not None:
                cells = [Cell(p, n, n) for p, n in zip(self.places, counts, strict=True)]
                yield self._build(cells, [0.0] * len(cells), column)

    def _value_tables(self) -> Iterator[tuple[Table, tuple[Flaw, ...]]]:
        for column, measure in self.declared.measures.items():
            if measure.statistic not in {"sum", "mean"}:
                continue
            counts = _all_known(self.counts_behind(measure))
            values = _all_known(self._values(column, measure))
            if counts is None or values is None:
                continue
            columns = [self.numbers(name) for name in measure.largest]
            largest = [_known_first(row) for row in zip(*columns, strict=True)] or [()] * len(
                counts
            )
            cells = [
                Cell(*parts) for parts in zip(self.places, counts, values, largest, strict=True)
            ]
            error = _half_unit(self.sheet.texts(column)) if column in self.sheet.header else 0.0
            scale = counts if measure.statistic == "mean" else [1.0] * len(counts)
            yield self._build(cells, [error * one for one in scale], column)

    def _build(
        self, cells: Sequence[Cell], errors: Sequence[float], column: str
    ) -> tuple[Table, tuple[Flaw, ...]]:
        """Return the table with those relations that hold, and the flaw that others do not."""
        relations = self.relations
        flaws: tuple[Flaw, ...] = ()
        if self.is_exact:
            relations = tuple(one for one in relations if _adds_up(one, cells, errors))
            differing = len(self.relations) - len(relations)
            flaws = (_flaw("sums_differ", column=column, sums=differing),) if differing else ()
        table = Table(
            name=self.name,
            dimensions=self.declared.dimensions,
            cells=tuple(cells),
            relations=relations,
            population=self.declared.population,
            timeline=self.declared.time,
            measure=column,
        )
        return table, flaws

    def _read(self, column: str) -> Numbers:
        if column in self.sheet.header:
            return self.sheet.numbers(column)
        if self._backing is None:
            return (None,) * len(self.places)
        numbers = self._backing.numbers(column)
        return tuple(None if row is None else numbers[row] for row in self._backing_rows)

    @cached_property
    def _backing_rows(self) -> tuple[int | None, ...]:
        """For each row of the file, the row of its backing; None where there is not exactly one.

        Nothing where there is no backing.
        """
        if self._backing is None:
            return ()
        rows: dict[Place, int | None] = {}
        for number, place in enumerate(self._backing.places(self.declared.dimensions)):
            rows[place] = None if place in rows else number
        return tuple(rows.get(place) for place in self.places)


def _flaw(reason: str, **details: object) -> Flaw:
    return Flaw(reason, tuple((key, str(value)) for key, value in details.items()))


def _all_known(numbers: Numbers) -> list[float] | None:
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(numbers) else None


def _known_first(numbers: Iterable[float | None]) -> tuple[float, ...]:
    """Return the numbers before the first gap."""
    known = []
    for number in numbers:
        if number is None:
            break
        known.append(number)
    return tuple(known)


def _adds_up(relation: Relation, cells: Sequence[Cell], errors: Sequence[float]) -> bool:
    total = cells[relation.total].value
    parts = sum(cells[part].value for part in relation.parts)
    error = errors[relation.total] + sum(errors[part] for part in relation.parts)
    return abs(total - parts) <= error + _SLACK * max(abs(total), abs(parts))


def _half_unit(texts: Iterable[str]) -> float:
    """Return by how much the numbers of a column may be off because they were rounded."""
    decimals = max((len(text.partition(".")[2]) for text in texts if "e" not in text), default=0)
    return 0.5 * 10.0**-decimals

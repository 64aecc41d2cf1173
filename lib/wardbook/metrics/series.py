"""Series of metrics: the rows of a released table, written over those that it takes the place of.

A release of a request replaces that request's rows from its first to its last period, but for the
periods of a later release. So it does not matter in which order, or how often, releases arrive.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    delete,
    insert,
    inspect,
    not_,
    select,
)

from wardbook.disclosure.sheet import Sheet
from wardbook.errors import Fault
from wardbook.metrics.checking import find_flaws
from wardbook.metrics.database import MetricChanged, MetricsDatabase, make_tables
from wardbook.metrics.periods import read_period
from wardbook.metrics.schema import (
    LONGEST_NAME,
    REQUEST,
    RUN,
    TIME,
    metric_dimensions,
    metric_table,
    table_name,
)
from wardbook.metrics.unit_tables import metadata as unit_tables
from wardbook.template.outputs import OutputSpec

_ROWS = 5_000

deliveries = Table(
    "metric_deliveries",
    MetaData(),
    Column("metric", String(LONGEST_NAME), primary_key=True),
    Column("source", String(200), nullable=False),
    Column("request", String(64), primary_key=True),
    Column("run", String(128), primary_key=True),
    Column("released", DateTime(timezone=True), nullable=False),
    Column("first", DateTime(timezone=True)),
    Column("last", DateTime(timezone=True)),
    Column("rows", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
)
"""What arrived: which release covers which periods, and the digest of its rows.

`source` is template and output, since two of them may come to one name of a table.
"""
_RESERVED = frozenset({deliveries.name, *unit_tables.tables})


@dataclass(frozen=True)
class Series:
    """The rows of a metric as they arrive: moments in UTC, codes, and figures or nothing."""

    template: str
    output: str
    declared: OutputSpec
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)

    @property
    def table(self) -> str:
        """The name of its table."""
        return table_name(self.template, self.output)

    @property
    def source(self) -> str:
        """Where it comes from: template and output."""
        return f"{self.template}/{self.output}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns that come from the released table."""
        return (TIME, *metric_dimensions(self.declared), *self.declared.measured_columns)

    def to_csv(self) -> bytes:
        """Return the rows in the one form whose digest a receipt tells: in the order of places."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        placing = self.columns[: 1 + len(metric_dimensions(self.declared))]
        for row in sorted(self.rows, key=lambda one: tuple(one[name] for name in placing)):
            writer.writerow([_write(row[name]) for name in self.columns])
        return text.getvalue().encode()

    @cached_property
    def sha256(self) -> str:
        """The digest of its rows."""
        return hashlib.sha256(self.to_csv()).hexdigest()


@dataclass(frozen=True)
class Release:
    """Which run of which request a series is of, and when it was released, in UTC."""

    request: str
    run: str
    released: datetime


def read_series(
    sheet: Sheet, template: str, output: str, declared: OutputSpec, zone: tzinfo
) -> Series:
    """Return a released table as a series.

    Args:
        sheet: the table as it leaves: what the disclosure rules withhold is empty.
        template, output: their names.
        declared: the output.
        zone: the unit's time zone, in which periods begin.

    Raises:
        Fault: it is not what the checks let through.
    """
    if flaw := next(find_flaws(sheet, declared), None):
        raise Fault(f"The metric {output} is not the one that was checked ({flaw[0]}). Run again.")
    begins = {}
    for code in set(sheet.texts(declared.time)):
        period = read_period(code)
        assert period is not None  # noqa: S101  a flaw otherwise
        begins[code] = period.begins(zone)
    columns: dict[str, Sequence[Any]] = {
        TIME: [begins[code] for code in sheet.texts(declared.time)]
    }
    columns |= {name: sheet.texts(name) for name in metric_dimensions(declared)}
    columns |= {name: sheet.numbers(name) for name in declared.measured_columns}
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return Series(template, output, declared, tuple(rows))


def put_series(database: MetricsDatabase, every: Sequence[Series], release: Release) -> None:
    """Let a release's series take their places, in one transaction; what has arrived stays.

    Raises:
        MetricChanged: a metric has other dimensions than its table, or another's table.
        ForeignFault: the database cannot be reached, or refuses.
    """
    with database.writing() as connection:
        make_tables(connection, deliveries)
        for series in every:
            _own(connection, series)
            if not _has(connection, series, release):
                _put(connection, series, release)


def has_arrived(database: MetricsDatabase, every: Sequence[Series], release: Release) -> bool:
    """Tell whether a release has arrived, or a later one of the same run has."""
    with database.reading() as connection:
        there = inspect(connection).has_table(deliveries.name)
        return there and all(_has(connection, series, release) for series in every)


def _put(connection: Connection, series: Series, release: Release) -> None:
    table = metric_table(MetaData(), series.template, series.output, series.declared)
    make_tables(connection, table)
    later = _find_later(connection, series, release)
    _clear(connection, table, series, release, [one.run for one in later])
    stretches = [one.stretch for one in later if one.stretch]
    rows = [
        {**row, REQUEST: release.request, RUN: release.run}
        for row in series.rows
        if not any(first <= row[TIME] <= last for first, last in stretches)
    ]
    for start in range(0, len(rows), _ROWS):
        connection.execute(insert(table), rows[start : start + _ROWS])
    _note(connection, series, release)


def _own(connection: Connection, series: Series) -> None:
    """Make sure that no other metric has the same table."""
    of = deliveries.c
    others = and_(of.metric == series.table, of.source != series.source)
    other = connection.execute(select(of.source).where(others)).scalar()
    if series.table in _RESERVED or other:
        raise MetricChanged(
            f"The table {series.table} of the metrics' database is that of "
            f"{other or 'the platform itself'}, not of {series.source}. Give the output another "
            "name."
        )


def _has(connection: Connection, series: Series, release: Release) -> bool:
    of = deliveries.c
    mine = and_(of.metric == series.table, of.request == release.request, of.run == release.run)
    found = connection.execute(select(of.released, of.sha256).where(mine)).one_or_none()
    if found is None:
        return False
    known = in_utc(found.released)
    return known > release.released or (known, found.sha256) == (release.released, series.sha256)


@dataclass(frozen=True)
class _Later:
    run: str
    stretch: tuple[datetime, datetime] | None


def _find_later(connection: Connection, series: Series, release: Release) -> list[_Later]:
    of = deliveries.c
    rows = connection.execute(
        select(of.run, of.released, of.first, of.last).where(
            of.metric == series.table, of.request == release.request, of.run != release.run
        )
    ).all()
    return [
        _Later(row.run, (in_utc(row.first), in_utc(row.last)) if row.first else None)
        for row in rows
        if (in_utc(row.released), row.run) > (release.released, release.run)
    ]


def _clear(
    connection: Connection, table: Table, series: Series, release: Release, later: Sequence[str]
) -> None:
    """Delete what the release takes the place of, and what it wrote itself before."""
    mine = table.c[REQUEST] == release.request
    connection.execute(delete(table).where(mine, table.c[RUN] == release.run))
    if series.rows:
        first, last = _stretch(series)
        within = table.c[TIME].between(first, last)
        connection.execute(delete(table).where(mine, within, not_(table.c[RUN].in_(later))))


def _note(connection: Connection, series: Series, release: Release) -> None:
    first, last = _stretch(series) if series.rows else (None, None)
    of = deliveries.c
    mine = and_(of.metric == series.table, of.request == release.request, of.run == release.run)
    connection.execute(delete(deliveries).where(mine))
    connection.execute(
        insert(deliveries).values(
            metric=series.table,
            source=series.source,
            request=release.request,
            run=release.run,
            released=release.released,
            first=first,
            last=last,
            rows=len(series.rows),
            sha256=series.sha256,
        )
    )


def _stretch(series: Series) -> tuple[datetime, datetime]:
    moments = [row[TIME] for row in series.rows]
    return min(moments), max(moments)


def in_utc(moment: datetime) -> datetime:
    """Return a moment as it was written: SQLite forgets that it was in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _write(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)

"""Suppression beside earlier releases, on tables that can be followed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from wardbook.disclosure.differencing import Beside, suppress_beside
from wardbook.disclosure.reader import Reader
from wardbook.disclosure.register import Release, Scope, describe_release
from wardbook.disclosure.suppress import Suppression, suppress
from wardbook.disclosure.table import TOTAL, Cell, Relation, Table

READER = Reader()
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
YEAR = Scope("stays", "count", date(2026, 1, 1), date(2026, 12, 31))
MARCH = replace(YEAR, first_day=date(2026, 3, 1), last_day=date(2026, 3, 31))


def row(counts: Mapping[str, int], dimension: str = "ward") -> Table:
    """Make a table of one dimension, with its total at the end."""
    numbers = {**counts, TOTAL: sum(counts.values())}
    cells = tuple(Cell((code,), float(n), float(n)) for code, n in numbers.items())
    total = Relation(len(counts), tuple(range(len(counts))))
    return Table("stays", (dimension,), cells, (total,))


def plain(table: Table) -> Table:
    """The same without its total."""
    return replace(table, cells=table.cells[:-1], relations=())


def small(table: Table) -> frozenset[int]:
    return frozenset(n for n, cell in enumerate(table.cells) if 0 < cell.count < 11)


def released(table: Table, scope: Scope, run: str = "run-1", reader: Reader = READER) -> Release:
    suppression = suppress(table, small(table), reader)
    assert suppression.is_safe
    return describe_release(table, suppression, reader, scope, request="DATA-1", run=run, now=NOW)


def beside(table: Table, scope: Scope, *earlier: Release) -> Beside:
    return suppress_beside(table, small(table), READER, scope, earlier)


def codes(table: Table, found: Beside) -> set[str]:
    return {table.cells[at].place[0] for at in found.suppression.suppressed}


def test_adults_are_not_told_beside_everybody_when_few_are_children() -> None:
    everybody = row({"A": 50, "B": 60, "C": 70})
    adults = row({"A": 46, "B": 40, "C": 55})
    scope = replace(YEAR, limits={"age": "18+"})
    assert beside(adults, scope).suppression.suppressed == frozenset()
    earlier = released(everybody, YEAR)
    found = beside(adults, scope, earlier)
    assert found.suppression.is_safe
    assert "A" in codes(adults, found)
    assert found.because_of == (earlier.title,)
    assert "DATA-1" in earlier.title


def test_other_persons_and_other_times_are_no_neighbours() -> None:
    everybody = row({"A": 50, "B": 60, "C": 70})
    assert not YEAR.meets(replace(YEAR, population="visits"))
    assert not YEAR.meets(replace(YEAR, measure="cost"))
    assert not MARCH.meets(replace(MARCH, first_day=date(2026, 4, 1), last_day=date(2026, 4, 30)))
    assert MARCH.meets(YEAR)
    assert MARCH.meets(Scope("stays"))
    assert everybody.cells


def test_months_do_not_leave_a_small_month_of_a_known_year() -> None:
    half = replace(YEAR, last_day=date(2026, 6, 30))
    weeks = Scope("stays", "count", date(2026, 1, 1), date(2026, 6, 30))
    by_month = row({"2026-01": 30, "2026-02": 41, "2026-03": 25, "2026-04": 5}, "month")
    earlier = released(plain(by_month), weeks)
    assert earlier.shown[-1] is None
    total = Table("stays", (), (Cell((), 101.0, 101.0),))
    found = beside(total, replace(half, last_day=date(2026, 4, 30)), earlier)
    assert found.suppression.suppressed == {0}
    # Of a longer time it leaves 5 for the other months; where these had more, it may be shown.
    assert beside(total, half, earlier).suppression.suppressed == {0}
    more = Table("stays", (), (Cell((), 140.0, 140.0),))
    assert beside(more, half, earlier).suppression.suppressed == frozenset()


def test_a_ward_left_over_from_its_pole_is_not_told() -> None:
    wards = plain(row({"A": 50, "B": 6, "C": 70}))
    poles = plain(row({"P": 56, "Q": 90}))
    earlier = released(wards, YEAR)
    hierarchy = {"ward": {"P": ("A", "B"), "Q": ("C", "D")}}
    found = suppress_beside(poles, small(poles), READER, YEAR, [earlier], hierarchy)
    assert codes(poles, found) == {"P"}
    assert (
        suppress_beside(poles, small(poles), READER, YEAR, [earlier]).suppression.suppressed
        == set()
    )


def test_bands_of_age_that_nest_are_compared() -> None:
    earlier = released(plain(row({"0-17": 40, "18-64": 80}, "age")), YEAR)
    nested = plain(row({"0-15": 35, "65+": 30}, "age"))
    assert codes(nested, beside(nested, YEAR, earlier)) == {"0-15"}
    apart = plain(row({"0-15": 20, "65+": 30}, "age"))
    assert codes(apart, beside(apart, YEAR, earlier)) == set()


def test_the_same_table_again_needs_nothing_more() -> None:
    table = row({"A": 50, "B": 6, "C": 70, "D": 9})
    first = released(table, YEAR)
    found = beside(table, YEAR, first)
    assert found == Beside(suppress(table, small(table), READER))


def test_a_corrected_figure_takes_the_place_of_the_earlier_one() -> None:
    table = row({"A": 50, "B": 60, "C": 70})
    corrected = row({"A": 50, "B": 64, "C": 70})
    found = beside(corrected, YEAR, released(table, YEAR))
    assert found.suppression == Suppression(frozenset(), frozenset(), 0.0)
    assert found.corrected == 2


def test_a_table_that_nothing_can_save_is_held_and_names_the_reason() -> None:
    # Twelve persons are known of; who sees twelve wards suppressed, none of them zero, knows each.
    earlier = released(Table("stays", (), (Cell((), 12.0, 12.0),)), YEAR)
    wards = row({f"W{n}": 1 for n in range(12)})
    assert beside(wards, YEAR).suppression.is_safe
    found = beside(wards, YEAR, earlier)
    assert not found.suppression.is_safe
    assert found.because_of == (earlier.title,)


def test_no_figure_behind_a_suppressed_cell_is_kept() -> None:
    table = row({"A": 50, "B": 6, "C": 70, "D": 9})
    kept = released(table, YEAR)
    hidden = [at for at, shown in enumerate(kept.shown) if shown is None]
    assert {1, 3} <= set(hidden)
    assert {kept.known[at] for at in hidden} <= {(1.0, 10.0), (11.0, None)}
    rounded = released(table, YEAR, reader=Reader(minimum=13, base=5))
    assert rounded.shown[0] == 50.0
    assert rounded.known[0] == (48.0, 52.0)

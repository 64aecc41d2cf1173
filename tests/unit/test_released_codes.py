"""What codes of different tables have in common."""

from __future__ import annotations

from datetime import date

import pytest

from wardbook.disclosure.codes import read_span, read_stretch, split_codes
from wardbook.disclosure.regions import Layout, join
from wardbook.disclosure.register import Scope
from wardbook.disclosure.table import TOTAL


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("2026-03-05", date(2026, 3, 5), date(2026, 3, 5)),
        ("2026-W10", date(2026, 3, 2), date(2026, 3, 8)),
        ("2026-S10", date(2026, 3, 2), date(2026, 3, 8)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-T1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-03-02/2026-04-01", date(2026, 3, 2), date(2026, 4, 1)),
    ],
)
def test_spans_of_time_are_read(code: str, first: date, last: date) -> None:
    assert read_span(code) == (first, last)


@pytest.mark.parametrize("code", ["W1", "2026-13", "2026-W60", "20-39", "Tous", ""])
def test_other_codes_are_no_spans_of_time(code: str) -> None:
    assert read_span(code) is None


@pytest.mark.parametrize(
    ("code", "first", "end"),
    [
        ("20-39", 20, 40),
        ("20 – 39 ans", 20, 40),
        ("[20,40)", 20, 40),
        ("[20;40[", 20, 40),
        ("80+", 80, float("inf")),
        ("≥ 80", 80, float("inf")),
        ("80 ans et plus", 80, float("inf")),
        ("<5", 0, 5),
        ("85", 85, 86),
    ],
)
def test_bands_of_numbers_are_read(code: str, first: float, end: float) -> None:
    found = read_stretch(code)
    assert found is not None
    assert (found.first, found.end) == (first, end)


@pytest.mark.parametrize("code", ["39-20", "adultes", "A1", "-5"])
def test_other_codes_are_no_bands(code: str) -> None:
    assert read_stretch(code) is None


def test_codes_overlap_where_they_share_atoms() -> None:
    atoms = split_codes(["0-17", "0-15", "16-64", "18+", "inconnu", "2026"], {})
    assert atoms["0-15"] < atoms["0-17"]
    assert atoms["0-17"] & atoms["16-64"]
    assert not atoms["0-17"] & atoms["18+"]
    assert not atoms["inconnu"] & atoms["18+"]
    assert not atoms["2026"] & atoms["18+"]


def test_a_hierarchy_that_bites_its_tail_is_read_all_the_same() -> None:
    atoms = split_codes(["A"], {"A": ("B", "C"), "B": ("A", "D")})
    assert atoms["A"] >= {"C", "D"}


def test_weeks_and_their_month_are_cut_where_they_cross() -> None:
    week = Layout(Scope("stays", "count", date(2026, 3, 30), date(2026, 4, 5)), (), ((),), ())
    month = Layout(Scope("stays", "count", date(2026, 3, 1), date(2026, 3, 31)), (), ((),), ())
    positions, size, relations = join([week, month], {})
    # In both, in the week alone, in the month alone.
    assert size == 5
    (of_week,), (of_month,) = positions
    parts = {one.total: set(one.parts) for one in relations}
    assert len(parts[of_week] & parts[of_month]) == 1


def test_one_cell_of_two_tables_is_one_number() -> None:
    places = (("A",), ("B",), (TOTAL,))
    wards = Layout(Scope("stays"), ("ward",), places, ((2, 0, 1),))
    ages = Layout(Scope("stays"), ("age",), (("0-17",), ("18+",), (TOTAL,)), ((2, 0, 1),))
    positions, size, _ = join([wards, ages], {})
    assert positions[0][2] == positions[1][2]
    assert size == 5


def test_a_total_by_another_name_is_known_by_its_sum() -> None:
    places = (("A",), ("B",), ("Ensemble",))
    wards = Layout(Scope("stays"), ("ward",), places, ((2, 0, 1),))
    positions, _, _ = join([wards, Layout(Scope("stays"), (), ((),), ())], {})
    assert positions[1] == [positions[0][2]]

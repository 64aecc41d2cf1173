"""A table that only small groups hold back is cut; what cannot be cut safely still waits."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.sample_outputs import PUBLIC, SENSITIVE, Run, policy
from wardbook.disclosure.case import Case
from wardbook.disclosure.checks import cases_of
from wardbook.disclosure.cutting import (
    Cut,
    Leaving,
    cut_table,
    describe_releases,
    leave_together,
    may_be_cut,
    tell_cut,
    tell_figures,
    write_cut,
)
from wardbook.disclosure.leaving import hidden_rows, read_leaving, write_leaving
from wardbook.disclosure.register import Release, Scope
from wardbook.domain.output import Check, OutputKind, Verdict, verdicts_of, worst_of

CROSSED = {"columns": ["ward", "sex", "n"], "dimensions": ["ward", "sex"], "count": "n"}
CROSSED |= {"total": {"ward": "all", "sex": "all"}, "population": "stays"}
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def lines_of(counts: dict[tuple[str, str], int]) -> str:
    """Return a table of counts with its margins."""
    rows = dict(counts)
    for (ward, sex), n in counts.items():
        for place in ((ward, "all"), ("all", sex), ("all", "all")):
            rows[place] = rows.get(place, 0) + n
    return "ward,sex,n\n" + "".join(f"{ward},{sex},{n}\n" for (ward, sex), n in rows.items())


SAFE = {(w, s): 20 + 7 * n for n, (w, s) in enumerate((w, s) for w in "ABC" for s in "FM")}
SMALL = SAFE | {("A", "M"): 4}


def case_of(
    folder: Path, content: str, what: Any = SENSITIVE, **keys: Any
) -> tuple[Case, list[Check]]:
    run = Run(folder).table("t", content, **(CROSSED | keys))
    checks = run.check(what)
    (case,) = cases_of(list(run.outputs.values()), folder, run.spec(), what, policy())
    return case, checks


def cut(case: Case, earlier: Sequence[Release] = ()) -> Cut:
    found = cut_table(case, lambda scope: [one for one in earlier if one.scope.meets(scope)])
    assert found is not None
    return found


def test_a_small_cell_is_hidden_with_what_would_tell_on_it(tmp_path: Path) -> None:
    case, checks = case_of(tmp_path, lines_of(SMALL))
    assert may_be_cut(case, checks)
    found = cut(case)
    places = [case.table.places[row] for row in sorted(found.rows)]
    assert ("A", "M") in places
    assert len(places) >= 4, "a second one in its row, in its column, and where those meet"
    told = list(tell_cut(case, found, checks))
    assert worst_of(check.verdict for check in told) is Verdict.PASS
    assert worst_of(check.verdict for check in checks) is Verdict.HOLD, "before it was cut"


def test_hidden_rows_keep_their_place_and_lose_their_figures(tmp_path: Path) -> None:
    case, _ = case_of(tmp_path, lines_of(SMALL))
    found = cut(case)
    content = write_cut(case.table.sheet, case.declared, found.rows).decode()
    before, after = (list(csv.reader(io.StringIO(text))) for text in (lines_of(SMALL), content))
    assert [row[:2] for row in after] == [row[:2] for row in before]
    for number, (was, now) in enumerate(zip(before[1:], after[1:], strict=True)):
        assert now[2] == ("" if number in found.rows else was[2])


def test_a_table_without_small_cells_is_shown_whole(tmp_path: Path) -> None:
    case, checks = case_of(tmp_path, lines_of(SAFE))
    found = cut(case)
    assert (found.rows, found.is_safe) == (frozenset(), True)
    assert list(tell_cut(case, found, checks)) == checks


def test_an_earlier_release_makes_more_of_a_table_be_hidden(tmp_path: Path) -> None:
    """Both wards' total left before; with it the other ward's count would tell the small one."""
    one = {**CROSSED, "dimensions": ["ward"], "total": {"ward": "all"}, "columns": ["ward", "n"]}
    (tmp_path / "before").mkdir()
    (tmp_path / "now").mkdir()
    before, _ = case_of(tmp_path / "before", "ward,n\nA,24\nB,60\nall,84\n", **one)
    earlier = list(describe_releases(before, frozenset(), NOW))
    assert [one.scope for one in earlier] == [Scope("stays", "n")]
    now, _ = case_of(tmp_path / "now", "ward,sex,n\nA,F,20\nA,M,4\nB,F,30\nB,M,30\n", total={})
    alone, beside = cut(now), cut(now, earlier)
    assert alone.rows == {1}
    assert beside.rows > alone.rows
    assert beside.because_of


@pytest.mark.parametrize(
    ("what", "keys"),
    [
        (PUBLIC, {}),
        (SENSITIVE, {"sensitivity": "sensitive", "channel": "share"}),
        (SENSITIVE, {"rounded": True}),
        (SENSITIVE, {"columns": ["ward", "sex", "n"], "count": None}),
    ],
)
def test_what_is_not_cut(what: Any, keys: dict[str, Any], tmp_path: Path) -> None:
    case, checks = case_of(tmp_path, lines_of(SMALL), what, **keys)
    assert not may_be_cut(case, checks)


def test_shares_of_a_whole_wait_for_a_person(tmp_path: Path) -> None:
    keys = {
        "columns": ["ward", "n", "of"],
        "dimensions": ["ward"],
        "count": "of",
        "total": {},
        "measures": {"n": {"statistic": "count", "denominator": "of"}},
    }
    case, checks = case_of(tmp_path, "ward,n,of\nA,58,60\nB,30,90\n", **keys)
    assert worst_of(check.verdict for check in checks) is Verdict.HOLD
    assert not may_be_cut(case, checks)


def test_what_leaves_is_the_cut_file_and_all_others_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    run = (
        Run(tmp_path / "outputs")
        .table("t", "a\n1\n", columns=["a"])
        .table("u", "a\n2\n", columns=["a"])
    )
    outputs = list(run.outputs.values())
    assert read_leaving(tmp_path, outputs) == (tmp_path / "outputs", tuple(outputs))
    write_leaving(tmp_path, outputs, {"t": (b"a\n\n", frozenset({0}))})
    where, leaving = read_leaving(tmp_path, outputs)
    assert (where / "t.csv").read_bytes() == b"a\n\n"
    assert (where / "u.csv").read_text() == "a\n2\n"
    assert leaving[0].sha256 != outputs[0].sha256
    assert leaving[1] == outputs[1]
    assert hidden_rows(tmp_path) == {"t": frozenset({0})}
    write_leaving(tmp_path, outputs, {})
    assert read_leaving(tmp_path, outputs)[0] == tmp_path / "outputs"


ONE_WAY = {"columns": ["ward", "n"], "dimensions": ["ward"], "count": "n", "population": "stays"}
CROSSED_ALONE = CROSSED | {"total": {}}
BY_SEX = "ward,sex,n\nA,F,40\nA,M,4\nB,F,30\nB,M,50\n"
BY_WARD = "ward,n\nA,44\nB,80\n"


def leave(run: Run, hidden: dict[str, frozenset[int]] | None = None) -> dict[str, Leaving]:
    checks = run.check()
    cases = cases_of(list(run.outputs.values()), run.folder, run.spec(), SENSITIVE, policy())
    judged = [(case, [one for one in checks if one.output == case.name]) for case in cases]
    return {one.case.name: one for one in leave_together(judged, lambda _: (), NOW, hidden)}


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_two_tables_of_one_run_do_not_tell_on_each_other(names: str, tmp_path: Path) -> None:
    """40 women of the 44 in ward A: beside the ward's total the four men are told."""
    run = Run(tmp_path)
    tables = {"a": (BY_SEX, CROSSED_ALONE), "b": (BY_WARD, ONE_WAY)}
    for name in names:
        content, keys = tables[name]
        run.table(name, content, **keys)
    found = leave(run)
    crossed, wards = found["a"].cut, found["b"].cut
    assert crossed is not None
    assert wards is not None
    assert 1 in crossed.rows
    assert crossed.is_safe
    assert wards.is_safe
    assert 0 in wards.rows or 0 in crossed.rows, "the ward's total, or its women"


def test_each_of_the_two_alone_would_be_shown_but_for_the_small_cell(tmp_path: Path) -> None:
    (found,) = leave(Run(tmp_path).table("a", BY_SEX, **CROSSED_ALONE)).values()
    assert found.cut is not None
    assert found.cut.rows == {1}
    (tmp_path / "other").mkdir()
    (found,) = leave(Run(tmp_path / "other").table("b", BY_WARD, **ONE_WAY)).values()
    assert found.cut is not None
    assert found.cut.rows == frozenset()


def test_a_table_that_a_person_lets_out_is_registered_as_it_is(tmp_path: Path) -> None:
    """It is held for a column of which nothing is told, so nothing of it is cut."""
    columns = {"columns": ["ward", "sex", "n", "note"]}
    content = "ward,sex,n,note\nA,F,40,x\nA,M,4,x\nB,F,30,x\nB,M,50,x\n"
    run = Run(tmp_path).table("a", content, **(CROSSED_ALONE | columns))
    (held,) = leave(run, {}).values()
    assert held.cut is None
    (release,) = held.releases
    assert release.shown == (40, 4, 30, 50)
    beside = cut(case_of(tmp_path, "ward,n\nA,44\nB,80\n", **ONE_WAY, total={})[0], [release])
    assert beside.is_safe, "what is known already is not held against a later table"


def test_shares_that_an_earlier_table_tells_on_wait_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "now").mkdir()
    earlier = [
        one
        for found in leave(Run(tmp_path).table("a", BY_SEX, **CROSSED_ALONE)).values()
        for one in found.releases
    ]
    keys = ONE_WAY | {
        "columns": ["ward", "died", "n"],
        "measures": {"died": {"statistic": "count", "denominator": "n"}},
    }
    content = "ward,died,n\nA,20,44\nB,30,80\n"
    case, checks = case_of(tmp_path / "now", content, total={}, **keys)
    assert worst_of(check.verdict for check in checks) is Verdict.PASS
    beside = cut(case, earlier)
    assert not beside.is_safe
    told = list(tell_cut(case, beside, checks))
    assert worst_of(check.verdict for check in told) is Verdict.HOLD
    assert cut(case).is_safe, "by itself it leaves"


COSTS = {
    "columns": ["ward", "n", "cost"],
    "dimensions": ["ward"],
    "total": {"ward": "all"},
    "count": "n",
    "measures": {"cost": {"statistic": "sum", "largest": ["first", "second"]}},
    "population": "stays",
    "backing": "persons",
}


def costs(folder: Path, rows: Sequence[tuple[str, int, int, int, int]]) -> Run:
    """Costs by ward: persons, their costs, the two largest of them."""
    shown = "".join(f"{ward},{n},{cost}\n" for ward, n, cost, _, _ in rows)
    inside = "".join(f"{ward},{first},{second}\n" for ward, _, _, first, second in rows)
    columns = ["ward", "first", "second"]
    persons = {"columns": columns, "dimensions": ["ward"], "channel": "inside"}
    run = Run(folder).table("costs", f"ward,n,cost\n{shown}", **COSTS)
    return run.table("persons", f"ward,first,second\n{inside}", **persons)


def test_a_sum_that_one_person_dominates_is_hidden_with_the_counts_of_its_row(
    tmp_path: Path,
) -> None:
    run = costs(
        tmp_path,
        [
            ("A", 30, 900, 60, 50),
            ("B", 30, 1000, 950, 10),
            ("C", 40, 800, 40, 30),
            ("all", 100, 2700, 950, 60),
        ],
    )
    found = leave(run)["costs"]
    assert {check.reason for check in run.check() if check.verdict is Verdict.HOLD} >= {"dominance"}
    assert found.cut is not None
    assert found.cut.is_safe
    assert 1 in found.cut.rows
    assert len(found.cut.rows) >= 2, "the total less the others would tell it"
    content = write_cut(found.case.table.sheet, found.case.declared, found.cut.rows).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["ward"] for row in rows if not row["cost"]] == [
        row["ward"] for row in rows if not row["n"]
    ]
    assert {one.name for one in found.releases} == {"costs.n", "costs.cost"}
    for one in found.releases:
        assert [at for at, value in enumerate(one.shown) if value is None] == sorted(found.cut.rows)


def test_a_table_with_small_groups_and_sums_below_zero_waits_for_a_person(tmp_path: Path) -> None:
    """Parts below 0 bound nothing: what can be worked out of their sums is not known."""
    rows = [("A", 30, -900, 60, 50), ("B", 4, 100, 40, 30), ("all", 34, -800, 60, 50)]
    run = costs(tmp_path, rows)
    found = leave(run)["costs"]
    assert found.cut is None
    assert verdicts_of(run.check())["costs"] is Verdict.HOLD
    assert {one.name for one in found.releases} == {"costs.n"}, "only counts can be compared"


@pytest.mark.parametrize(
    ("raw", "of_table", "is_cut", "told"),
    [
        ("figure_from_tables", Verdict.PASS, False, "figure_from_tables"),
        ("figure_from_tables", Verdict.PASS, True, "figure_from_cut"),
        ("figure_from_held", Verdict.PASS, True, "figure_from_cut"),
        ("figure_from_tables", Verdict.HOLD, False, "figure_from_held"),
    ],
)
def test_a_figure_of_a_table_that_is_not_shown_whole_waits(
    raw: str, of_table: Verdict, is_cut: bool, told: str, tmp_path: Path
) -> None:
    run = Run(tmp_path).table("t", BY_WARD, **ONE_WAY)
    run.file("f", "f.png", OutputKind.FIGURE).declare("f", kind="figure", drawn_from=["t"])
    cases = cases_of(list(run.outputs.values()), tmp_path, run.spec(), SENSITIVE, policy())
    was = Verdict.PASS if raw == "figure_from_tables" else Verdict.HOLD
    checks = [Check("t", "cells", of_table, "x"), Check("f", "figure", was, raw)]
    found = list(tell_figures(cases, checks, frozenset("t") if is_cut else frozenset()))
    assert [one.reason for one in found] == ["x", told]
    expected = Verdict.PASS if told == "figure_from_tables" else Verdict.HOLD
    assert found[1].verdict is expected

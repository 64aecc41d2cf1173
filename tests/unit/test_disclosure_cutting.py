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
    cut_table,
    describe_releases,
    may_be_cut,
    tell_cut,
    write_cut,
)
from wardbook.disclosure.leaving import hidden_rows, read_leaving, write_leaving
from wardbook.disclosure.register import Release, Scope
from wardbook.domain.output import Check, Verdict, worst_of

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
    earlier = list(describe_releases(before, cut(before), "DATA-1", NOW))
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

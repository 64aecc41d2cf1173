"""Damage to the structure of a valid file is either refused, told, or changes nothing.

Not promised, because nobody can know: a digit changed into another, whole days cut off at the end
of the stock file at a line's end, or a line moved to another day with a free key.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wardbook.epidemic.generate import generate_files
from wardbook.epidemic.indicators import find_gaps, sum_by_day
from wardbook.epidemic.spf import read_admissions, read_stock, select_totals
from wardbook.errors import DataProblem

DAYS = 3
FLOW_LINES = 1 + (DAYS - 1) * 101
lenient = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return generate_files(tmp_path_factory.mktemp("spf"), seed=7, days=DAYS)


def results_of(file: Path, kind: str) -> tuple[pd.DataFrame, bool]:
    """Return the departments' sums, and whether the report would warn of missing rows."""
    frame = select_totals(read_stock(file)) if kind == "stock" else read_admissions(file)
    gaps = find_gaps(frame)
    return sum_by_day(frame, "department"), bool(gaps.days or gaps.department_days)


def check(files: tuple[Path, Path], kind: str, damaged: bytes, tmp_path: Path) -> str:
    """Return refused, warned or equal; fail on a silent change."""
    file = tmp_path / "damaged.csv"
    file.write_bytes(damaged)
    truth, _ = results_of(files[0] if kind == "stock" else files[1], kind)
    try:
        found, warned = results_of(file, kind)
    except DataProblem as problem:
        assert "damaged.csv" in str(problem)
        return "refused"
    if warned:
        return "warned"
    pd.testing.assert_frame_equal(found, truth)
    return "equal"


def original(files: tuple[Path, Path], kind: str) -> bytes:
    return (files[0] if kind == "stock" else files[1]).read_bytes()


kinds = st.sampled_from(["stock", "flow"])


@lenient
@given(kind=kinds, where=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_at_any_byte(
    files: tuple[Path, Path], tmp_path: Path, kind: str, where: float
) -> None:
    data = original(files, kind)
    cut = data[: int(where * len(data))]
    whole_days = cut.endswith(b"\r\n") and (cut.count(b"\n") - 1) % 303 == 0
    if kind == "flow" or not whole_days:
        assert check(files, kind, cut, tmp_path) in ("refused", "warned")


@lenient
@given(
    kind=kinds,
    row=st.integers(1, FLOW_LINES - 1),
    place=st.integers(0, 40),
    byte=st.sampled_from(list(b'";,\r\n\t \x00\xe9-')),
)
def test_a_foreign_byte_anywhere_in_a_line(
    files: tuple[Path, Path], tmp_path: Path, kind: str, row: int, place: int, byte: int
) -> None:
    lines = original(files, kind).splitlines(keepends=True)
    place %= len(lines[row])
    line = lines[row][:place] + bytes([byte]) + lines[row][place:]
    check(files, kind, b"".join([*lines[:row], line, *lines[row + 1 :]]), tmp_path)


@lenient
@given(kind=kinds, row=st.integers(1, FLOW_LINES - 1), place=st.integers(0, 40))
def test_a_lost_separator_quote_or_line_end(
    files: tuple[Path, Path], tmp_path: Path, kind: str, row: int, place: int
) -> None:
    lines = original(files, kind).splitlines(keepends=True)
    marks = [at for at, byte in enumerate(lines[row]) if byte in b'";\n']
    lost = marks[place % len(marks)]
    line = lines[row][:lost] + lines[row][lost + 1 :]
    check(files, kind, b"".join([*lines[:row], line, *lines[row + 1 :]]), tmp_path)


@lenient
@given(kind=kinds, data=st.data())
def test_lines_dropped_doubled_or_swapped(
    files: tuple[Path, Path], tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    lines = original(files, kind).splitlines(keepends=True)
    some = data.draw(st.integers(0, len(lines) - 1))
    other = data.draw(st.integers(0, len(lines) - 1))
    match data.draw(st.sampled_from(["drop", "double", "swap", "blank"])):
        case "drop":
            del lines[some]
        case "double":
            lines.insert(other, lines[some])
        case "swap":
            lines[some], lines[other] = lines[other], lines[some]
        case "blank":
            lines.insert(some, b"\r\n")
    check(files, kind, b"".join(lines), tmp_path)


@lenient
@given(kind=kinds, order=st.permutations(range(7)))
def test_columns_in_another_order(
    files: tuple[Path, Path], tmp_path: Path, kind: str, order: list[int]
) -> None:
    lines = original(files, kind).decode().splitlines()
    width = len(lines[0].split(";"))
    order = [at for at in order if at < width]
    moved = [";".join(line.split(";")[at] for at in order) for line in lines]
    told = check(files, kind, ("\r\n".join(moved) + "\r\n").encode(), tmp_path)
    assert told == ("equal" if order == sorted(order) else "refused")


def test_a_changed_digit_is_the_silent_change_that_the_check_finds(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    """The control: the check does fail where a change is silent."""
    lines = original(files, "flow").splitlines(keepends=True)
    lines[1] = b";".join([b'"01"', b"2020-03-19", b"4321", b"0", b"0", b"0\r\n"])
    with pytest.raises(AssertionError):
        check(files, "flow", b"".join(lines), tmp_path)

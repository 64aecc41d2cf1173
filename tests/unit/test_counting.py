"""The store of counts: the same as pandas counts, whole or not at all, the past never read."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.bench_indicators import count_with_pandas, measure_all, write_rows
from wardbook.epidemic import counting
from wardbook.epidemic.counting import StoreDamaged, export_counts, integrate, load_counts
from wardbook.epidemic.row_counts import count_rows
from wardbook.epidemic.sidep import KEY, read_tests
from wardbook.errors import DataProblem

FIRST = date(2021, 3, 1)
ROWS = 3_000


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    (tmp_path / "rows").mkdir()
    files = []
    for number in range(3):
        files.append(tmp_path / "rows" / f"{FIRST + timedelta(7 * number)}.parquet")
        write_rows(files[-1], ROWS, FIRST + timedelta(7 * number), 7, number)
    return files


def fill(store: Path, inputs: list[Path]) -> Path:
    for file in inputs:
        assert integrate(store, file.stem, file)
    return store


def sums(store: Path) -> pd.DataFrame:
    rows = load_counts(store).rows.astype(dict.fromkeys(KEY[1:], "str"))
    return rows.groupby(KEY)[["tests", "positives"]].sum()


def of_pandas(files: list[Path]) -> pd.DataFrame:
    rows = count_with_pandas(files).rows.astype(dict.fromkeys(KEY[1:], "str"))
    return rows.groupby(KEY)[["tests", "positives"]].sum()


def test_counts_and_indicators_are_those_of_pandas(tmp_path: Path, inputs: list[Path]) -> None:
    store = fill(tmp_path / "store", inputs)
    pd.testing.assert_frame_equal(sums(store), of_pandas(inputs))
    ours, theirs = measure_all(load_counts(store)), measure_all(count_with_pandas(inputs))
    assert ours.keys() == theirs.keys()
    for name, table in ours.items():
        assert len(table) > 0
        assert table.to_csv() == theirs[name].to_csv()


def test_the_same_file_is_counted_once(tmp_path: Path, inputs: list[Path]) -> None:
    store = fill(tmp_path / "store", inputs)
    assert not integrate(store, inputs[0].stem, inputs[0])
    with pytest.raises(DataProblem) as problem:
        integrate(store, "again", inputs[0])
    assert (problem.value.code, problem.value.details["other"]) == ("input_twice", inputs[0].stem)
    assert sums(store)["tests"].sum() == 3 * ROWS


def test_a_correction_replaces_its_own_input_and_late_rows_are_added(
    tmp_path: Path, inputs: list[Path]
) -> None:
    store = fill(tmp_path / "store", inputs)
    before = {p.name: p.stat().st_mtime_ns for p in (store / "counts").iterdir()}
    write_rows(inputs[0], 100, FIRST, 7, 50)
    assert integrate(store, inputs[0].stem, inputs[0])
    pd.testing.assert_frame_equal(sums(store), of_pandas(inputs))
    after = {p.name: p.stat().st_mtime_ns for p in (store / "counts").iterdir()}
    assert len(before.items() & after.items()) == 2
    assert len(after) == 3
    late = tmp_path / "late.parquet"
    write_rows(late, 200, FIRST, 21, 51)
    assert integrate(store, "late", late)
    pd.testing.assert_frame_equal(sums(store), of_pandas([*inputs, late]))


def test_a_new_day_needs_nothing_of_the_past(tmp_path: Path, inputs: list[Path]) -> None:
    store = fill(tmp_path / "store", inputs)
    past = [*inputs, *(store / "counts").iterdir()]
    kept = {file: file.read_bytes() for file in past}
    for file in past:  # as root every file can be read: so the past is no file at all
        file.unlink()
        file.mkdir()
    new = tmp_path / "new.parquet"
    write_rows(new, 500, FIRST + timedelta(21), 1, 9)
    assert integrate(store, "new", new)
    with pytest.raises(StoreDamaged):  # the control: reading everything does need it
        load_counts(store)
    for file, content in kept.items():
        file.rmdir()
        file.write_bytes(content)
    pd.testing.assert_frame_equal(sums(store), of_pandas([*inputs, new]))


def test_an_input_is_there_whole_or_not_at_all(
    tmp_path: Path, inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fill(tmp_path / "store", inputs[:2])
    before = sums(store)

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(counting, "write_atomically", fail)
        with pytest.raises(OSError, match="no space"):
            integrate(store, inputs[2].stem, inputs[2])
    pd.testing.assert_frame_equal(sums(store), before)
    assert len(list((store / "counts").iterdir())) == 3  # written, and named by nobody
    assert integrate(store, inputs[2].stem, inputs[2])
    assert sums(store)["tests"].sum() == 3 * ROWS
    assert len(list((store / "counts").iterdir())) == 3


def test_damaged_counts_and_manifests_are_refused(tmp_path: Path, inputs: list[Path]) -> None:
    store = fill(tmp_path / "store", inputs)
    file = next((store / "counts").iterdir())
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"x")
    with pytest.raises(StoreDamaged, match="Integrate its rows anew"):
        load_counts(store)
    file.write_bytes(content)
    assert len(load_counts(store).rows)
    manifest = store / counting.MANIFEST
    manifest.write_text(json.dumps({"form": 2, "inputs": {}}))
    with pytest.raises(StoreDamaged):
        integrate(store, "x", inputs[0])


def rows_file(folder: Path, **changes: object) -> Path:
    values = {
        "day": pa.array([FIRST] * 4, pa.date32()),
        "department": ["35", None, "2A", "35"],
        "age": pa.array([0, None, 120, 89], pa.int16()),
        "sex": ["F", None, "M", "F"],
        "positive": [True, None, False, False],
    } | changes
    file = folder / "rows.parquet"
    pq.write_table(pa.table(values), file)
    return file


def test_missing_values_are_unknown_and_tests_without_result_apart(tmp_path: Path) -> None:
    counts = count_rows(rows_file(tmp_path)).astype(dict.fromkeys(KEY[1:], "str"))
    assert [tuple(row)[1:] for row in counts.itertuples(index=False)] == [
        ("2A", "90", "M", 1, 0, 0),
        ("35", "09", "F", 1, 1, 0),
        ("35", "89", "F", 1, 0, 0),
        ("unknown", "unknown", "unknown", 0, 0, 1),
    ]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("day", pa.array([FIRST, FIRST, None, FIRST], pa.date32())),
        ("day", pa.array([FIRST, FIRST, date(1921, 3, 1), FIRST], pa.date32())),
        ("department", ["35", "20", "2A", "35"]),
        ("age", pa.array([0, -1, 3, 89], pa.int16())),
        ("age", pa.array([0, 121, 3, 89], pa.int16())),
        ("age", pa.array([0.5, 1, 3, 89])),
        ("sex", ["F", "X", "M", "F"]),
    ],
)
def test_rows_that_cannot_be_are_not_counted(tmp_path: Path, column: str, values: object) -> None:
    store, file = tmp_path / "store", rows_file(tmp_path, **{column: values})
    with pytest.raises(DataProblem) as problem:
        integrate(store, "bad", file)
    assert (problem.value.code, problem.value.details["column"]) == ("rows_wrong", column)
    assert integrate(store, "bad", rows_file(tmp_path))


def test_what_is_no_file_of_rows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    file.write_text("day;department")
    with pytest.raises(DataProblem, match="not a Parquet file") as problem:
        integrate(tmp_path / "store", "bad", file)
    assert problem.value.code == "rows_unreadable"
    pq.write_table(pa.table({"day": pa.array([FIRST], pa.date32())}), file)
    with pytest.raises(DataProblem, match="not a Parquet file"):
        integrate(tmp_path / "store", "bad", file)


def test_the_sums_are_a_source_of_the_template(
    tmp_path: Path, inputs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "counts.parquet"
    adds = [part for file in inputs for part in ("--add", f"{file.stem}={file}")]
    counting.main(["--store", str(tmp_path / "store"), *adds, "--out", str(out)])
    assert capsys.readouterr().out.count("counted") == 3
    tests = read_tests(out)
    assert (tests.tested, tests.persons) == (3 * ROWS, False)
    export_counts(tmp_path / "store", tmp_path / "again.parquet")
    assert out.read_bytes() == (tmp_path / "again.parquet").read_bytes()

"""Counts of a file of single tests: each row becomes one number, and equal numbers are counted.

Dictionary codes, decades and days are small, so day, department, age, sex and result together are
an index into one array; counting is one pass of numpy over each row group, two groups at a time.
That is several times faster than grouping by texts, and bounded: a row group and the array.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wardbook.datasets.test_counts import AGES, DATASET, SEXES, UNKNOWN
from wardbook.epidemic.geography import all_departments
from wardbook.errors import DataProblem

COLUMNS = ("day", "department", "age", "sex", "positive")
OLDEST = 120
"""Years: an age above is a mistake of the source."""
WORKERS = 2
_FEW_DAYS = 400
"""So many days are counted over without a look at which of them there are."""

_EPOCH = pd.Timestamp(1970, 1, 1)
_LOW, _HIGH = (
    (pd.Timestamp(bound) - _EPOCH).days  # type: ignore[arg-type]
    for bound in (DATASET.column("date").low, DATASET.column("date").high)
)
_DEPARTMENTS = (*sorted(all_departments()), UNKNOWN)
_AGES = (*AGES, UNKNOWN)
_CELLS = len(_DEPARTMENTS) * len(_AGES) * len(SEXES) * 3
_DECADES = np.minimum(np.arange(OLDEST + 2) // 10, len(AGES) - 1).astype(np.int32)
_DECADES[-1] = len(AGES)  # where the age is missing


def count_rows(file: Path) -> pd.DataFrame:
    """Return date, department, age, sex, tests, positives, undetermined, in the key's order.

    Args:
        file: Parquet with COLUMNS: a date; a text or missing; whole years or missing; F, M or
            missing; a boolean, missing where the test has no result.

    Raises:
        DataProblem: it cannot be read, has no row, or has values that cannot be.
    """
    try:
        source = pq.ParquetFile(file)
        groups = range(source.num_row_groups)
        days = _list_days(file, source)
        source.close()
        with ThreadPoolExecutor(WORKERS) as workers:
            parts = workers.map(partial(_count_group, file, days), groups)
            total = np.zeros(len(days) * _CELLS, dtype=np.int64)
            for part in parts:
                total += part
    except (OSError, KeyError, pa.ArrowException):
        raise DataProblem("rows_unreadable", file=file.name) from None
    return _to_frame(total, days)


def _list_days(file: Path, source: pq.ParquetFile) -> np.ndarray:
    """Return the days that the file may have, ascending, as numbers from 1970.

    The file's own statistics bound them; without any, the days are read.
    """
    bounds = [_bound_days(source, group) for group in range(source.num_row_groups)]
    if bounds and None not in bounds:
        first = min(low for low, _ in bounds)  # type: ignore[misc]
        last = max(high for _, high in bounds)  # type: ignore[misc]
        if not _LOW <= first <= last <= _HIGH:
            raise DataProblem("rows_wrong", file=file.name, column="day")
        if last - first < _FEW_DAYS:
            return np.arange(first, last + 1)
    there = np.zeros(_HIGH - _LOW + 1, dtype=bool)
    for group in range(source.num_row_groups):
        days = source.read_row_group(group, columns=["day"])["day"]
        if days.null_count:
            raise DataProblem("rows_wrong", file=file.name, column="day")
        numbers = _to_days(days) - _LOW
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(there)):
            raise DataProblem("rows_wrong", file=file.name, column="day")
        there[numbers] = True
    if not there.any():
        raise DataProblem("no_rows", file=file.name)
    found: np.ndarray = np.flatnonzero(there) + _LOW
    return found


def _bound_days(source: pq.ParquetFile, group: int) -> tuple[int, int] | None:
    """Return the first and last day of a row group as its statistics tell, if none is missing."""
    told = source.metadata.row_group(group)
    names = [told.column(at).path_in_schema for at in range(told.num_columns)]
    found = told.column(names.index("day")).statistics if "day" in names else None
    if found is None or not found.has_min_max or not found.has_null_count or found.null_count:
        return None
    if not isinstance(found.min, date):
        return None
    return tuple((pd.Timestamp(day) - _EPOCH).days for day in (found.min, found.max))  # type: ignore[return-value]


def _count_group(file: Path, days: np.ndarray, group: int) -> np.ndarray:
    with pq.ParquetFile(file, read_dictionary=["department", "sex"]) as source:
        table = source.read_row_group(group, columns=list(COLUMNS), use_threads=False)
    wrong = partial(DataProblem, "rows_wrong", file=file.name)
    places = np.zeros(days[-1] - days[0] + 1, dtype=np.int32)
    places[days - days[0]] = np.arange(len(days), dtype=np.int32)
    cells = places[_to_days(table["day"]) - days[0]]
    for column, known in (("department", _DEPARTMENTS), ("sex", SEXES)):
        codes = _code_texts(table[column], known)
        if (codes < 0).any():
            raise wrong(column=column)
        cells *= len(known)
        cells += codes
        if column == "department":
            cells *= len(_AGES)
            cells += _code_ages(table["age"], wrong)
    state = pc.cast(table["positive"], pa.int8()).fill_null(2)
    cells *= 3
    cells += _to_numpy(state)
    return np.bincount(cells, minlength=len(days) * _CELLS)


def _code_texts(column: Any, known: tuple[str, ...]) -> np.ndarray:
    """Return each text's place in `known`, -1 where it has none; a missing one is unknown."""
    texts = column.combine_chunks().dictionary_encode()
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    place = {text: number for number, text in enumerate(known)}
    lookup = [place.get(text, -1) for text in texts.dictionary.to_pylist()]
    table = np.array([*lookup, known.index(UNKNOWN)], dtype=np.int32)
    codes: np.ndarray = table[_to_numpy(texts.indices.fill_null(len(lookup)))]
    return codes


def _code_ages(column: Any, wrong: Any) -> np.ndarray:
    if not pa.types.is_integer(column.type):
        raise wrong(column="age")
    bounds = pc.min_max(column)
    if bounds["min"].is_valid and not 0 <= bounds["min"].as_py() <= bounds["max"].as_py() <= OLDEST:
        raise wrong(column="age")
    codes: np.ndarray = _DECADES[_to_numpy(column.fill_null(OLDEST + 1))]
    return codes


def _to_days(column: Any) -> np.ndarray:
    return _to_numpy(pc.cast(column, pa.date32()).cast(pa.int32()))


def _to_numpy(column: Any) -> np.ndarray:
    whole: np.ndarray = (
        column.to_numpy()
        if isinstance(column, pa.ChunkedArray)
        else column.to_numpy(zero_copy_only=False)
    )
    return whole


def _to_frame(total: np.ndarray, days: np.ndarray) -> pd.DataFrame:
    shape = (len(days), len(_DEPARTMENTS), len(_AGES), len(SEXES), 3)
    cells = total.reshape(shape)
    there = np.nonzero(cells.sum(axis=-1))
    negative, positive, missing = cells[there].T
    levels = (
        pd.to_datetime(days, unit="D").astype("datetime64[us]"),
        *(pd.Index(level) for level in (_DEPARTMENTS, _AGES, SEXES)),
    )
    names = ("date", "department", "age", "sex")
    places = zip(names, levels, there, strict=True)
    frame = pd.DataFrame(
        {
            name: level.take(place) if name == "date" else pd.Categorical.from_codes(place, level)
            for name, level, place in places
        }
    )
    return frame.assign(tests=negative + positive, positives=positive, undetermined=missing)

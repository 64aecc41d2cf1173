"""A batch of invented persons, from which every part of the hospital draws."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import numpy as np
import pandas as pd

FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2025, 12, 31)
"""The two years in which everything in the hospital happens; local times, without a zone."""

BATCH_PERSONS = 25_000
_IDS = 1_000_000_000

Rows = Mapping[str, pd.DataFrame]
"""Table of the Common Data Model → rows; columns that are left out are empty."""


_BEGINS = MappingProxyType(
    {
        "condition_occurrence": "condition_start_datetime",
        "procedure_occurrence": "procedure_datetime",
        "drug_exposure": "drug_exposure_start_datetime",
        "measurement": "measurement_datetime",
        "observation": "observation_datetime",
        "specimen": "specimen_datetime",
        "note": "note_datetime",
    }
)


@dataclass(frozen=True)
class Batch:
    """Some persons of the hospital with their visits and stays.

    persons: person_id, sex (F, M), born (day), department (INSEE's code of the home), died
        (moment, missing while alive).
    visits: visit_id, person_id, kind (inpatient, emergency, outpatient), began, ended, died (at
        the end of this visit). In order of person and time; those of a person do not overlap.
    stays: stay_id, visit_id, person_id, ward (code), entered, left. The stays of a visit follow
        each other without a gap and fill it; only outpatient visits have none.

    All visits began and ended between the first day and the last.
    """

    seed: int
    number: int
    persons: pd.DataFrame
    visits: pd.DataFrame
    stays: pd.DataFrame
    _used: Counter[str] = field(default_factory=Counter)

    def rng(self, part: str) -> np.random.Generator:
        """Return the part's own random numbers: what one part draws changes no other's."""
        return np.random.default_rng([self.seed, self.number, zlib.crc32(part.encode())])

    def ids(self, table: str, count: int) -> np.ndarray:
        """Return `count` ids of a table that no other rows have."""
        first = self.number * _IDS + self._used[table] + 1
        self._used[table] += count
        return np.arange(first, first + count, dtype=np.int64)

    def leave_out_dead(self, rows: Rows) -> Rows:
        """Return the rows without those that begin after the person's death: nothing does."""
        died = self.persons.set_index("person_id")["died"].dropna()
        return {table: _before(died, frame, _BEGINS.get(table)) for table, frame in rows.items()}


def _before(died: pd.Series[pd.Timestamp], rows: pd.DataFrame, begins: str | None) -> pd.DataFrame:
    if begins is None or rows.empty or died.empty:
        return rows
    late = rows[begins] > rows["person_id"].map(died)
    return rows[~late] if late.any() else rows

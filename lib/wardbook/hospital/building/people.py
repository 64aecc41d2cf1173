"""A batch of persons with their visits and stays in wards: drawn by the column."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import FIRST_DAY, Batch
from wardbook.hospital.building.visits import draw_visits

DEPARTMENTS = {"35": 0.62, "22": 0.12, "56": 0.10, "53": 0.05, "50": 0.05, "44": 0.04, "29": 0.02}
"""Share of the persons who live there; INSEE's codes."""
_YEAR = 365.25


def draw_batch(seed: int, number: int, first_person: int, persons: int) -> Batch:
    """Draw a batch: the same arguments give the same persons, visits and stays."""
    rng = np.random.default_rng([seed, number])
    people = _draw_persons(rng, first_person, persons)
    age = (pd.Timestamp(FIRST_DAY) - people["born"]).dt.days.to_numpy() / _YEAR
    visits, stays, died = draw_visits(rng, age, people["sex"].to_numpy() == "F")
    people["died"] = _moments(died)
    batch = Batch(seed, number, people, pd.DataFrame(), pd.DataFrame())
    ids = batch.ids("visit_occurrence", len(visits))
    persons_of = people["person_id"].to_numpy()[visits["owner"]]
    whole_visits = pd.DataFrame(
        {
            "visit_id": ids,
            "person_id": persons_of,
            "kind": visits["kind"],
            "began": _moments(visits["began"].to_numpy()),
            "ended": _moments(visits["ended"].to_numpy()),
            "died": visits["died"],
        }
    )
    whole_stays = pd.DataFrame(
        {
            "stay_id": batch.ids("visit_detail", len(stays)),
            "visit_id": ids[stays["visit"]],
            "person_id": persons_of[stays["visit"]],
            "ward": stays["ward"],
            "entered": _moments(stays["entered"].to_numpy()),
            "left": _moments(stays["left"].to_numpy()),
        }
    )
    return Batch(seed, number, people, whole_visits, whole_stays, batch._used)


def _draw_persons(rng: np.random.Generator, first: int, count: int) -> pd.DataFrame:
    age_days = (rng.triangular(0, 68, 98, count) * _YEAR).astype("int64")
    born = np.datetime64(FIRST_DAY, "D") - age_days.astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "person_id": np.arange(first, first + count, dtype=np.int64),
            "sex": rng.choice(np.array(["F", "M"]), count, p=[0.53, 0.47]),
            "born": born.astype("datetime64[us]"),
            "department": rng.choice(
                np.array(list(DEPARTMENTS)), count, p=list(DEPARTMENTS.values())
            ),
        }
    )


def _moments(minutes: np.ndarray) -> np.ndarray:
    """Return minutes since the first midnight as moments, negative ones as none."""
    start = np.datetime64(FIRST_DAY, "us")
    moments: np.ndarray = start + minutes.astype("timedelta64[m]").astype("timedelta64[us]")
    return np.where(minutes < 0, np.datetime64("NaT", "us"), moments)

"""Persons, their visits, and their stays in wards: drawn by the column, not by the person."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import FIRST_DAY, LAST_DAY, Batch
from wardbook.hospital.building.wards import AFTERCARE_WARD, EMERGENCY_WARD, WARDS

VISITS_PER_PERSON = 1.6
KINDS = {"inpatient": 0.36, "emergency": 0.44, "outpatient": 0.20}
ADMITTED = 0.24
"""Share of emergency visits that go on in a ward."""
TRANSFERRED, TO_AFTERCARE = 0.18, 0.06
DEPARTMENTS = {"35": 0.62, "22": 0.12, "56": 0.10, "53": 0.05, "50": 0.05, "44": 0.04, "29": 0.02}
EMERGENCY_HOURS = (3.1, 0.6)
"""Median and spread (of the logarithm) of the hours in the emergency department."""

_DAYS = (LAST_DAY - FIRST_DAY).days
_START = np.datetime64(FIRST_DAY, "us")
_LIMIT = np.datetime64(LAST_DAY, "us")
_WARD_CODES = np.array([ward.code for ward in WARDS])


def draw_batch(seed: int, number: int, first_person: int, persons: int) -> Batch:
    """Draw a batch: the same arguments give the same persons, visits and stays."""
    rng = np.random.default_rng([seed, number])
    people = _draw_persons(rng, first_person, persons)
    empty = Batch(seed, number, people, pd.DataFrame(), pd.DataFrame())
    visits, stays = _draw_visits(rng, people)
    visits["visit_id"] = empty.ids("visit_occurrence", len(visits))
    stays["visit_id"] = visits["visit_id"].to_numpy()[stays.pop("visit").to_numpy()]
    stays["stay_id"] = empty.ids("visit_detail", len(stays))
    return Batch(
        seed,
        number,
        people,
        visits[["visit_id", "person_id", "kind", "began", "ended"]],
        stays[["stay_id", "visit_id", "person_id", "ward", "entered", "left"]],
        empty._used,
    )


def _draw_persons(rng: np.random.Generator, first: int, count: int) -> pd.DataFrame:
    age_days = (rng.triangular(0, 68, 98, count) * 365.25).astype("int64")
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


def _draw_visits(rng: np.random.Generator, people: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    owner = np.repeat(np.arange(len(people)), rng.poisson(VISITS_PER_PERSON, len(people)))
    count = len(owner)
    # Two thirds come by day, as in most hospitals; minutes are those of the clock.
    hour = np.where(
        rng.random(count) < 0.67, rng.normal(11, 2.5, count) % 24, rng.uniform(0, 24, count)
    )
    began = _START + (rng.integers(0, _DAYS, count) * 1440 + (hour * 60).astype("int64")).astype(
        "timedelta64[m]"
    ).astype("timedelta64[us]")
    visits = pd.DataFrame(
        {
            "person_id": people["person_id"].to_numpy()[owner],
            "kind": rng.choice(np.array(list(KINDS)), count, p=list(KINDS.values())),
            "began": began,
            "admitted": rng.random(count) < ADMITTED,
            "owner": owner,
        }
    ).sort_values(["person_id", "began"], ignore_index=True)
    stays = _draw_stays(rng, visits, people)
    ends = stays.groupby("visit")["left"].max()
    outpatient = visits["began"] + pd.to_timedelta(rng.integers(20, 240, count), unit="m")
    visits["ended"] = ends.reindex(visits.index).fillna(outpatient).astype("datetime64[us]")
    # Nobody is in two visits at once: a visit that begins before an earlier one ended is dropped.
    latest = visits.groupby("person_id")["ended"].cummax().groupby(visits["person_id"]).shift()
    kept = ~(visits["began"] < latest) & (visits["ended"] < _LIMIT)
    place = kept.cumsum() - 1
    stays = stays[kept.to_numpy()[stays["visit"]]]
    stays = stays.assign(visit=place.to_numpy()[stays["visit"]])
    visits = visits[kept].drop(columns=["owner", "admitted"]).reset_index(drop=True)
    return visits, stays.reset_index(drop=True)


def _draw_stays(
    rng: np.random.Generator, visits: pd.DataFrame, people: pd.DataFrame
) -> pd.DataFrame:
    """Return the stays of all visits: emergency department, a ward, perhaps another, aftercare."""
    count = len(visits)
    inside = visits["kind"].to_numpy() != "outpatient"
    emergency = visits["kind"].to_numpy() == "emergency"
    goes_on = (visits["kind"].to_numpy() == "inpatient") | (emergency & visits["admitted"])
    legs = {
        "emergency": emergency,
        "first": goes_on & inside,
        "second": goes_on & inside & (rng.random(count) < TRANSFERRED),
        "aftercare": goes_on & inside & (rng.random(count) < TO_AFTERCARE),
    }
    born = people["born"].to_numpy()[visits["owner"]]
    age = (visits["began"].to_numpy() - born) / np.timedelta64(365 * 24 * 3600 + 21_600, "s")
    sex = people["sex"].to_numpy()[visits["owner"]]
    nights = np.array([ward.nights for ward in WARDS])
    now = visits["began"].to_numpy().astype("datetime64[m]")
    parts, before = [], np.full(count, -1)
    for order, (leg, there) in enumerate(legs.items()):
        if leg == "emergency":
            ward = np.full(count, 0)
            median, spread = EMERGENCY_HOURS
            minutes = np.exp(rng.normal(np.log(median * 60), spread, count))
        else:
            ward = (
                np.full(count, len(WARDS) - 1)
                if leg == "aftercare"
                else _choose_wards(rng, age, sex, before)
            )
            # A gamma of shape 2: few leave within hours, few stay for months.
            minutes = rng.gamma(2.0, nights[ward] / 2.0, count) * 1440
        minutes = np.clip(minutes, 15, 150 * 1440).astype("int64")
        left = now + np.where(there, minutes, 0).astype("timedelta64[m]")
        parts.append(
            pd.DataFrame(
                {
                    "visit": np.flatnonzero(there),
                    "order": order,
                    "person_id": visits["person_id"].to_numpy()[there],
                    "ward": _WARD_CODES[ward[there]],
                    "entered": now[there].astype("datetime64[us]"),
                    "left": left[there].astype("datetime64[us]"),
                }
            )
        )
        now, before = left, np.where(there, ward, before)
    stays = pd.concat(parts, ignore_index=True)
    return stays.sort_values(["visit", "order"], ignore_index=True).drop(columns="order")


def _choose_wards(
    rng: np.random.Generator, age: np.ndarray, sex: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """Choose for each a ward that takes such a patient, other than the one before."""
    weights = np.stack(
        [
            np.where(
                (age >= ward.ages[0])
                & (age < ward.ages[1] + 1)
                & ((sex == ward.sex) | (not ward.sex)),
                ward.share * (4 if ward.ages != (15, 120) else 1),
                0.0,
            )
            for ward in WARDS
        ],
        axis=1,
    )
    rows = np.arange(len(before))
    weights[rows[before >= 0], before[before >= 0]] = 0.0
    # A child has one ward only: it comes back to that.
    nowhere = weights.sum(axis=1) == 0
    weights[nowhere, _PAEDIATRICS] = 1.0
    edges = weights.cumsum(axis=1)
    at = rng.random(len(before)) * edges[:, -1]
    chosen: np.ndarray = (edges < at[:, None]).sum(axis=1)
    return chosen


_PAEDIATRICS = int(np.flatnonzero(_WARD_CODES == "PEDI")[0])
assert _WARD_CODES[0] == EMERGENCY_WARD  # noqa: S101
assert _WARD_CODES[-1] == AFTERCARE_WARD  # noqa: S101

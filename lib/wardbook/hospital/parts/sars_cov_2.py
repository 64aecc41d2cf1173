"""SARS-CoV-2: tests of patients in and between visits, waves, sequenced lineages.

A test is a measurement of `SARS_COV_2_PCR`; its result is positive, negative, inconclusive, or
missing. The lineage of a positive sample is a measurement of `SARS_COV_2_LINEAGE` of the day on
which the sequence was reported, which points to the test by `measurement_event_id`: sequences of
the last weeks are still on their way, as in any laboratory.

Shares of lineages follow a multinomial logistic growth: the logarithm of the ratio of two
lineages' shares is a straight line in time. One of them is called "None", as Pangolin writes it: a
lineage, and not a missing one. What could not be assigned is "Unassigned", or has no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import FIRST_DAY, LAST_DAY, Batch, Rows
from wardbook.omop.vocabulary import (
    EHR,
    MEASUREMENT,
    NEGATIVE,
    POSITIVE,
    SARS_COV_2_LINEAGE,
    SARS_COV_2_PCR,
    UNDETERMINED,
    Concept,
)

CONCEPTS: tuple[Concept, ...] = ()


@dataclass(frozen=True)
class Lineage:
    """A lineage: its growth against `REFERENCE` each day, and the day on which both are equal.

    Before `emerged` nobody has it. `spellings` are other names of the same lineage.
    """

    name: str
    per_day: float
    equal_on: int
    emerged: date = FIRST_DAY
    spellings: tuple[str, ...] = ()


REFERENCE = "JN.1"
LINEAGES = (
    Lineage(REFERENCE, 0.0, 0, spellings=("BA.2.86.1.1", "B.1.1.529.2.86.1.1")),
    Lineage("KP.2", 0.05, 90, spellings=("JN.1.11.1.2",)),
    Lineage("None", 0.075, 145),
    Lineage("KP.3.1.1", 0.10, 140, date(2024, 3, 20), ("B.1.1.529.2.86.1.1.11.1.3.1.1",)),
    Lineage("XEC", 0.145, 196, date(2024, 7, 15)),
    Lineage("LP.8.1", 0.195, 256, date(2024, 11, 18), ("KP.1.1.3.8.1",)),
    Lineage("XFG", 0.255, 323, date(2025, 3, 24)),
    Lineage("BA.3.2", 0.325, 402, date(2025, 9, 1), ("B.1.1.529.3.2",)),
)
"""In order of growth. One that grows faster overtakes the one before it about every 110 days."""

WAVES = ((5, 25, 0.13), (190, 30, 0.10), (290, 25, 0.13), (480, 30, 0.07), (640, 28, 0.15))
"""Peak (day), spread (days) and height of each wave of the positivity of the reference patient."""
BASE_POSITIVITY = 0.03
AGE_RATIOS = {0: 0.6, 20: 1.0, 60: 1.3, 80: 1.6}
"""Youngest age of a group (whole years on the day of the test) → its positivity against 20-59."""
MALE_RATIO = 1.15
IMMUNE_DAYS = 60
RETESTED, STILL_POSITIVE = 0.3, 0.75
INCONCLUSIVE, NO_RESULT = 0.01, 0.005
SEQUENCED, UNASSIGNED, NO_LINEAGE, RESPELLED = 0.65, 0.04, 0.01, 0.12

TRUTH: Mapping[str, Any] = {
    "reference": REFERENCE,
    "growth_advantage_per_day": {one.name: one.per_day for one in LINEAGES},
    "equal_to_reference_on_day": {one.name: one.equal_on for one in LINEAGES},
    "emerged": {one.name: one.emerged.isoformat() for one in LINEAGES},
    "new_lineage": LINEAGES[-1].name,
    # Among tests that no positive one of the same person precedes by up to `IMMUNE_DAYS` days.
    "positivity_ratio_by_age": {str(age): ratio for age, ratio in AGE_RATIOS.items()},
    "positivity_ratio_of_men": MALE_RATIO,
    "immune_days": IMMUNE_DAYS,
    "inconclusive": INCONCLUSIVE,
    "sequenced": SEQUENCED,
    "unassigned": UNASSIGNED,
}

_ORIGIN = np.datetime64(FIRST_DAY, "D")
_END = np.datetime64(LAST_DAY, "us") + np.timedelta64(1, "D")
_DAYS = (LAST_DAY - FIRST_DAY).days + 1


def draw(batch: Batch) -> Rows:
    """Return measurement: tests and lineages. Nobody is tested after death."""
    rng = batch.rng("sars_cov_2")
    tests = _draw_tests(rng, batch)
    tests = tests[~(tests["moment"] > tests["died"])]
    tests = tests.assign(measurement_id=batch.ids("measurement", len(tests)))
    lineages = _draw_lineages(rng, tests)
    lineages["measurement_id"] = batch.ids("measurement", len(lineages))
    return {"measurement": pd.concat([_measure(tests), _measure(lineages)], ignore_index=True)}


def find_positivity(day: np.ndarray) -> np.ndarray:
    """Return the positivity of women of 20 to 59 years on days counted from the first."""
    peak, spread, height = np.array(WAVES).T
    waves: np.ndarray = height * np.exp(-0.5 * ((day[:, None] - peak) / spread) ** 2)
    return BASE_POSITIVITY + waves.sum(axis=1)  # type: ignore[no-any-return]


def find_shares(day: np.ndarray) -> np.ndarray:
    """Return each lineage's share on days counted from the first: days × `LINEAGES`."""
    slope = np.array([one.per_day for one in LINEAGES])
    equal = np.array([one.equal_on for one in LINEAGES])
    emerged = np.array([(one.emerged - FIRST_DAY).days for one in LINEAGES])
    odds = np.exp(slope * (day[:, None] - equal))
    odds[day[:, None] < emerged] = 0.0
    shares: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
    return shares


def _draw_tests(rng: np.random.Generator, batch: Batch) -> pd.DataFrame:
    """Return person_id, moment, visit_id, stay_id, result (concept id or 0), primary."""
    asked = [_test_at_entry(rng, batch), _test_later(rng, batch), _test_between(rng, batch)]
    tests = pd.concat(asked, ignore_index=True).merge(batch.persons, on="person_id")
    # Not only by person and moment: two tests in one minute keep an order of their own.
    tests = tests.sort_values(["person_id", "moment"], kind="stable", ignore_index=True)
    positive = rng.random(len(tests)) < _find_chance(tests)
    seen = tests["moment"].where(positive).groupby(tests["person_id"])
    before = seen.ffill().groupby(tests["person_id"]).shift()
    primary = ~(tests["moment"] < before + pd.Timedelta(days=IMMUNE_DAYS + 1)).to_numpy()
    tests = tests.assign(positive=positive)[primary]
    again = _test_again(rng, tests[tests["positive"]])
    tests = pd.concat([tests.assign(primary=True), again.assign(primary=False)])
    tests = tests[tests["moment"] < _END].sort_values(["person_id", "moment"], ignore_index=True)
    tests["result"] = np.where(tests["positive"], POSITIVE.id, NEGATIVE.id)
    chance = rng.random(len(tests))
    tests.loc[chance < INCONCLUSIVE + NO_RESULT, "result"] = UNDETERMINED.id
    tests.loc[chance < NO_RESULT, "result"] = 0
    return _place(tests, batch)


def _test_at_entry(rng: np.random.Generator, batch: Batch) -> pd.DataFrame:
    """Test some who come to the emergency department or are admitted, within six hours."""
    visits = batch.visits[batch.visits["kind"] != "outpatient"]
    lasted = (visits["ended"] - visits["began"]).to_numpy().astype("timedelta64[m]").astype("int64")
    minutes = (rng.random(len(visits)) * np.minimum(lasted, 360)).astype("int64")
    moment = _add_minutes(visits["began"], minutes)
    chance = 0.30 + 1.2 * find_positivity(_count_days(moment))
    tested = rng.random(len(visits)) < chance
    return pd.DataFrame({"person_id": visits["person_id"], "moment": moment})[tested]


def _test_later(rng: np.random.Generator, batch: Batch) -> pd.DataFrame:
    """Test some after their fourth day in hospital: what is found there was often caught there."""
    lasted = batch.visits["ended"] - batch.visits["began"]
    visits = batch.visits[(lasted > pd.Timedelta(days=4)) & (rng.random(len(lasted)) < 0.3)]
    left = (visits["ended"] - visits["began"]).to_numpy().astype("timedelta64[m]").astype("int64")
    minutes = 4 * 1440 + (rng.random(len(visits)) * (left - 4 * 1440)).astype("int64")
    return pd.DataFrame(
        {"person_id": visits["person_id"], "moment": _add_minutes(visits["began"], minutes)}
    )


def _test_between(rng: np.random.Generator, batch: Batch) -> pd.DataFrame:
    """Test people who come to the hospital's centre for tests, more of them in waves."""
    often = 0.4 + 4 * find_positivity(np.arange(_DAYS))
    count = rng.poisson(0.8, len(batch.persons))
    day = rng.choice(_DAYS, count.sum(), p=often / often.sum())
    minutes = day * 1440 + rng.integers(8 * 60, 19 * 60, len(day))
    first = pd.Series(pd.Timestamp(FIRST_DAY).as_unit("us"), index=range(len(day)))
    person = np.repeat(batch.persons["person_id"].to_numpy(), count)
    return pd.DataFrame({"person_id": person, "moment": _add_minutes(first, minutes).to_numpy()})


def _test_again(rng: np.random.Generator, positive: pd.DataFrame) -> pd.DataFrame:
    again = positive[rng.random(len(positive)) < RETESTED]
    minutes = rng.integers(1440, 14 * 1440, len(again))
    still = rng.random(len(again)) < STILL_POSITIVE
    return again.assign(moment=_add_minutes(again["moment"], minutes), positive=still)


def _find_chance(tests: pd.DataFrame) -> np.ndarray:
    chance = find_positivity(_count_days(tests["moment"])) * _by_age(tests, AGE_RATIOS)
    sex_ratio: np.ndarray = np.where(tests["sex"] == "M", MALE_RATIO, 1.0)
    return sex_ratio * chance  # type: ignore[no-any-return]


def _by_age(people: pd.DataFrame, values: Mapping[int, float]) -> np.ndarray:
    """Return the value of each one's group at `moment`, by birthdays."""
    born, moment = people["born"].dt, people["moment"].dt
    age = moment.year - born.year
    age -= ((moment.month * 100 + moment.day) < (born.month * 100 + born.day)).astype("int64")
    group = np.searchsorted(list(values), age.to_numpy(), side="right") - 1
    found: np.ndarray = np.array(list(values.values()))[group]
    return found


def _place(tests: pd.DataFrame, batch: Batch) -> pd.DataFrame:
    """Add the visit and the stay in a ward in which each test was taken, where there is one."""
    tests = tests.sort_values("moment", kind="stable")
    for spell, name, (entered, left) in (
        (batch.visits, "visit_id", ("began", "ended")),
        (batch.stays, "stay_id", ("entered", "left")),
    ):
        there = spell[["person_id", name, entered, left]].sort_values(entered, kind="stable")
        tests = pd.merge_asof(tests, there, left_on="moment", right_on=entered, by="person_id")
        inside = tests["moment"] <= tests[left]
        tests[name] = tests[name].where(inside).astype("Int64")
        tests = tests.drop(columns=[entered, left])
    return tests.sort_values(["person_id", "moment"], kind="stable", ignore_index=True)


def _draw_lineages(rng: np.random.Generator, tests: pd.DataFrame) -> pd.DataFrame:
    """Return the sequences that are reported until the last day, each with its test."""
    found = tests[(tests["result"] == POSITIVE.id) & tests["primary"]]
    found = found[rng.random(len(found)) < SEQUENCED]
    edges = find_shares(_count_days(found["moment"])).cumsum(axis=1)
    # The last edge is 1 but for rounding: never past the last lineage.
    at = (edges[:, :-1] < rng.random(len(found))[:, None]).sum(axis=1)
    names = np.array([one.name for one in LINEAGES], dtype=object)[at]
    respelled = rng.random(len(found)) < RESPELLED
    for one in LINEAGES:
        if one.spellings:
            of_it = respelled & (names == one.name)
            names[of_it] = rng.choice(np.array(one.spellings, dtype=object), of_it.sum())
    chance = rng.random(len(found))
    names[chance < UNASSIGNED + NO_LINEAGE] = "Unassigned"
    names[chance < NO_LINEAGE] = None
    waited = ((4 + rng.gamma(2.0, 3.5, len(found))) * 1440).astype("int64")
    reported = _add_minutes(found["moment"], waited)
    return found.assign(
        moment=reported, lineage=names, test_id=found["measurement_id"], result=0
    ).loc[(reported < _END).to_numpy()]


def _measure(rows: pd.DataFrame) -> pd.DataFrame:
    """Return tests or lineages (these have `lineage`) as rows of the table measurement."""
    sequenced = "lineage" in rows
    concept = SARS_COV_2_LINEAGE if sequenced else SARS_COV_2_PCR
    measured = pd.DataFrame(
        {
            "measurement_id": rows["measurement_id"],
            "person_id": rows["person_id"],
            "measurement_concept_id": concept.id,
            "measurement_date": rows["moment"].dt.normalize(),
            "measurement_datetime": rows["moment"],
            "measurement_type_concept_id": EHR.id,
            "value_as_concept_id": rows["result"].where(rows["result"] != 0).astype("Int64"),
            "visit_occurrence_id": rows["visit_id"],
            "visit_detail_id": rows["stay_id"],
            "measurement_source_value": concept.code,
        }
    )
    if not sequenced:
        return measured
    return measured.assign(
        value_source_value=rows["lineage"],
        measurement_event_id=rows["test_id"].astype("Int64"),
        meas_event_field_concept_id=pd.Series(MEASUREMENT.id, rows.index, dtype="Int64"),
    )


def _count_days(moments: pd.Series[pd.Timestamp]) -> np.ndarray:
    days: np.ndarray = (moments.to_numpy().astype("datetime64[D]") - _ORIGIN).astype("int64")
    return days


def _add_minutes(moments: pd.Series[pd.Timestamp], minutes: np.ndarray) -> pd.Series[pd.Timestamp]:
    return moments + pd.to_timedelta(minutes, unit="m").astype("timedelta64[us]")

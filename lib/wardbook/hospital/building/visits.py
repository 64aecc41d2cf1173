"""Visits and stays in wards: one visit after the other, for all persons of a batch at once.

A person's visits follow each other: after one has ended, the next comes after an exponential time,
or, where a readmission is planted, within 30 days. No admission comes within 30 days otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wardbook.hospital.building import seasons
from wardbook.hospital.building.seasons import DAY, DAYS
from wardbook.hospital.building.wards import AFTERCARE, CODES, EMERGENCY, WARDS, choose_wards

VISITS_PER_PERSON = 1.7
"""In the two years, before readmissions."""
KINDS = {"inpatient": 0.36, "emergency": 0.44, "outpatient": 0.20}
ADMITTED = 0.24
"""Share of emergency visits that go on in a ward."""
TRANSFERRED, TO_AFTERCARE = 0.18, 0.06
EMERGENCY_HOURS = (3.1, 0.6)
"""Median and spread (of the logarithm) of the hours in the emergency department."""
READMISSION_DAYS = 30
DEATH_ODDS_PER_10_YEARS = 1.7
"""Odds ratio of dying in a visit that goes through a ward, for ten years of age."""

_KIND_NAMES = np.array(list(KINDS))
_INPATIENT, _EMERGENCY, _OUTPATIENT = range(3)
_NIGHTS = np.array([ward.nights for ward in WARDS])
_READMITTED = np.array([ward.readmitted for ward in WARDS])
_DEATH = np.array([ward.death for ward in WARDS])
_NIGHTS_SHAPE = 2.0
_YEAR = 365.25


@dataclass
class _Lives:
    """Where the visits of all persons of a batch have come to; arrays, one value a person."""

    free: np.ndarray
    """Minute at which the last visit ended."""
    guarded: np.ndarray
    """First day on which an admission that is not planted may come."""
    again: np.ndarray
    """Whether the next visit is a planted readmission."""
    home_death: np.ndarray
    """Minute at which the person dies outside; put off by visits."""
    died: np.ndarray
    """Minute of death, -1 without."""
    rate: np.ndarray
    """Visits a day."""
    age: np.ndarray
    """Years on the first day."""
    female: np.ndarray

    @classmethod
    def begin(cls, rng: np.random.Generator, age: np.ndarray, female: np.ndarray) -> _Lives:
        count = len(age)
        frailty = rng.gamma(2.0, 0.5, count)
        # Infants and the old come more often; the mean over the ages that are drawn is 1.
        by_age = (0.72 + 0.6 * np.exp(-age / 3.0) + 0.9 / (1 + np.exp((72 - age) / 6.0))) / 0.985
        # Gompertz' law with about the figures of France: one in 1,000 a year at 45.
        hazard = 1.8e-5 * np.exp(0.095 * age) / _YEAR
        return cls(
            free=np.full(count, -DAY, dtype="int64"),
            guarded=np.zeros(count, dtype="int64"),
            again=np.zeros(count, dtype=bool),
            home_death=(rng.exponential(1.0, count) / hazard * DAY).astype("int64"),
            died=np.full(count, -1, dtype="int64"),
            rate=VISITS_PER_PERSON / DAYS * frailty * by_age,
            age=age,
            female=female,
        )


def draw_visits(
    rng: np.random.Generator, age: np.ndarray, female: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Draw the visits and stays of persons.

    Args:
        rng: all is drawn from it.
        age: years on the hospital's first day.
        female: or not.

    Returns:
        Visits (owner, kind, began, ended, died) in order of owner and begin; stays (visit, ward,
        entered, left), `visit` a row of the visits, in order; minute of death by person, -1
        without. `owner` is a row of the persons, times are minutes since the first midnight.
    """
    lives = _Lives.begin(rng, age, female)
    active = np.arange(len(age))
    visits: list[pd.DataFrame] = []
    stays: list[pd.DataFrame] = []
    while len(active):
        kind, admitted, began = _next_visits(rng, lives, active)
        going = began < DAYS * DAY
        dead = (lives.home_death[active] <= began) & (lives.home_death[active] < DAYS * DAY)
        lives.died[active[dead]] = lives.home_death[active[dead]]
        going &= ~dead
        active, kind, admitted, began = active[going], kind[going], admitted[going], began[going]
        legs, ended, last = _draw_legs(rng, lives, active, kind, admitted, began)
        dies = _draw_deaths(rng, lives, active, admitted, last, ended)
        kept = ended < DAYS * DAY
        rows = {"owner": active, "step": len(visits), "kind": _KIND_NAMES[kind], "began": began}
        visits.append(pd.DataFrame({**rows, "ended": ended, "died": dies})[kept])
        legs = legs[kept[legs["at"]]]
        stays.append(legs.assign(owner=active[legs["at"]], step=len(stays)))
        lives.died[active[kept & dies]] = ended[kept & dies]
        lives.free[active] = ended
        lives.home_death[active] += ended - began
        lives.guarded[active[admitted]] = ended[admitted] // DAY + READMISSION_DAYS + 2
        lives.again[active] = admitted & (rng.random(len(active)) < _READMITTED[last])
        active = active[kept & ~dies]
    return *_in_order(visits, stays), lives.died


def _next_visits(
    rng: np.random.Generator, lives: _Lives, who: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return kind, whether it goes through a ward, and the minute of begin of the next visits."""
    count, again = len(who), lives.again[who]
    kind = rng.choice(3, count, p=list(KINDS.values()))
    kind[again] = _INPATIENT
    admitted = (kind == _INPATIENT) | ((kind == _EMERGENCY) & (rng.random(count) < ADMITTED))
    earliest = lives.free[who] // DAY + 1
    day = seasons.later(earliest.astype("float64"), rng.exponential(1.0, count) / lives.rate[who])
    # What comes after the end is never drawn; numbers there need only be large.
    day = np.minimum(day, 2.0 * DAYS).astype("int64")
    early = admitted & (day < lives.guarded[who])
    day[early] += 35
    minute = np.empty(count, dtype="int64")
    for number, name in enumerate(KINDS):
        these = kind == number
        moved = seasons.move_in_week(rng, day[these], name)
        first = np.where(admitted, np.maximum(earliest, lives.guarded[who]), earliest)[these]
        day[these] = np.where(moved >= first, moved, day[these])
        minute[these] = seasons.draw_minute(rng, int(these.sum()), name)
    soon = 1 + (rng.beta(1.0, 1.6, count) * (READMISSION_DAYS - 2)).astype("int64")
    day = np.where(again, lives.free[who] // DAY + soon, day)
    return kind, admitted, seasons.skip_clock_changes(day * DAY + minute)


def _draw_legs(
    rng: np.random.Generator,
    lives: _Lives,
    who: np.ndarray,
    kind: np.ndarray,
    admitted: np.ndarray,
    began: np.ndarray,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the stays of visits (`at`: row of `who`), when the visits end, and the last wards.

    Emergency department, a ward, perhaps another, perhaps aftercare; outpatients have none.
    """
    count = len(who)
    median, spread = EMERGENCY_HOURS
    minutes = np.exp(rng.normal(np.log(median * 60), spread, count))
    now = np.where(
        kind == _EMERGENCY,
        began + np.clip(minutes, 15, 3 * DAY).astype("int64"),
        np.where(kind == _OUTPATIENT, began + rng.integers(20, 240, count), began),
    )
    now = seasons.skip_clock_changes(now)
    came = np.flatnonzero(kind == _EMERGENCY)
    legs = [_leg(came, np.full(len(came), EMERGENCY), began[came], now[came])]
    last = np.where(kind == _EMERGENCY, EMERGENCY, -1)
    transferred = admitted & (rng.random(count) < TRANSFERRED)
    to_aftercare = admitted & (rng.random(count) < TO_AFTERCARE)
    for there, fixed in ((admitted, -1), (transferred, -1), (to_aftercare, AFTERCARE)):
        at = np.flatnonzero(there)
        entered = now[at]
        day = (entered // DAY).astype("float64")
        ward = (
            choose_wards(
                rng,
                age=lives.age[who[at]] + day / _YEAR,
                female=lives.female[who[at]],
                winter=seasons.winter(day),
                epidemic=seasons.epidemic(day),
                before=np.where(last[at] == EMERGENCY, -1, last[at]),
            )
            if fixed < 0
            else np.full(len(at), fixed)
        )
        # A ward is left by day, after one midnight or more: 1 and a negative binomial number.
        nights = 1 + rng.poisson(rng.gamma(_NIGHTS_SHAPE, (_NIGHTS[ward] - 1) / _NIGHTS_SHAPE))
        left = (entered // DAY + nights) * DAY + rng.integers(9 * 60, 18 * 60, len(at))
        legs.append(_leg(at, ward, entered, left))
        now[at], last[at] = left, ward
    return pd.concat(legs, ignore_index=True), now, last


def _leg(at: np.ndarray, ward: np.ndarray, entered: np.ndarray, left: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"at": at, "ward": ward, "entered": entered, "left": left})


def _draw_deaths(
    rng: np.random.Generator,
    lives: _Lives,
    who: np.ndarray,
    admitted: np.ndarray,
    last: np.ndarray,
    ended: np.ndarray,
) -> np.ndarray:
    """Return who dies at the end of the visit."""
    age = lives.age[who] + ended / DAY / _YEAR
    odds = np.exp(_DEATH[last] + np.log(DEATH_ODDS_PER_10_YEARS) * (age - 70) / 10)
    dies: np.ndarray = admitted & (rng.random(len(who)) < odds / (1 + odds))
    return dies


def _in_order(
    visits: list[pd.DataFrame], stays: list[pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    all_visits = pd.concat(visits).sort_values(["owner", "step"], ignore_index=True)
    all_visits["visit"] = np.arange(len(all_visits))
    all_stays = pd.concat(stays).merge(all_visits[["owner", "step", "visit"]])
    all_stays = all_stays.sort_values(["visit", "entered"], ignore_index=True)
    all_stays["ward"] = CODES[all_stays["ward"]]
    return (
        all_visits[["owner", "kind", "began", "ended", "died"]],
        all_stays[["visit", "ward", "entered", "left"]],
    )

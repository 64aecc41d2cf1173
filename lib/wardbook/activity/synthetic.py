"""Invented exports of wards, emergency department and laboratory, with the truth planted in them.

    python -m wardbook.activity.synthetic --out DIR --seed S

Nobody in them exists. The same arguments give the same bytes. The truth is what the drawing was
made with, never a figure computed from what was drawn: estimates are to be held against it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType
from scipy.stats import lognorm

from wardbook.activity.clock import ZONE
from wardbook.activity.emergency import VISITS
from wardbook.activity.laboratory import TESTS
from wardbook.activity.stays import BEDS, STAYS
from wardbook.activity.visits import LONG_MINUTES
from wardbook.files import write_atomically

FIRST_DAY, DAYS = date(2026, 2, 9), 56
"""A Monday, and eight weeks: the change to summer time is in them."""
WARM_UP_DAYS = 180
HAEMOLYSED_ABOVE = 50
TARGET_MINUTES = 60


@dataclass(frozen=True)
class Ward:
    """What is planted in a ward: admissions a day, mean nights, transfers, tubes, haemolysis."""

    code: str
    name: str
    beds: int
    admissions: float
    nights: float
    tubes: float
    haemolysis: float = 0.02
    minutes: float = 45.0


WARDS = (
    Ward("CARD", "Cardiologie", 36, 6.2, 5.0, 50),
    Ward("CHIR", "Chirurgie digestive", 30, 6.0, 4.0, 40),
    Ward("GERI", "Gériatrie aiguë", 40, 3.5, 10.0, 45),
    Ward("MEDI", "Médecine interne", 34, 4.0, 7.0, 50),
    Ward("ORTH", "Chirurgie orthopédique", 32, 6.5, 4.0, 35),
    Ward("PNEU", "Pneumologie", 28, 3.6, 6.5, 40),
    Ward("REAC", "Réanimation médicale", 8, 1.1, 5.5, 24),
    Ward("SSRE", "Soins de suite", 60, 0.0, 21.0, 12),
    Ward("URGE", "Urgences", 20, 14.0, 1.0, 220, haemolysis=0.09, minutes=38.0),
)
BAD_WARD = "URGE"
"""The ward in which far more tubes are haemolysed than in the others."""
AFTERCARE, SHARE_TO_AFTERCARE = "SSRE", 0.06
"""Of the patients of each other ward this share is transferred there."""
VISITS_A_DAY, MEDIAN_VISIT, SPREAD_VISIT, ADMITTED = 130.0, 185.0, 0.6, 0.24
ANALYSES = {"SARS-CoV-2 PCR": 0.14, "Grippe A PCR": 0.09, "Potassium": None, "Troponine": None}
"""Positivity, None where the result is a number; each tube has one of them, at random."""
SPREAD_TURNAROUND = 0.5
EMERGENCY_SHARE = 0.3


def write_wards(folder: Path, *, seed: int, days: int = DAYS) -> dict[str, Any]:
    """Write `stays.csv`, `beds.csv` and `emergency.csv` into `folder`; returns the planted truth.

    The truth has `first`, `last` (ISO days), for each ward `present` (mean patients at midnight:
    entries a day times mean nights, Little's law), `occupancy` (that over its beds), `nights`;
    and for visits `arrivals` a day, `median_minutes`, `share_over_4h`, `admitted` (a share).
    """
    random = np.random.default_rng(seed)
    end = pd.Timestamp(FIRST_DAY) + pd.Timedelta(days=days)
    write_atomically(folder / "stays.csv", _lines(STAYS, _invent_stays(random, days, end)))
    write_atomically(folder / "beds.csv", _lines(BEDS, _write_beds()))
    write_atomically(folder / "emergency.csv", _lines(VISITS, _invent_visits(random, days, end)))
    entries = {ward.code: ward.admissions for ward in WARDS}
    entries[AFTERCARE] += SHARE_TO_AFTERCARE * sum(entries.values())
    present = {ward.code: entries[ward.code] * ward.nights for ward in WARDS}
    return {
        **_period(days),
        "present": present,
        "occupancy": {ward.code: present[ward.code] / ward.beds for ward in WARDS},
        "nights": {ward.code: ward.nights for ward in WARDS},
        "arrivals": VISITS_A_DAY,
        "median_minutes": MEDIAN_VISIT,
        "share_over_4h": float(lognorm.sf(LONG_MINUTES + 0.5, SPREAD_VISIT, scale=MEDIAN_VISIT)),
        "admitted": ADMITTED,
    }


def write_laboratory(folder: Path, *, seed: int, days: int = DAYS) -> dict[str, Any]:
    """Write `tests.csv` and `beds.csv` into `folder`; returns the planted truth.

    The truth has `first`, `last`, `positivity` by analysis, and by ward `haemolysis`,
    `median_minutes` and `share_within` (of `target` minutes); `bad_ward` is the one that stands
    out.
    """
    random = np.random.default_rng(seed)
    write_atomically(folder / "tests.csv", _lines(TESTS, _invent_tests(random, days)))
    write_atomically(folder / "beds.csv", _lines(BEDS, _write_beds()))
    return {
        **_period(days),
        "positivity": {name: share for name, share in ANALYSES.items() if share is not None},
        "haemolysis": {ward.code: ward.haemolysis for ward in WARDS},
        "bad_ward": BAD_WARD,
        "target": TARGET_MINUTES,
        "median_minutes": {ward.code: ward.minutes for ward in WARDS},
        "share_within": {
            ward.code: float(
                lognorm.cdf(TARGET_MINUTES + 0.5, SPREAD_TURNAROUND, scale=ward.minutes)
            )
            for ward in WARDS
        },
    }


def _period(days: int) -> dict[str, Any]:
    last = pd.Timestamp(FIRST_DAY) + pd.Timedelta(days=days - 1)
    return {"first": FIRST_DAY.isoformat(), "last": last.date().isoformat()}


def _invent_stays(
    random: np.random.Generator, days: int, end: pd.Timestamp
) -> Iterable[Sequence[object]]:
    """Yield the stays that were there in the period; those that last beyond its end are open."""
    opening = pd.Timestamp(FIRST_DAY)
    parts = [_enter_ward(random, ward, days) for ward in WARDS if ward.admissions]
    first = pd.concat(parts, ignore_index=True)
    first["patient"] = np.arange(len(first))
    moved = first[random.random(len(first)) < SHARE_TO_AFTERCARE]
    nights = {ward.code: ward.nights for ward in WARDS}[AFTERCARE]
    after = moved.assign(ward=AFTERCARE, entered=moved["left"] + pd.Timedelta(minutes=20))
    after["left"] = _leave(random, after["entered"], nights)
    stays = pd.concat([first, after], ignore_index=True)
    stays = stays[(stays["left"] >= opening) & (stays["entered"] < end)]
    stays = stays.sort_values(["entered", "patient"], ignore_index=True)
    left = stays["left"].mask(stays["left"] >= end)
    rows = zip(stays["patient"], stays["ward"], stays["entered"], left, strict=True)
    for number, (patient, ward, entered, gone) in enumerate(rows, 1):
        yield f"S{number:07}", f"P{patient:06}", ward, _write(entered), _write(gone)


def _enter_ward(random: np.random.Generator, ward: Ward, days: int) -> pd.DataFrame:
    entered = _draw_times(random, ward.admissions, days, warm_up=WARM_UP_DAYS)
    return pd.DataFrame(
        {"ward": ward.code, "entered": entered, "left": _leave(random, entered, ward.nights)}
    )


def _leave(
    random: np.random.Generator, entered: pd.Series[pd.Timestamp], nights: float
) -> pd.Series[pd.Timestamp]:
    """Return times of leaving, by day, after a geometric number of nights: at least one."""
    lasting = random.geometric(1 / nights, len(entered))
    minutes = random.integers(9 * 60, 18 * 60, len(entered))
    length = pd.to_timedelta(lasting, unit="D") + pd.to_timedelta(minutes, unit="min")
    return entered.dt.normalize() + length


def _draw_times(
    random: np.random.Generator, a_day: float, days: int, warm_up: int = 0
) -> pd.Series[pd.Timestamp]:
    """Return times in order, uniform over the days and by the minute, Poisson in number."""
    span = days + warm_up
    minutes = np.sort(random.integers(0, span * 24 * 60, random.poisson(a_day * span)))
    start = pd.Timestamp(FIRST_DAY) - pd.Timedelta(days=warm_up)
    times = pd.Series(start + pd.to_timedelta(minutes, unit="min"))
    # An hour of the spring does not exist: nothing happens in it.
    exists = times.dt.tz_localize(ZONE, nonexistent="NaT", ambiguous=np.full(len(times), True))
    return times[exists.notna()].reset_index(drop=True)


def _write_beds() -> Iterable[Sequence[object]]:
    return ((ward.code, ward.name, ward.beds, "2025-01-01") for ward in WARDS)


def _invent_visits(
    random: np.random.Generator, days: int, end: pd.Timestamp
) -> Iterable[Sequence[object]]:
    arrival = _draw_times(random, VISITS_A_DAY, days)
    minutes = np.round(random.lognormal(np.log(MEDIAN_VISIT), SPREAD_VISIT, len(arrival)))
    departure = _add_minutes(arrival, minutes)
    triage = random.choice(5, len(arrival), p=(0.02, 0.15, 0.43, 0.32, 0.08)) + 1
    moved = random.random(len(arrival)) < ADMITTED
    rest = random.choice(["6", "7"], len(arrival), p=(0.95, 0.05))
    outcome = np.where(moved, rest, "8")
    rows = zip(arrival, departure, triage, outcome, strict=True)
    for number, (came, went, level, way) in enumerate(rows, 1):
        gone = went < end
        shown = (_write(went), level, way) if gone else ("", level, "")
        yield f"V{number:07}", f"E{number:07}", _write(came), *shown


def _invent_tests(random: np.random.Generator, days: int) -> Iterable[Sequence[object]]:
    names, shares = list(ANALYSES), [share or -1.0 for share in ANALYSES.values()]
    number = 0
    for ward in WARDS:
        sampled = _draw_times(random, ward.tubes, days)
        size = len(sampled)
        received = _add_minutes(sampled, random.integers(5, 60, size))
        lasted = random.lognormal(np.log(ward.minutes), SPREAD_TURNAROUND, size)
        validated = _add_minutes(received, np.round(lasted))
        analysis = random.integers(0, len(names), size)
        lucky = random.random(size)
        haemolysed = random.random(size) < ward.haemolysis
        low, high = (random.integers(*span, size) for span in ((0, 51), (51, 400)))
        index = np.where(haemolysed, high, low)
        patient = random.integers(0, max(1, int(ward.tubes * days / 3)), size)
        emergency = random.random(size) < EMERGENCY_SHARE
        for row in range(size):
            number += 1
            share = shares[analysis[row]]
            result = "" if share < 0 else "positive" if lucky[row] < share else "negative"
            yield (
                f"A{number:07}", f"T{number:07}", f"{ward.code}{patient[row]:06}", ward.code,
                _write(sampled[row]), _write(received[row]), _write(validated[row]),
                names[analysis[row]], result, index[row], int(emergency[row]),
            )  # fmt: skip


def _add_minutes(times: pd.Series[pd.Timestamp], minutes: np.ndarray) -> pd.Series[pd.Timestamp]:
    """Return local times so many real minutes later, also over the change of the clock."""
    moments = times.dt.tz_localize(ZONE, ambiguous=np.full(len(times), True))
    later = moments.dt.tz_convert("UTC") + pd.to_timedelta(minutes, unit="min")
    return later.dt.tz_convert(ZONE).dt.tz_localize(None)


def _write(moment: pd.Timestamp | NaTType) -> str:
    return "" if isinstance(moment, NaTType) else moment.isoformat(timespec="minutes")


def _lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return "".join(f"{';'.join(map(str, row))}\n" for row in (header, *rows))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all exports and their truth (`truth.json`) into a folder."""
    parser = argparse.ArgumentParser(prog="python -m wardbook.activity.synthetic")
    parser.add_argument("--out", type=Path, required=True, help="folder, made if missing")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--days", type=int, default=DAYS, help=f"default {DAYS}")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    truth = {
        "wards": write_wards(chosen.out, seed=chosen.seed, days=chosen.days),
        "laboratory": write_laboratory(chosen.out, seed=chosen.seed, days=chosen.days),
    }
    write_atomically(chosen.out / "truth.json", json.dumps(truth, indent=1))
    sys.stdout.write(f"{chosen.out}\n")


if __name__ == "__main__":
    main()

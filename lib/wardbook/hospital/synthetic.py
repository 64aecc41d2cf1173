"""An invented extract of stays, for demonstrations and tests: nobody in it exists.

Names are drawn from our own short lists, numbers count up. There is no social security number in
it, not even an impossible one. The same arguments give the same bytes.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from random import Random

from wardbook.files import write_atomically
from wardbook.hospital.canaries import CANARY_IPP, PATIENTS
from wardbook.hospital.vocabulary import COLUMNS, ORGANISMS, WARDS

CANARIES = tuple(canary.name for canary in PATIENTS)
"""Surnames that nobody bears: found outside a sealed file, they prove a leak.

Every ward has a patient of one of these names, there from the first to the last day.
"""

FIRST_DAY, DAYS = date(2020, 10, 1), 120
MOVES = (1, 1, 1, 2, 2, 3)
MEAN_DAYS = 6.0
INFECTED = 0.06
FIRST_IPP = 8_000_000_001


@dataclass(frozen=True)
class _Patient:
    ipp: int
    name: str
    first_name: str
    birth_date: date
    sex: str


@dataclass(frozen=True)
class _Stay:
    patient: _Patient
    ward: str
    room: str
    bed: str
    entry: datetime
    exit: datetime | None
    organism: str = ""
    sample_date: date | None = None


def generate_stays(
    path: Path,
    patients: int = 2000,
    *,
    seed: int,
    first_day: date = FIRST_DAY,
    days: int = DAYS,
) -> Path:
    """Write an extract of `patients` patients, who enter in `days` days from `first_day` on.

    One patient a ward is a canary; where there are fewer patients than wards, all are. A stay that
    would last beyond the last day has no exit yet.
    """
    random = Random(seed)  # noqa: S311  invented patients, not secrets
    close = datetime.combine(first_day + timedelta(days=days), time())
    stays = sorted(_invent(random, patients, first_day, close), key=lambda stay: stay.entry)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_write_row(stay) for stay in stays)
    write_atomically(path, text.getvalue())
    return path


def _invent(random: Random, patients: int, first_day: date, close: datetime) -> Iterator[_Stay]:
    opening = datetime.combine(first_day, time(8, 0))
    for number in range(patients):
        patient = _invent_patient(random, number)
        if number < len(WARDS):
            canary = _plant_canary(number)
            bed = _choose_bed(random)
            yield _Stay(canary, WARDS[number], *bed, opening, None, ORGANISMS[0], first_day)
        else:
            minutes = random.randrange(int((close - opening).total_seconds()) // 60)
            yield from _move(random, patient, opening + timedelta(minutes=minutes), close)


def _plant_canary(number: int) -> _Patient:
    planted = PATIENTS[number % len(PATIENTS)]
    return _Patient(
        CANARY_IPP + 1 + number,
        planted.name,
        planted.first_name,
        planted.birth_date,
        planted.sex,
    )


def _invent_patient(random: Random, number: int) -> _Patient:
    names = _read_names()
    sex = random.choice("FM")
    born = date(1925, 1, 1) + timedelta(days=int(random.triangular(0, 93 * 365, 25 * 365)))
    return _Patient(
        FIRST_IPP + number * 7,
        random.choice(names["surnames"]),
        random.choice(names["women" if sex == "F" else "men"]),
        born,
        sex,
    )


def _move(random: Random, patient: _Patient, entry: datetime, close: datetime) -> Iterator[_Stay]:
    """Let a patient stay in one to three wards, one after the other."""
    for ward in random.sample(WARDS, random.choice(MOVES)):
        left = entry + timedelta(minutes=1 + int(random.expovariate(1 / MEAN_DAYS) * 24 * 60))
        stay = _Stay(patient, ward, *_choose_bed(random), entry, left if left < close else None)
        yield _infect(random, stay, min(left, close)) if random.random() < INFECTED else stay
        if left >= close:
            return
        entry = left


def _infect(random: Random, stay: _Stay, until: datetime) -> _Stay:
    sampled = stay.entry.date() + timedelta(days=random.randint(0, (until - stay.entry).days))
    return replace(stay, organism=random.choice(ORGANISMS), sample_date=sampled)


def _choose_bed(random: Random) -> tuple[str, str]:
    return f"{random.randint(1, 4)}{random.randint(1, 24):02}", random.choice(("P", "F"))


def _write_row(stay: _Stay) -> list[str]:
    patient = stay.patient
    return [
        str(patient.ipp),
        patient.name,
        patient.first_name,
        patient.birth_date.isoformat(),
        patient.sex,
        stay.ward,
        stay.room,
        stay.bed,
        stay.entry.isoformat(timespec="minutes"),
        stay.exit.isoformat(timespec="minutes") if stay.exit else "",
        stay.organism,
        stay.sample_date.isoformat() if stay.sample_date else "",
    ]


@cache
def _read_names() -> dict[str, list[str]]:
    file = resources.files(__package__) / "names.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))

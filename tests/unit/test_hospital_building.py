"""Wards, seasons, the dead, and addresses: the small parts of which the hospital is built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wardbook.activity.stays import read_beds
from wardbook.errors import Refusal
from wardbook.hospital.building import seasons
from wardbook.hospital.building.people import draw_batch
from wardbook.hospital.building.postgresql import Place
from wardbook.hospital.building.wards import CODES, WARDS, choose_wards, count_beds, write_beds
from wardbook.hospital.building.writer import to_arrow


def wards_of(age: float, *, female: bool, before: int = -1, epidemic: float = 0.0) -> set[str]:
    many = np.ones(4000)
    chosen = choose_wards(
        np.random.default_rng(1),
        age=age * many,
        female=np.full(4000, female),
        winter=0 * many,
        epidemic=epidemic * many,
        before=np.full(4000, before),
    )
    return set(CODES[chosen])


def test_wards_take_the_patients_that_they_are_for() -> None:
    assert wards_of(5, female=True) == {"PEDI"}
    assert "MATE" in wards_of(30, female=True)
    assert not wards_of(30, female=False) & {"MATE", "PEDI", "GERI", "URGE", "SSRE"}
    assert "GERI" in wards_of(80, female=False)


def test_nobody_is_transferred_to_the_ward_he_comes_from_but_a_child() -> None:
    cardiology, paediatrics = (int(np.flatnonzero(c == CODES)[0]) for c in ("CARD", "PEDI"))
    assert "CARD" in wards_of(50, female=True)
    assert "CARD" not in wards_of(50, female=True, before=cardiology)
    assert wards_of(5, female=True, before=paediatrics) == {"PEDI"}


def test_beds_grow_with_the_hospital_and_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "beds.csv"
    file.write_text(write_beds(20_000, "2024-01-01"), encoding="utf-8")
    assert dict(zip(*read_beds(file)[["ward", "beds"]].to_numpy().T, strict=True)) == {
        ward.code: count_beds(ward, 20_000) for ward in WARDS
    }
    for ward in WARDS:
        assert count_beds(ward, 1) == 1
        assert 0.85 < ward.present * 50 / count_beds(ward, 1_000_000) < 0.9


def test_time_passes_faster_in_the_epidemic() -> None:
    peak, calm = np.array([385.0]), np.array([190.0])
    assert seasons.later(peak, np.array([1.0])) - peak < seasons.later(calm, np.array([1.0])) - calm
    assert seasons.later(np.array([730.0]), np.array([1.0])) == np.inf
    assert seasons.epidemic(peak) == 1 and seasons.epidemic(calm) < 1e-9
    assert seasons.winter(np.array([14])) == 1


def test_a_day_is_moved_within_its_week() -> None:
    rng = np.random.default_rng(1)
    moved = seasons.move_in_week(rng, np.full(1000, 9), "outpatient")
    assert set(moved) <= set(range(7, 13)) and set(moved) >= set(range(7, 12))


def test_hours_that_the_clock_skips_or_repeats_are_left_alone() -> None:
    first = pd.Timestamp(2024, 1, 1)
    moments = pd.to_datetime(["2024-03-31 02:59", "2025-10-26 02:00", "2025-10-26 03:00"])
    minutes = ((moments - first).total_seconds() // 60).to_numpy().astype("int64")
    moved = first + pd.to_timedelta(seasons.skip_clock_changes(minutes), unit="min")
    assert moved.strftime("%H:%M").tolist() == ["03:59", "03:00", "03:00"]


def test_what_begins_after_a_death_is_left_out() -> None:
    batch = draw_batch(1, 0, 1, 500)
    dead = batch.persons[batch.persons["died"].notna()].iloc[0]
    alive = batch.persons[batch.persons["died"].isna()].iloc[0]
    hour = pd.Timedelta(hours=1)
    rows = pd.DataFrame(
        {
            "person_id": [dead["person_id"]] * 3 + [alive["person_id"]],
            "note_datetime": [dead["died"] - hour, dead["died"], dead["died"] + hour, dead["died"]],
            "note_text": ["before", "at it", "after", "of another"],
        }
    )
    kept = batch.leave_out_dead({"note": rows, "care_site": rows, "person": batch.persons})
    assert kept["note"]["note_text"].tolist() == ["before", "at it", "of another"]
    assert len(kept["care_site"]) == 4 and kept["person"] is batch.persons


def test_a_column_that_the_model_has_not_is_told() -> None:
    with pytest.raises(KeyError, match="note has no column note_txt"):
        to_arrow("note", pd.DataFrame({"note_txt": ["x"]}))


def test_an_address_is_parted_from_its_schema_and_never_shown() -> None:
    place = Place.parse("postgresql://ada:pa55word@db:5433/unit?schema=h%C3%B4p&sslmode=require")
    assert (place.schema, place.url) == (
        "hôp",
        "postgresql://ada:pa55word@db:5433/unit?sslmode=require",
    )
    assert "pa55word" not in repr(place)
    with pytest.raises(Refusal, match="schema"):
        Place.parse("postgresql://db/unit")


def test_a_part_can_be_imported_before_all_else() -> None:
    subprocess.run(
        [sys.executable, "-c", "import wardbook.hospital.parts.stays"],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

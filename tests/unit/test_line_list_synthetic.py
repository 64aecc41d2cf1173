"""The invented extract: its bytes, its canaries, and what must not be in it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from wardbook.hospital.stays import CANARIES, generate_stays, read_stays, select_stays
from wardbook.hospital.vocabulary import ORGANISMS, WARDS

pytestmark = pytest.mark.secure("*.csv")  # extracts, as on the secure side


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate_stays(tmp_path_factory.mktemp("stays") / "stays.csv", patients=600, seed=4)


def test_the_same_seed_gives_the_same_bytes(extract: Path, tmp_path: Path) -> None:
    again = generate_stays(tmp_path / "again.csv", patients=600, seed=4)
    other = generate_stays(tmp_path / "other.csv", patients=600, seed=5)
    assert again.read_bytes() == extract.read_bytes() != other.read_bytes()


def test_only_the_owner_may_read_it(extract: Path) -> None:
    assert extract.stat().st_mode & 0o777 == 0o600


def test_every_ward_has_a_canary_on_every_day(extract: Path) -> None:
    stays = read_stays(extract)
    for ward in WARDS:
        for day in (date(2020, 10, 1), date(2021, 1, 28)):
            chosen = select_stays(stays, ward=ward, start=day, end=day, file="f")
            assert chosen["name"].isin(CANARIES).sum() == 1
    assert set(stays.loc[stays["name"].isin(CANARIES), "name"]) == set(CANARIES)


def test_patients_move_and_some_are_still_there(extract: Path) -> None:
    stays = read_stays(extract)
    wards = stays.groupby("ipp")["ward"].nunique()
    assert set(wards) == {1, 2, 3}
    assert 0 < stays["exit"].isna().sum() < len(stays) / 2
    assert set(stays["organism"].dropna()) == set(ORGANISMS)
    before = stays.sort_values("entry").groupby("ipp")["exit"].shift()
    assert (before.dropna() <= stays.loc[before.dropna().index, "entry"]).all()


def test_there_is_no_social_security_number(extract: Path) -> None:
    text = re.sub(r"[ .-]", "", extract.read_text(encoding="utf-8"))
    assert re.search(r"(?<!\d)[1-478]\d{4}[\dAB]\d{7}(\d\d)?(?!\d)", text) is None


def test_samples_are_taken_during_the_stay(extract: Path) -> None:
    sampled = read_stays(extract).dropna(subset="sample_date")
    assert (sampled["sample_date"] >= sampled["entry"].dt.normalize()).all()
    left = sampled.dropna(subset="exit")
    assert (left["sample_date"] <= left["exit"]).all()

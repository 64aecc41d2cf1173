"""The public emergency visits: the departments add up to the published national sheet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wardbook.activity import emergency

DEPARTMENTS, FRANCE = (f"sursaud_oscour_{place}_2020-04-21.csv" for place in ("dep", "fra"))
COLUMNS = ["arrivals", "corona", "corona_admitted"]


@pytest.mark.shared_data
def test_the_departments_add_up_to_the_country_on_every_day(shared: Path) -> None:
    folder = shared / "data/ward_flow"
    summed = emergency.read_sheet(folder / DEPARTMENTS).groupby("date")[COLUMNS].sum()
    published = emergency.read_sheet(folder / FRANCE).set_index("date")[COLUMNS].fillna(0)
    assert len(published) == 57
    pd.testing.assert_frame_equal(summed, published, check_freq=False)


@pytest.mark.shared_data
def test_adding_the_ages_to_all_ages_would_count_twice(shared: Path) -> None:
    """The control: what the sheet's sum would be without the choice of class 0."""
    raw = pd.read_csv(shared / "data/ward_flow" / DEPARTMENTS, sep=";", dtype={"dep": str})
    everything = raw.groupby("date_de_passage")["nbre_pass_tot"].sum()
    daily = emergency.read_emergency(
        shared / "data/ward_flow" / DEPARTMENTS, pd.Timestamp("2026-01-01", tz="UTC")
    ).daily.set_index("date")["arrivals"]
    assert (everything.to_numpy() > 1.9 * daily.to_numpy()).all()

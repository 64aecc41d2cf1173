"""The hospital's tests and lineages: what is drawn holds together and repeats itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wardbook.hospital.building.people import draw_batch
from wardbook.hospital.parts import sars_cov_2
from wardbook.omop.vocabulary import POSITIVE, SARS_COV_2_LINEAGE, SARS_COV_2_PCR


@pytest.fixture(scope="module")
def drawn() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return tests, lineages and persons."""
    batch = draw_batch(4, 0, 1, 12_000)
    measured = sars_cov_2.draw(batch)["measurement"]
    is_test = measured["measurement_concept_id"] == SARS_COV_2_PCR.id
    lineages = measured[measured["measurement_concept_id"] == SARS_COV_2_LINEAGE.id]
    return measured[is_test], lineages, batch.persons


def test_a_lineage_points_to_a_positive_test_that_was_taken_before(
    drawn: tuple[pd.DataFrame, ...],
) -> None:
    tests, lineages, _ = drawn
    taken = tests.set_index("measurement_id").loc[lineages["measurement_event_id"]]
    assert (taken["value_as_concept_id"] == POSITIVE.id).all()
    assert (taken["person_id"].to_numpy() == lineages["person_id"].to_numpy()).all()
    waited = lineages["measurement_datetime"].to_numpy() - taken["measurement_datetime"].to_numpy()
    assert waited.min() >= pd.Timedelta(days=4)
    assert "None" in set(lineages["value_source_value"])
    assert lineages["value_source_value"].isna().any()
    first = {one.name: pd.Timestamp(one.emerged) for one in sars_cov_2.LINEAGES}
    known = lineages["value_source_value"].isin(set(first)).to_numpy()
    begun = lineages["value_source_value"][known].map(first).to_numpy()
    assert (taken["measurement_datetime"].to_numpy()[known] >= begun).all()


def test_nobody_is_tested_after_death(drawn: tuple[pd.DataFrame, ...]) -> None:
    tests, _, persons = drawn
    died = tests["person_id"].map(persons.set_index("person_id")["died"])
    assert died.notna().any(), "some died after a test"
    assert not (tests["measurement_datetime"] > died).any()


def test_shares_add_up_and_the_ratio_of_two_lineages_is_a_line() -> None:
    day = np.arange(0, 731)
    shares = sars_cov_2.find_shares(day)
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(day)))
    names = [one.name for one in sars_cov_2.LINEAGES]
    newest, before = shares[620:, names.index("BA.3.2")], shares[620:, names.index("XFG")]
    steps = np.diff(np.log(newest / before))
    assert steps == pytest.approx(np.full(len(steps), 0.07))


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    one, same, other = (
        sars_cov_2.draw(draw_batch(seed, 0, 1, 500))["measurement"] for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)

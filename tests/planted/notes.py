"""What is planted in notes: how many visits have one, and in what sense diseases are mentioned."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
from scipy import stats

from tests.planted.stays import share
from tests.planted_effects import Estimate

PARTS = ("notes",)
PATIENTS = 5_000
NOTED = """
SELECT DISTINCT visit_occurrence_id, note_id IS NOT NULL AS noted
FROM visit_detail LEFT JOIN note USING (visit_occurrence_id)
WHERE visit_detail_source_value <> 'URGE'
"""


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    truth = json.loads((database.parent / "truth.json").read_text())["notes"]
    with duckdb.connect(str(database), read_only=True) as connection:
        noted = connection.execute(NOTED).df()["noted"].to_numpy()
        labels = connection.read_parquet(str(database.parent / "truth-notes.parquet")).df()
    mentions = labels.groupby("note_id").size()
    low, high = stats.t.interval(0.95, len(mentions) - 1, mentions.mean(), stats.sem(mentions))
    said = labels["qualifier"].to_numpy()
    senses = truth["qualifiers"]
    return [
        share("visits with a note", truth["noted"], noted),
        Estimate("mentions of a note", truth["mentions_mean"], low, high),
        *(
            share(f"mentions {name}", planted, np.equal(said, name))
            for name, planted in senses.items()
        ),
    ]

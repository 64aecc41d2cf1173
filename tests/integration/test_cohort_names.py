"""A patient's name in what a run would publish is found by the list of the data that it read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.house import House
from pipelines.leaving import check_leaving
from tests.integration.test_story import open_scene, spf_folder
from wardbook.domain.output import Verdict
from wardbook.domain.states import State

__all__ = ["spf_folder"]

pytestmark = [
    pytest.mark.xdist_group("cohort_names"),
    pytest.mark.secure("stays*.csv"),
    pytest.mark.usefixtures("lasting_server"),
]

SOURCE = """
[sources.stays]
kind = "hospital-stays"
label = { fr = "Séjours", en = "Stays" }
"""
# Whoever was born later is no canary.
CODE = """import pandas as pd
import wardbook as wb
stays = pd.read_csv(wb.source("stays"), sep=";", dtype=str)
stays = stays[(stays.birth_date > "1904") & (stays.name.str.len() > 6)]
one = stays.iloc[0]
wb.say("answer")
wb.table("counts", pd.DataFrame({"n": [one["first_name"] + " " + one["name"]]}))"""


def test_a_name_is_held_and_is_not_found_where_no_column_is_named(
    tmp_path: Path, spf_folder: Path
) -> None:
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    with open_scene(tmp_path, spf_folder, ledger, code=CODE, more=SOURCE) as scene:
        key = scene.file()
        scene.tick()
        record = scene.record(key)
        assert record.state is State.HELD
        held = {one.reason: one.verdict for one in record.work.checks if one.rule == "identifiers"}
        assert held == {"identifier.name": Verdict.HOLD}

        settings = scene.house.settings
        stays = settings.sources["stays"]
        assert stays.names is not None
        without = {"stays": stays.model_copy(update={"names": None})}
        sources = {**settings.sources, **without}
        with House(settings.model_copy(update={"sources": sources})) as other:
            found = check_leaving(other, record)
        assert not [one for one in found if one.rule == "identifiers"]

        with stays.path.open("a", encoding="utf-8") as more:
            more.write("\n")
        found = check_leaving(scene.house, record)
        held = {one.reason: one.verdict for one in found if one.rule == "identifiers"}
        assert held == {"identifier.names_unread": Verdict.HOLD}

"""A table of patients with a small group leaves cut, and what left is remembered."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.world import REVIEWER
from tests.integration.test_story import Scene, open_scene, spf_folder
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import Verdict
from wardbook.domain.record import Record
from wardbook.domain.run import RunResult
from wardbook.domain.states import State

__all__ = ["spf_folder"]

pytestmark = [pytest.mark.xdist_group("story"), pytest.mark.secure("stays*.csv")]

WARDS = """
[outputs.wards]
kind = "table"
title = { fr = "Services", en = "Wards" }
sensitivity = "public"
channel = "site"
dimensions = ["ward", "sex"]
total = { ward = "all", sex = "all" }
count = "n"
population = "stays"
[outputs.wards.columns]
ward = { fr = "Service", en = "Ward" }
sex = { fr = "Sexe", en = "Sex" }
n = { fr = "Patients", en = "Patients" }
[sources.stays]
kind = "hospital-stays"
label = { fr = "Séjours", en = "Stays" }
"""
COUNTS = {
    ("A", "F"): 40,
    ("A", "M"): 4,
    ("B", "F"): 30,
    ("B", "M"): 50,
    ("C", "F"): 20,
    ("C", "M"): 60,
}
CODE = f"""import pandas as pd
import wardbook as wb
counts = {COUNTS!r}
rows = [(w, s, n) for (w, s), n in counts.items()]
frame = pd.DataFrame(rows, columns=["ward", "sex", "n"])
by_ward = frame.groupby("ward", as_index=False).n.sum().assign(sex="all")
by_sex = frame.groupby("sex", as_index=False).n.sum().assign(ward="all")
both = pd.DataFrame([("all", "all", frame.n.sum())], columns=["ward", "sex", "n"])
wb.say("answer")
wb.table("counts", pd.DataFrame({{"n": [12]}}))
wb.table("wards", pd.concat([frame, by_ward, by_sex, both])[["ward", "sex", "n"]])"""


@pytest.fixture
def scene(tmp_path: Path, spf_folder: Path, ledger_url: str) -> Iterator[Scene]:
    with open_scene(tmp_path, spf_folder, ledger_url, code=CODE, more=WARDS) as scene:
        yield scene


def shown(scene: Scene, record: Record) -> dict[tuple[str, str], str]:
    folder = scene.house.run_folder(str(record.work.run))
    result = RunResult.read(folder)
    assert result is not None
    where, outputs = read_leaving(folder, result.outputs)
    (wards,) = (output for output in outputs if output.name == "wards")
    with (where / wards.file).open(newline="") as lines:
        return {(row["ward"], row["sex"]): row["n"] for row in csv.DictReader(lines)}


def verdicts(record: Record) -> dict[str, Any]:
    return {check.reason: check.verdict for check in record.work.checks if check.output == "wards"}


def test_a_small_group_and_what_would_tell_on_it_are_not_shown(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    record = scene.record(key)
    assert record.state is State.HELD
    assert verdicts(record)["cut"] is Verdict.PASS
    leaving = shown(scene, record)
    hidden = {place for place, n in leaving.items() if not n}
    assert ("A", "M") in hidden
    assert len(hidden) >= 4, "else its row or its column would tell"
    assert leaving["all", "all"] == str(sum(COUNTS.values()))
    assert len(leaving) == 12, "the rows stay, without their figures"


def test_what_was_approved_is_what_the_site_shows_and_the_register_knows(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    held = scene.record(key)
    request = scene.gitlab(REVIEWER).mergerequests.get(held.links.merge_request)
    request.approve(sha=request.sha)
    scene.tick()
    record = scene.record(key)
    assert record.state is State.ANSWERED
    (table,) = scene.house.settings.site.folder.glob("reports/*/*/tables/wards.csv")
    with table.open(newline="") as lines:
        published = {(row["ward"], row["sex"]): row["n"] for row in csv.DictReader(lines)}
    assert published == shown(scene, record)
    from wardbook.disclosure.register import Scope

    (release,) = scene.house.ledger.neighbours(Scope("stays", "n"))
    registered = dict(zip(release.places, release.shown, strict=True))
    assert {place for place, n in registered.items() if n is None} == {
        place for place, n in published.items() if not n
    }

"""Secrets in every corner of notebooks: none reaches a commit. The long form has 500 of them:

python -m tests.planted_notebooks --notebooks 500 --seed 1
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.planted_notebooks.measuring import Result, measure
from tests.planted_notebooks.passage import World
from tests.planted_notebooks.planting import draw_small, list_corners


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Result:
    cases = list(draw_small(Random(1), shared=4))
    return measure(World(tmp_path_factory.mktemp("ours")), cases)


def test_no_plant_of_any_corner_reaches_a_commit(ours: Result) -> None:
    assert ours.planted >= len(list_corners())
    assert [(case.way, case.corner, kind) for case, kind in ours.reached] == []
    assert [case.corner for case in ours.lost] == []
    assert [(case.corner, by) for case, by in ours.needless] == []
    ways = {way for way, _ in ours.fates}
    assert ways == {"analyst", "no hooks", "no filter", "plumbing"}


def test_a_refusal_says_file_kind_and_what_to_do_and_never_the_value(ours: Result) -> None:
    for number, told in ours.said.items():
        assert f"n{number:04}" in told or "commit" in told or "tag" in told, told
    said = "\n".join(ours.said.values())
    assert "(cell 6): telephone number; take it out" in said
    assert "Open it in Jupyter and save it again" in said


def test_plain_git_lets_all_of_them_through(tmp_path: Path) -> None:
    cases = list(draw_small(Random(1), shared=4))
    plain = measure(World(tmp_path, guarded=False), cases)
    assert len(plain.reached) == plain.planted

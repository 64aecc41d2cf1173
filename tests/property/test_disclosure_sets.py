"""Drawn sets of tables, released and attacked by other means; the large form is a command.

`python -m tests.disclosure_sets` draws 500 unsafe and 500 safe ones.
"""

from __future__ import annotations

import pytest

from tests.disclosure_sets import release_all, release_plainly
from tests.disclosure_tables import KINDS, draw_set, find_unsafe, has_secret
from tests.plain_attack import recover

SEEDS = range(1000, 1006)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_recovered_of_unsafe_tables(kind: str, seed: int) -> None:
    one = draw_set(kind, seed, safe=False)
    assert has_secret(one)
    hidden = release_all(one)
    assert recover(one, hidden) == set()
    for drawn, cells in zip(one.tables, hidden, strict=True):
        assert cells is None or cells >= find_unsafe(drawn.table, one.reader)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_safe_tables_are_left_alone(kind: str, seed: int) -> None:
    one = draw_set(kind, seed, safe=True)
    assert not has_secret(one)
    assert not any(cells is None or cells for cells in release_all(one))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "primary"])
def test_the_attack_of_the_tests_recovers_what_is_suppressed_plainly(kind: str) -> None:
    sets = [draw_set(kind, seed, safe=False) for seed in SEEDS]
    assert any(recover(one, release_plainly(one)) for one in sets)

"""The parts of a run's key: each that differs is named, and alone makes another run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.rerun import CURES, can_be_cured, is_bound_to_recur
from wardbook.domain.made_from import (
    Change,
    MadeFrom,
    Part,
    SourceVersion,
    digest_parameters,
    find_changes,
    run_key,
)
from wardbook.domain.run import FailureKind

SPF = SourceVersion("spf", "/data/spf.csv", 100, 1_700_000_000_000_000_000, 7, "a" * 64)
MADE = MadeFrom(
    commit="1" * 40,
    template="hospital_epidemic",
    template_version="1",
    template_digest="d" * 64,
    parameters=digest_parameters(b'{"start": "2020-09-01", "end": "2020-12-01"}'),
    sources={"hospital": SPF},
    environment="e" * 64,
)
OTHER = {
    "commit": (replace(MADE, commit="2" * 40), Change(Part.COMMIT, "", "1" * 40, "2" * 40)),
    "template": (
        replace(MADE, template_digest="c" * 64, template_version="2"),
        Change(Part.TEMPLATE, "hospital_epidemic", f"1 ({'d' * 12})", f"2 ({'c' * 12})"),
    ),
    "source": (
        replace(MADE, sources={"hospital": replace(SPF, sha256="b" * 64, mtime_ns=5)}),
        Change(Part.SOURCE, "spf", "a" * 64, "b" * 64, 5),
    ),
    "source gone": (replace(MADE, sources={}), Change(Part.SOURCE, "spf", "a" * 64, "")),
    "environment": (
        replace(MADE, environment="f" * 64),
        Change(Part.ENVIRONMENT, "", "e" * 64, "f" * 64),
    ),
}


def key_of(made: MadeFrom, period: str = "", forced: int = 0) -> str:
    return run_key("DATA-1", period, made, forced)


@pytest.mark.parametrize("name", OTHER)
def test_each_part_that_differs_is_named_and_makes_another_run(name: str) -> None:
    other, change = OTHER[name]
    assert find_changes(MADE, other) == (change,)
    assert key_of(other) != key_of(MADE)


def test_a_parameter_is_named_and_its_value_is_not_told() -> None:
    edited = digest_parameters(b'{"start": "2020-09-02", "end": "2020-12-01", "region": "11"}')
    other = replace(MADE, parameters=edited)
    changes = find_changes(MADE, other)
    assert [(change.part, change.name) for change in changes] == [
        (Part.PARAMETER, "region"),
        (Part.PARAMETER, "start"),
    ]
    assert key_of(other) != key_of(MADE)
    assert "2020" not in repr(changes)


def test_what_only_looks_different_is_the_same_run() -> None:
    moved = replace(SPF, path="/elsewhere/spf.csv", mtime_ns=9, inode=8)
    same = replace(
        MADE,
        sources={"hospital": moved},
        parameters=digest_parameters(b'{"end":"2020-12-01",  "start":"2020-09-01"}'),
    )
    assert find_changes(MADE, same) == ()
    assert key_of(same) == key_of(MADE)


def test_request_period_and_force_are_in_the_key() -> None:
    keys = {
        key_of(MADE),
        key_of(MADE, "2026-03"),
        key_of(MADE, forced=1),
        run_key("DATA-2", "", MADE, 0),
    }
    assert len(keys) == 4
    assert all(key.startswith("data-") for key in keys)


def test_parameters_that_cannot_be_read_have_a_digest_too() -> None:
    assert digest_parameters(b"{") == digest_parameters(b"{")
    assert digest_parameters(b"{") != digest_parameters(b"[")
    assert set(digest_parameters(b"[1]")) == {""}
    assert set(digest_parameters(None)) == {""}


def test_every_failure_says_what_cures_it() -> None:
    assert set(CURES) == set(FailureKind)
    for kind in FailureKind:
        assert can_be_cured(kind, [Change(Part.COMMIT)]), "a person mended the notebook"
        assert not can_be_cured(kind, [])


def test_new_data_cure_what_data_can_have_caused() -> None:
    new_data = [Change(Part.SOURCE, "spf", "a", "b")]
    cured = {kind for kind in FailureKind if can_be_cured(kind, new_data)}
    assert FailureKind.DATA_PROBLEM in cured
    assert FailureKind.CELL_ERROR in cured
    assert not cured & {
        FailureKind.CANCELLED,
        FailureKind.REQUEST_BROKEN,
        FailureKind.ENVIRONMENT_BROKEN,
    }


def test_a_new_package_does_not_mend_a_data_file() -> None:
    assert not can_be_cured(FailureKind.DATA_PROBLEM, [Change(Part.ENVIRONMENT)])
    assert can_be_cured(FailureKind.ENVIRONMENT_BROKEN, [Change(Part.ENVIRONMENT)])


def test_what_the_machine_had_a_share_in_may_go_well_the_next_time() -> None:
    luck = {kind for kind in FailureKind if not is_bound_to_recur(kind)}
    assert luck == {
        FailureKind.OUT_OF_MEMORY,
        FailureKind.OUT_OF_TIME,
        FailureKind.KERNEL_DIED,
        FailureKind.NODE_LOST,
        FailureKind.ENVIRONMENT_BROKEN,
        FailureKind.CANCELLED,
    }

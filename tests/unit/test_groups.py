"""Tests of one group run on one worker: else servers and clusters are started twice, at once."""

import pytest


@pytest.fixture(scope="module")
def shared() -> object:
    return object()


def test_tests_that_share_a_fixture_run_on_one_worker(
    request: pytest.FixtureRequest, shared: object
) -> None:
    # pytest-xdist tells the group in a test's name. Under pytest 9.2 it no longer could.
    if not hasattr(request.config, "workerinput"):
        pytest.skip("there is one worker only")
    assert request.node.nodeid.endswith("@test_groups")

"""A running sandbox with the small world, fresh for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.world import SEED
from wardbook.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Return a running sandbox."""
    made = Sandbox(tmp_path_factory.mktemp("sandbox"))
    made.seed(SEED)
    with made:
        yield made


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Return a running sandbox whose Jira is Cloud's."""
    made = Sandbox(tmp_path_factory.mktemp("cloud"), flavour="cloud")
    made.seed(SEED)
    with made:
        yield made

"""The demonstration's data and keys, made once for all worlds of a test process, then copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import wraps
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _worlds_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Lay what a new world would make into its folder, where it takes it for its own.

    That it would make the same by itself is shown by tests/integration/test_worlds.py.
    """
    from pipelines.demo.world import World

    make, made = World.make_data, []

    @wraps(make)
    def copy_and_make(world: World, given: Path | None) -> dict[str, Path]:
        if given is None and not (world.folder / "data").exists():
            if not made:
                made.append(World(tmp_path_factory.mktemp("made-once")))
                make(made[0], None)
                made[0].make_keys()
            shutil.copytree(made[0].folder, world.folder, dirs_exist_ok=True)
        return make(world, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "make_data", copy_and_make)
        yield

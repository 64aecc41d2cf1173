"""The demonstration's data and keys, made once for all worlds of a test process, then copied.

The epidemic of these worlds is short: what is to be seen of it shows in forty days too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import wraps
from pathlib import Path

import pytest

from wardbook.epidemic.generate import FLOW_FILE, STOCK_FILE, generate_files

DAYS = 40
OF_SPF = (STOCK_FILE, FLOW_FILE, "spf_coupe.csv")
"""What is made of files that are given, where some are."""


@pytest.fixture(scope="session", autouse=True)
def _worlds_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Lay what a new world would make into its folder, where it takes it for its own.

    That it would make the same by itself is shown by tests/integration/test_worlds.py.
    """
    from pipelines.demo.world import World

    make, made = World.make_data, []

    @wraps(make)
    def copy_and_make(world: World, given: Path | None) -> dict[str, Path]:
        if not (world.folder / "data").exists():
            if not made:
                made.append(World(tmp_path_factory.mktemp("made-once")))
                data = made[0].folder / "data"
                data.mkdir()
                generate_files(data, seed=2026, days=DAYS)
                make(made[0], None)
                made[0].make_keys()
            others = None if given is None else shutil.ignore_patterns(*OF_SPF)
            shutil.copytree(made[0].folder, world.folder, dirs_exist_ok=True, ignore=others)
        return make(world, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "make_data", copy_and_make)
        yield

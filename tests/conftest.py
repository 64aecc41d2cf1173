"""What all tests share: where the project and the shared data stand."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester", "tests.canary_watch"]
pytest.register_assert_rewrite("tests.desk")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    folder = root.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder 'shared' with the real data is not beside the project")
    return folder

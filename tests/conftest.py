"""What all tests share: where the project and the shared data stand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = [
    "pytester",
    "tests.canary_watch",
    "tests.hospitals",
    "tests.bench_world",
    "tests.bench_people",
    "tests.worlds",
]
pytest.register_assert_rewrite("tests.desk")
ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a module's fixture on one worker, and begin with the longest.

    A fixture is then made once, not twice; no worker has a long test left when all else is done.
    """
    folders = ["property", "acceptance", "integration", "contract", "unit"]
    items.sort(key=lambda item: folders.index(item.path.relative_to(ROOT / "tests").parts[0]))
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        fixtures = getattr(item, "_fixtureinfo").name2fixturedefs.values()  # noqa: B009
        if any(made.scope == "module" for defined in fixtures for made in defined):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a long value by its beginning and its length: workers tell each other these names."""
    if isinstance(val, bytes | str) and len(val) > 60:
        return f"{val[:30]!a}~{len(val)}"
    return None


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def executed_tutorials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the site's documentation keeps executed tutorials: once for all who build it."""
    return tmp_path_factory.mktemp("executed")


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    folder = root.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder 'shared' with the real data is not beside the project")
    return folder


@pytest.fixture(scope="session")
def _servers_end() -> Iterator[None]:
    yield
    from tests.lasting_server import close_all

    close_all()


@pytest.fixture
def lasting_server(_servers_end: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this test are forked from a server that other tests had, and leave to others."""
    from tests.lasting_server import LastingServer

    monkeypatch.setattr("wardbook.engines.warm_engine.ForkServer", LastingServer)

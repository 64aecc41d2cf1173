"""A real PostgreSQL and a real Slurm of the tests' own, started once, stopped by process id."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_cluster import TrialCluster, open_cluster, wait_for


def postgresql_programs() -> Path | None:
    """Return the folder of Debian's newest PostgreSQL server, or None."""
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return servers[-1].parent if servers else None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    programs = postgresql_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian package postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="wbpg", dir="/tmp"))
    as_owner: list[str] = []
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root; Debian's package brings this account.
        shutil.chown(folder, "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]
    run = lambda *command: subprocess.run(  # noqa: E731
        [*as_owner, *command], check=True, capture_output=True, cwd="/tmp"
    )
    run(programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "wardbook", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    log = folder / "log"
    run(programs / "pg_ctl", "-D", folder / "data", "-w", "-l", log, "-o", options, "start")
    try:
        yield f"postgresql://wardbook@/{{name}}?host={folder}"
    finally:
        run(programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    import psycopg

    admin = postgresql_server.format(name="postgres")
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    yield postgresql_server.format(name=name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[object]:
    """A unit of the test's own, its trackers served by this process; nothing is run."""
    from tests.desk import open_desk

    with open_desk(tmp_path) as desk:
        yield desk


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def story_ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty ledger on one of both databases, by the test's name.

    What a ledger promises is tried on both in its own tests; whole stories take long.
    """
    if postgresql_programs() and zlib.crc32(request.node.name.encode()) % 2:
        url: str = request.getfixturevalue("postgresql_url")
        return url
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(scope="session")
def running_cluster() -> Iterator[TrialCluster]:
    with open_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(running_cluster: TrialCluster) -> Iterator[TrialCluster]:
    """A cluster with every node up; after the test, no job of it is left."""
    running_cluster.start()
    yield running_cluster
    wait_for(lambda: running_cluster.jobs() == [] and running_cluster.find_jobs() == {})

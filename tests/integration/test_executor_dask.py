"""The Dask executor, with a cluster of its own and with a scheduler elsewhere."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from trial_runs import make_run, wait_until

from pipelines.executors.dask_executor import DaskExecutor
from pipelines.executors.interface import Executor, RunState
from wardbook.domain.run import FailureKind, RunResult

COUNT = "import os; open(os.environ['WARDBOOK_RUN'] + '/count', 'a').write('x')"


def hold(folder: Path) -> str:
    """Return a cell that notes its start and goes on when `folder/go` is there."""
    return f"""
import pathlib, time
pathlib.Path({str(folder / "started")!r}).touch()
while not pathlib.Path({str(folder / "go")!r}).exists():
    time.sleep(0.02)
"""


def state(executor: Executor, folder: Path) -> RunState:
    return executor.status([folder])[folder]


def wait_for_end(executor: Executor, *folders: Path) -> None:
    while set(executor.status(folders).values()) != {RunState.ENDED}:
        assert executor.wait(60)


@pytest.fixture
def executor() -> Iterator[Executor]:
    executor = DaskExecutor(workers=1)
    yield executor
    executor.close()


def test_a_run_goes_through_its_states(executor: Executor, tmp_path: Path) -> None:
    first = make_run(tmp_path, "first", hold(tmp_path))
    second = make_run(tmp_path, "second", "1")
    assert state(executor, first) is RunState.UNKNOWN
    assert executor.submit(first) == "first"
    wait_until((tmp_path / "started").exists)
    executor.submit(second)
    states = executor.status([first, second])
    assert states == {first: RunState.RUNNING, second: RunState.QUEUED}
    assert executor.wait(0.1) is False
    (tmp_path / "go").touch()
    assert executor.wait(60) is True
    assert state(executor, first) is RunState.ENDED
    wait_for_end(executor, second)


def test_a_run_that_is_submitted_again_runs_once(executor: Executor, tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", hold(tmp_path), COUNT)
    assert executor.submit(folder) == executor.submit(folder)
    wait_until((tmp_path / "started").exists)
    executor.submit(folder)
    (tmp_path / "go").touch()
    wait_for_end(executor, folder)
    executor.submit(folder)
    assert state(executor, folder) is RunState.ENDED
    assert (folder / "count").read_text() == "x"


def test_a_run_that_another_process_executes_is_not_submitted(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", hold(tmp_path), COUNT)
    first, second = DaskExecutor(workers=1), DaskExecutor(workers=1)
    first.submit(folder)
    wait_until((tmp_path / "started").exists)
    second.submit(folder)
    assert state(second, folder) is RunState.RUNNING
    (tmp_path / "go").touch()
    wait_for_end(first, folder)
    first.close()
    second.close()
    assert (folder / "count").read_text() == "x"


def test_cancelled_runs_end_by_name(executor: Executor, tmp_path: Path) -> None:
    running = make_run(tmp_path, "running", hold(tmp_path))
    queued = make_run(tmp_path, "queued", COUNT)
    executor.submit(running)
    wait_until((tmp_path / "started").exists)
    executor.submit(queued)
    for folder in (queued, running, running):
        executor.cancel(folder)
    wait_for_end(executor, running, queued)
    results = [RunResult.read(folder) for folder in (running, queued)]
    failures = [result.failure for result in results if result is not None]
    assert [f.kind for f in failures if f is not None] == [FailureKind.CANCELLED] * 2
    assert not (queued / "count").exists()


def test_closing_cuts_runs_off_and_the_next_executor_starts_them_afresh(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    running = make_run(tmp_path, "running", hold(tmp_path))
    queued = make_run(tmp_path, "queued", "1")
    executor = DaskExecutor(workers=1)
    executor.submit(running)
    wait_until((tmp_path / "started").exists)
    executor.submit(queued)
    executor.close()
    executor.close()
    wait_until(lambda: state(executor, running) is not RunState.RUNNING)
    following = DaskExecutor(workers=2)
    try:
        unknown = {running: RunState.UNKNOWN, queued: RunState.UNKNOWN}
        assert following.status([running, queued]) == unknown
        (tmp_path / "go").touch()
        following.submit(running)
        following.submit(queued)
        wait_for_end(following, running, queued)
    finally:
        following.close()
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
    assert capfd.readouterr().err == ""


def open_to_others() -> list[str]:
    """Return the addresses other than loopback on which this process listens."""
    listening = (c for c in psutil.Process().net_connections("inet") if c.status == "LISTEN")
    return [c.laddr.ip for c in listening if c.laddr.ip not in {"127.0.0.1", "::1"}]


def test_nothing_listens_beyond_this_machine(executor: Executor, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", "1")
    executor.submit(run)
    wait_for_end(executor, run)
    assert open_to_others() == []


def test_a_cluster_left_to_its_defaults_would_listen_to_others() -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, processes=False, protocol="inproc://", dashboard_address=None):
        assert open_to_others()


def test_an_executor_with_nothing_to_do_never_loads_dask(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from pipelines.executors.dask_executor import DaskExecutor\n"
        "executor = DaskExecutor(2)\n"
        "executor.status([Path(sys.argv[1])]); executor.cancel(Path(sys.argv[1]))\n"
        "executor.close()\n"
        "print([m for m in ('dask', 'distributed', 'papermill') if m in sys.modules])"
    )
    folder = make_run(tmp_path, "run", "1")
    command = [sys.executable, "-c", code, str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_runs_at_a_scheduler_elsewhere_outlive_the_executor(tmp_path: Path) -> None:
    from distributed import LocalCluster

    folder = make_run(tmp_path, "run", hold(tmp_path), COUNT)
    failing = make_run(tmp_path, "failing", "1 / 0")
    with LocalCluster(
        n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        first = DaskExecutor(1, cluster.scheduler_address)
        first.submit(folder)
        wait_until((tmp_path / "started").exists)
        first.close()
        second = DaskExecutor(1, cluster.scheduler_address)
        second.submit(folder)
        second.submit(failing)
        assert state(second, folder) is RunState.RUNNING
        (tmp_path / "go").touch()
        wait_until(lambda: state(second, folder) is RunState.ENDED)
        wait_for_end(second, failing)
        second.close()
    assert (folder / "count").read_text() == "x"

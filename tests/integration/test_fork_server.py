"""The fork server: clean children, no growth, like new after a change, gone with its parent."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from trial_runs import is_alive, make_run, make_template, wait_until

from wardbook.domain.run import FailureKind
from wardbook.engines.warm_engine import COMMON, WarmEngine
from wardbook.notebook.session import RUN_VARIABLE

RUNS = 500 if os.environ.get("WARDBOOK_CRASH") == "long" else 60
"""`make crash` asks for the long form."""

WAITING = ("keeper", "worker")
"""The processes that are forked ahead of an order."""


@pytest.fixture
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine(())) as engine:
        yield engine


def find_server(engine: WarmEngine) -> psutil.Process:
    """Return the engine's fork server; other engines of this process may have theirs."""
    process = engine._server._process
    assert process is not None
    return psutil.Process(process.pid)


def find_waiting(engine: WarmEngine, under_way: int = 0) -> list[psutil.Process]:
    """Return the keeper and the worker that wait, when so many runs are under way."""
    found: list[psutil.Process] = []

    def are_there() -> bool:
        keepers = sorted(
            find_server(engine).children(), key=lambda one: (one.create_time(), one.pid)
        )
        if len(keepers) != under_way + 1:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            found[:] = [keepers[-1], *keepers[-1].children()]
        return len(found) == len(WAITING)

    wait_until(are_there)
    return found


def _descendants(engine: WarmEngine) -> list[psutil.Process]:
    return find_server(engine).children(recursive=True)


def _holds(process: psutil.Process, run: Path) -> bool:
    """Tell whether a process has a file of a run's folder open."""
    handles = Path(f"/proc/{process.pid}/fd").iterdir()
    return any(str(handle.readlink()).startswith(str(run)) for handle in handles)


def printed(folder: Path) -> str:
    """Return what the last cell of an executed run printed."""
    notebook = json.loads((folder / "executed.ipynb").read_text())
    return "".join("".join(o.get("text", "")) for o in notebook["cells"][-1]["outputs"])


def test_runs_do_not_see_each_other_s_names_and_modules(tmp_path: Path, engine: WarmEngine) -> None:
    mark = "import builtins, os, sys, json; builtins.left = json.left = sys.left = left = 1"
    mark += "; os.environ['LEFT'] = '1'; sys.path.append('/left'); os.umask(0)"
    look = """
    import builtins, os, sys, json, threading
    names = [hasattr(module, "left") for module in (builtins, json, sys)]
    print(names, "left" in dir(), "LEFT" in os.environ, "/left" in sys.path, oct(os.umask(0o77)))
    """
    assert engine.execute(make_run(tmp_path, "first", mark)).failure is None
    second = make_run(tmp_path, "second", look)
    assert engine.execute(second).failure is None
    assert printed(second) == "[False, False, False] False False False 0o77\n"


def test_chance_is_each_run_s_own(tmp_path: Path) -> None:
    draw = "import random, numpy\nprint(random.random(), numpy.random.random(), end='')"
    with closing(WarmEngine(("numpy",))) as engine:
        folders = [make_run(tmp_path, f"run{n}", draw) for n in range(4)]
        assert all(engine.execute(folder).failure is None for folder in folders)
    drawn = [printed(folder).split() for folder in folders]
    assert len({first for first, _ in drawn}) == 4
    assert len({second for _, second in drawn}) == 4


def test_the_server_has_one_thread_and_no_strange_connection_when_it_forks(tmp_path: Path) -> None:
    with closing(WarmEngine(COMMON)) as engine:
        assert engine.execute(make_run(tmp_path, "run", "1")).failure is None
        server = find_server(engine)
        find_waiting(engine)  # else the connection to the next keeper may not be there yet
        assert server.num_threads() == 1
        handles = Path(f"/proc/{server.pid}/fd").iterdir()
        links = [str(handle.readlink()) for handle in handles]
    # To whoever orders, and to the keeper that waits.
    assert len([link for link in links if link.startswith("socket:")]) == 2
    assert [link for link in links if "event" in link] == []


def test_the_server_does_not_grow(tmp_path: Path) -> None:
    """Runs by the hundred, two at a time: some fail, some leave processes, some are cut off."""
    kinds = [
        "1",
        "import pandas as pd; pd.DataFrame({'a': [1]})",
        "raise ValueError",
        "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)",
        "import os; os._exit(1)",
    ]
    make_template(tmp_path)  # before two threads would
    with closing(WarmEngine(("pandas",))) as engine, ThreadPoolExecutor(2) as pool:

        def run(number: int) -> None:
            engine.execute(make_run(tmp_path, f"run{number}", kinds[number % len(kinds)]))

        list(pool.map(run, range(20)))
        server, me = find_server(engine), psutil.Process()
        before = (server.memory_info().rss, server.num_fds(), me.num_fds(), me.num_threads())
        list(pool.map(run, range(20, 20 + RUNS)))
        assert find_server(engine).pid == server.pid
        after = (server.memory_info().rss, server.num_fds(), me.num_fds(), me.num_threads())
        wait_until(lambda: len(server.children(recursive=True)) == len(WAITING))
        assert after[1:] == before[1:]
        assert after[0] - before[0] < 1 << 20
        wait_until(lambda: not left_by_runs(tmp_path))


def left_by_runs(folder: Path) -> list[int]:
    """Return the processes that runs below a folder started: they know which run is theirs."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(RUN_VARIABLE, "").startswith(str(folder)):
                found.append(process.pid)
    return found


def test_a_run_that_keeps_handles_is_seen_by_the_same_measure(tmp_path: Path) -> None:
    """The measure of the test above notices what it is there for."""
    me = psutil.Process()
    before = me.num_fds()
    kept = [(tmp_path / f"kept{n}").open("w") for n in range(3)]
    assert me.num_fds() == before + 3
    environment = os.environ | {RUN_VARIABLE: str(tmp_path / "run")}
    with subprocess.Popen(["sleep", "60"], env=environment) as left:
        wait_until(lambda: left_by_runs(tmp_path) == [left.pid])
        left.kill()
    assert left_by_runs(tmp_path) == []
    for one in kept:
        one.close()


def test_a_changed_module_is_loaded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "method.py").write_text("VERSION = 1\n")
    monkeypatch.setenv("PYTHONPATH", f"{library}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.syspath_prepend(str(library))
    tell = "import method; print(method.VERSION)"
    with closing(WarmEngine(("method",))) as engine:
        first, again = make_run(tmp_path, "first", tell), make_run(tmp_path, "again", tell)
        assert engine.execute(first).failure is None
        server = find_server(engine)
        assert engine.execute(again).failure is None
        assert find_server(engine).pid == server.pid
        (library / "method.py").write_text("VERSION = 22\n")
        wait_until(lambda: _is_another(engine, tmp_path, server.pid))
        changed = make_run(tmp_path, "changed", tell)
        assert engine.execute(changed).failure is None
    assert [printed(run) for run in (first, again, changed)] == ["1\n", "1\n", "22\n"]


def _is_another(engine: WarmEngine, tmp_path: Path, server: int) -> bool:
    """Tell whether the next run has another server, which looks at its files once a second."""
    engine.execute(make_run(tmp_path, f"look{time.monotonic_ns()}", "1"))
    return find_server(engine).pid != server


def test_a_killed_server_is_replaced(tmp_path: Path, engine: WarmEngine) -> None:
    assert engine.execute(make_run(tmp_path, "first", "1")).failure is None
    server = find_server(engine)
    server.kill()
    server.wait()
    assert engine.execute(make_run(tmp_path, "second", "1")).failure is None


@pytest.mark.parametrize("which", WAITING)
def test_a_killed_process_that_waited_is_replaced(
    which: str, tmp_path: Path, engine: WarmEngine
) -> None:
    count = f"open({str(tmp_path / 'count')!r}, 'a').write('x')"
    assert engine.execute(make_run(tmp_path, "first", "1")).failure is None
    waiting = find_waiting(engine)[WAITING.index(which)]
    waiting.kill()
    wait_until(lambda: not is_alive(waiting.pid))
    assert engine.execute(make_run(tmp_path, "second", count)).failure is None
    assert (tmp_path / "count").read_text() == "x"


def test_what_waits_goes_with_the_server(tmp_path: Path, engine: WarmEngine) -> None:
    assert engine.execute(make_run(tmp_path, "first", "1")).failure is None
    waiting = find_waiting(engine)
    engine.close()
    assert [one for one in waiting if is_alive(one.pid)] == []


def test_what_waits_goes_with_a_killed_server(tmp_path: Path, engine: WarmEngine) -> None:
    assert engine.execute(make_run(tmp_path, "first", "1")).failure is None
    waiting = find_waiting(engine)
    find_server(engine).kill()
    wait_until(lambda: not any(is_alive(one.pid) for one in waiting))


def test_what_waits_holds_nothing_of_a_run(tmp_path: Path, engine: WarmEngine) -> None:
    """Else a run's lock would be held for as long as nobody orders another."""
    here, go = tmp_path / "here", tmp_path / "go"
    cell = f"import pathlib, time\npathlib.Path({str(here)!r}).touch()\n"
    cell += f"while not pathlib.Path({str(go)!r}).exists():\n    time.sleep(0.01)"
    run = make_run(tmp_path, "run", cell)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(engine.execute, run)
        wait_until(here.exists)
        worker = [one for one in _descendants(engine) if _holds(one, run)]
        assert len(worker) == 2, "the run's own processes hold its log: this measure sees it"
        waiting = find_waiting(engine, under_way=1)
        assert [one for one in waiting if _holds(one, run)] == []
        go.touch()
        assert ended.result().failure is None
    wait_until(lambda: not any(_holds(one, run) for one in _descendants(engine)))


def test_a_run_under_way_outlives_its_server(tmp_path: Path, engine: WarmEngine) -> None:
    here, go = tmp_path / "here", tmp_path / "go"
    cell = f"""
    import pathlib, time
    pathlib.Path({str(here)!r}).touch()
    while not pathlib.Path({str(go)!r}).exists():
        time.sleep(0.01)
    """
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(engine.execute, make_run(tmp_path, "run", cell))
        wait_until(here.exists)
        find_server(engine).kill()
        go.touch()
        assert ended.result().failure is None


def test_the_server_goes_with_a_killed_parent(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", "1")
    code = """
    import sys, psutil
    from pathlib import Path
    from wardbook.engines.warm_engine import WarmEngine
    engine = WarmEngine(())
    engine.execute(Path(sys.argv[1]))
    print(psutil.Process().children()[0].pid, flush=True)
    sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as parent:  # type: ignore[call-overload]
        server = int(parent.stdout.readline())
        assert is_alive(server)
        kept = Path(f"/proc/{server}/environ").read_bytes()
        assert kept
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: not is_alive(server))


def test_a_widget_is_handed_over_to_a_whole_kernel(tmp_path: Path, engine: WarmEngine) -> None:
    count = tmp_path / "count"
    folder = make_run(
        tmp_path,
        "run",
        f"open({str(count)!r}, 'a').write('x')",
        "from comm import create_comm\ncomm = create_comm(target_name='x')\nprint('opened')",
    )
    assert engine.execute(folder).failure is None
    assert printed(folder) == "opened\n"
    assert count.read_text() == "xx"  # once until it was known, once in the kernel


def test_what_was_shown_before_the_end_is_kept(tmp_path: Path, engine: WarmEngine) -> None:
    folder = make_run(
        tmp_path, "run", "'whole'", "print('half', flush=True)\nimport os; os.kill(os.getpid(), 9)"
    )
    failure = engine.execute(folder).failure
    assert failure is not None
    assert (failure.kind, failure.cell) == (FailureKind.KERNEL_DIED, 2)
    notebook = json.loads((folder / "executed.ipynb").read_text())
    assert notebook["cells"][1]["outputs"][0]["data"]["text/plain"] == ["'whole'"]
    assert printed(folder) == "half\n"

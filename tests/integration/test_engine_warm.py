"""The engine in both its modes: success, isolation, failures by name, nothing left behind."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from trial_runs import is_alive, make_run, wait_until

from wardbook.domain.run import Failure, FailureKind, RunResult
from wardbook.engines.claim import ask_to_cancel, is_claimed
from wardbook.engines.failures import describe_failure
from wardbook.engines.interface import Interrupted
from wardbook.engines.warm_engine import WarmEngine

CANARY = "Dupont-1957"


_shared = WarmEngine()


@pytest.fixture(scope="module", autouse=True)
def _close_the_shared_engine() -> Iterator[None]:
    yield
    _shared.close()


@pytest.fixture(params=["warm", "kernel"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def execute(folder: Path) -> RunResult:
    return _shared.execute(folder)


def fail(folder: Path) -> Failure:
    result = execute(folder)
    assert result.failure is not None
    assert result.outputs == ()
    return result.failure


def displays(folder: Path) -> list[dict[str, Any]]:
    notebook = json.loads((folder / "executed.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [o for cell in code for o in cell["outputs"] if o["output_type"] == "display_data"]


def test_text_table_and_figure_are_recorded_and_marked(mode: str, tmp_path: Path) -> None:
    folder = make_run(
        tmp_path,
        "run",
        "import wardbook as wb\nwb.say('hello', who='<b>', rate=2.26)",
        """
        import pandas as pd
        wb.table("counts", pd.DataFrame({"day": ["a", "b"], "n": [1, 2]}), show=1)
        """,
        """
        import matplotlib.pyplot as plt
        figure, axes = plt.subplots()
        axes.plot([1, 2])
        wb.figure("curve", figure, caption="Stays", alternative="It grows")
        """,
        engine=mode,
    )
    result = execute(folder)
    assert result.failure is None
    assert [output.file for output in result.outputs] == ["counts.csv", "curve.png"]
    assert RunResult.read(folder) == result
    text, table, figure = displays(folder)
    assert "".join(text["data"]["text/markdown"]) == "Bonjour **\\<b\\>** : 2\\.3"
    assert text["metadata"]["wardbook"] == {"publish": "text", "output": "hello", "rows": None}
    assert table["metadata"]["wardbook"] == {"publish": "table", "output": "counts", "rows": 1}
    assert figure["metadata"]["wardbook"] == {"publish": "figure", "output": "curve", "rows": None}
    assert not (folder / "scratch").exists()


def test_hostile_parameters_come_through_a_real_kernel(tmp_path: Path) -> None:
    hostile = "'''\"\"\"\n${HOME} $(id) {who} \\ %s \x00 </script> é \N{GRINNING FACE}"
    days = [date(2021, 1, 8)]
    folder = make_run(
        tmp_path,
        "run {with} braces",
        f"""
        import datetime, wardbook as wb
        given = wb.params()
        assert given.who == {hostile!r}
        assert given.days == [datetime.date(2021, 1, 8)]
        """,
        parameters={"who": hostile, "days": days},
    )
    assert execute(folder).failure is None


def test_the_parent_s_environment_is_not_passed_on(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", CANARY)
    monkeypatch.setenv("TZ", "Indian/Reunion")
    seen = tmp_path / "seen.json"
    folder = make_run(
        tmp_path,
        "run",
        f"""
        import json, os, pathlib, time
        told = dict(os.environ) | {{"zone": time.tzname[0]}}
        pathlib.Path({str(seen)!r}).write_text(json.dumps(told))
        """,
        engine=mode,
    )
    assert execute(folder).failure is None
    environment = json.loads(seen.read_text())
    assert CANARY not in seen.read_text()
    assert (environment["TZ"], environment["zone"]) == ("Indian/Reunion", "+04")
    assert environment["HOME"].startswith(str(folder))


def test_two_runs_at_once_do_not_see_each_other(tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    cell = f"""
        import json, os, pathlib, time
        me = os.environ["WARDBOOK_RUN"].rpartition("/")[2]
        meeting = pathlib.Path({str(meeting)!r})
        for place in (".", os.environ["HOME"], os.environ["TMPDIR"]):
            pathlib.Path(place, "mine-" + me).touch()
        (meeting / me).touch()
        while len(list(meeting.glob("run?"))) < 2:
            time.sleep(0.01)
        seen = [sorted(os.listdir(p)) for p in (".", os.environ["HOME"], os.environ["TMPDIR"])]
        seen = [name for names in seen for name in names if name.startswith("mine-")]
        (meeting / (me + ".json")).write_text(json.dumps([dict(os.environ), seen]))
    """
    folders = [make_run(tmp_path, name, cell) for name in ("run1", "run2")]
    engine = WarmEngine()
    with ThreadPoolExecutor(2) as pool:
        assert [result.failure for result in pool.map(engine.execute, folders)] == [None, None]
    for me, other in (("run1", "run2"), ("run2", "run1")):
        environment, seen = json.loads((meeting / f"{me}.json").read_text())
        assert set(seen) == {f"mine-{me}"}
        assert not [value for value in environment.values() if f"/{other}" in value]


def test_an_error_is_named_and_its_values_stay_on_the_secure_side(
    mode: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    folder = make_run(
        tmp_path,
        "run",
        "1",
        f"import os; os.system('echo {CANARY} >&2'); print({CANARY!r})",
        f"patient = {CANARY!r}\nraise ValueError(patient)",
        "never = 1",
        engine=mode,
    )
    failure = fail(folder)
    assert failure == Failure(FailureKind.CELL_ERROR, 3, 2, "ValueError")
    assert CANARY in (folder / "executed.ipynb").read_text()
    printed = capfd.readouterr()
    texts = [str(describe_failure(failure, language)) for language in ("fr", "en")]
    public = [(folder / "result.json").read_text(), caplog.text, printed.out, printed.err, *texts]
    assert [text for text in public if CANARY in text] == []


def test_what_the_kernel_prints_goes_to_the_run_s_log(
    mode: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = make_run(
        tmp_path, "run", f"import os; os.write(2, b'{CANARY}'); os._exit(3)", engine=mode
    )
    assert fail(folder) == Failure(FailureKind.KERNEL_DIED, 1)
    assert CANARY in (folder / "log.txt").read_text() + (folder / "executed.ipynb").read_text()
    assert CANARY not in "".join(capfd.readouterr())


def test_a_data_problem_leaves_as_code_and_places(mode: str, tmp_path: Path) -> None:
    folder = make_run(
        tmp_path,
        "run",
        """
        import numpy as np
        import wardbook as wb
        raise wb.DataProblem("number_missing", file="stays.csv", row=np.int64(3), column="n")
        """,
        engine=mode,
    )
    details = {"file": "stays.csv", "row": 3, "column": "n"}
    kind = FailureKind.DATA_PROBLEM
    assert fail(folder) == Failure(kind, 1, 3, "DataProblem", "number_missing", details)


@pytest.mark.parametrize("problem", ["'no_such_code'", "'number_missing', other=object()"])
def test_a_data_problem_without_a_message_is_a_failure_all_the_same(
    tmp_path: Path, problem: str
) -> None:
    folder = make_run(tmp_path, "run", f"import wardbook as wb\nraise wb.DataProblem({problem})")
    failure = fail(folder)
    assert (failure.kind, failure.cell, failure.line) == (FailureKind.DATA_PROBLEM, 1, 2)
    assert describe_failure(failure, "fr").cause


def test_a_caught_data_problem_is_no_failure(tmp_path: Path) -> None:
    folder = make_run(
        tmp_path,
        "run",
        """
        import wardbook as wb
        try:
            raise wb.DataProblem("number_missing")
        except wb.DataProblem:
            pass
        """,
    )
    assert execute(folder).failure is None


FILL_BLOCKS = (
    "import wardbook as wb\nwb.params\nheld = []\nwhile True:\n    held.append(b'x' * 2**20)"
)
FILL_SMALL = (
    "import wardbook as wb\nwb.params\nheld = []\nwhile True:\n    held.append(str(len(held)))"
)
FILL_AT_ONCE = "import numpy\nnumpy.ones(10**10)"
KILLED_WHEN_FULL = """
import os
held = bytearray(250 << 20)
held[::4096] = b"x" * len(held[::4096])
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("cell", [FILL_BLOCKS, FILL_SMALL, FILL_AT_ONCE, KILLED_WHEN_FULL])
def test_want_of_memory_is_named(mode: str, tmp_path: Path, cell: str) -> None:
    failure = fail(make_run(tmp_path, "run", "1", cell, memory_mb=300, engine=mode))
    assert (failure.kind, failure.cell) == (FailureKind.OUT_OF_MEMORY, 2)
    assert failure.details == {"memory_mb": 300}


def test_as_much_memory_as_the_limit_may_be_used(mode: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", "held = b'x' * (280 << 20)", memory_mb=300, engine=mode)
    assert execute(folder).failure is None


def test_a_kernel_killed_with_little_in_memory_died(mode: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", "1", "import os; os.kill(os.getpid(), 9)", engine=mode)
    assert fail(folder) == Failure(FailureKind.KERNEL_DIED, 2)


def test_a_run_over_its_time_is_stopped_with_everything_it_started(
    mode: str, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    folder = make_run(
        tmp_path, "run", "1", start_processes(pids), "never = 1", seconds=5.0, engine=mode
    )
    assert fail(folder) == Failure(FailureKind.OUT_OF_TIME, 2, details={"seconds": 5})
    check_all_gone(pids)


def test_nothing_is_left_after_success(mode: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    folder = make_run(tmp_path, "run", start_processes(pids, stay=False), engine=mode)
    assert execute(folder).failure is None
    check_all_gone(pids)


def test_an_unknown_kernel_is_a_broken_environment(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", "1", kernel="no-such-kernel")
    assert fail(folder).kind is FailureKind.ENVIRONMENT_BROKEN
    assert "no-such-kernel" in (folder / "log.txt").read_text()


def test_a_missing_papermill_is_a_broken_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "papermill.py").write_text("raise ImportError('not installed')")
    path = [str(tmp_path), *(entry for entry in sys.path if entry)]
    monkeypatch.setenv("PYTHONPATH", ":".join(path))
    folder = make_run(tmp_path, "run", "1")
    with closing(WarmEngine()) as engine:
        failure = engine.execute(folder).failure
    assert failure == Failure(FailureKind.ENVIRONMENT_BROKEN)
    assert "not installed" in (folder / "log.txt").read_text()


def test_leaving_early_is_not_success(mode: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", "import sys; sys.exit(0)", "never = 1", engine=mode)
    assert fail(folder).error_class == "SystemExit"


def test_an_output_changed_after_it_was_recorded_is_refused(tmp_path: Path) -> None:
    folder = make_run(
        tmp_path,
        "run",
        """
        import os, pathlib, pandas as pd, wardbook as wb
        wb.table("counts", pd.DataFrame({"day": ["a"], "n": [1]}))
        pathlib.Path(os.environ["WARDBOOK_RUN"], "outputs", "counts.csv").write_text("other")
        """,
    )
    assert fail(folder) == Failure(FailureKind.OUTPUT_BROKEN, details={"output": "counts"})


def test_a_run_is_executed_once(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", count_executions(tmp_path))
    engine = WarmEngine()
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(engine.execute, [folder] * 3))
    assert results == [execute(folder)] * 3
    assert (tmp_path / "count").read_text() == "x"


def test_a_cancelled_run_ends_by_name(mode: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    folder = make_run(tmp_path, "run", start_processes(pids), engine=mode)
    ended: list[RunResult] = []
    thread = threading.Thread(target=lambda: ended.append(execute(folder)))
    thread.start()
    wait_until(pids.exists)
    ask_to_cancel(folder)
    thread.join()
    assert ended[0].failure == Failure(FailureKind.CANCELLED, 1)
    check_all_gone(pids)


def test_a_run_cancelled_before_its_start_never_starts(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "run", count_executions(tmp_path))
    ask_to_cancel(folder)
    assert fail(folder).kind is FailureKind.CANCELLED
    assert not (tmp_path / "count").exists()


def test_closing_the_engine_cuts_a_run_off_without_a_result(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    folder = make_run(tmp_path, "run", start_processes(pids))
    engine = WarmEngine()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(engine.execute, folder)
        wait_until(pids.exists)
        engine.close()
        with pytest.raises(Interrupted):
            future.result()
    assert RunResult.read(folder) is None
    check_all_gone(pids)
    with pytest.raises(Interrupted):
        engine.execute(folder)


def test_a_killed_parent_takes_its_run_with_it_and_the_next_starts_afresh(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    folder = make_run(
        tmp_path,
        "run",
        f"""
        import os, pathlib
        first = not pathlib.Path({str(pids)!r}).exists()
        outputs = pathlib.Path(os.environ["WARDBOOK_RUN"], "outputs")
        assert os.listdir(outputs) == []
        if first:
            (outputs / "partial.csv").touch()
        """,
        "if first:\n    " + start_processes(pids).replace("\n", "\n    "),
    )
    code = (
        "import sys; from pathlib import Path\n"
        "from wardbook.engines.warm_engine import WarmEngine\n"
        "WarmEngine().execute(Path(sys.argv[1]))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(folder)])
    wait_until(pids.exists)
    assert is_claimed(folder)
    assert all(is_alive(pid) for pid in read_pids(pids))
    child = read_pids(pids)[0]
    os.kill(child, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    claimed_by_the_child = is_claimed(folder)
    os.kill(child, signal.SIGCONT)
    assert claimed_by_the_child
    wait_until(lambda: not any(is_alive(pid) for pid in read_pids(pids)))
    assert RunResult.read(folder) is None
    assert execute(folder).failure is None
    assert not (folder / "outputs" / "partial.csv").exists()
    assert not is_claimed(folder)


def start_processes(pids: Path, *, stay: bool = True) -> str:
    """Return a cell that starts a process and a detached one, and notes all pids of the run."""
    return f"""
import os, pathlib, subprocess, time
plain = subprocess.Popen(["sleep", "100"])
detached = subprocess.Popen(["sleep", "100"], start_new_session=True)
mine = [os.getppid(), os.getpid(), plain.pid, detached.pid]
new = pathlib.Path({str(pids)!r} + ".new")
new.write_text(" ".join(map(str, mine)))
new.rename({str(pids)!r})
time.sleep({100 if stay else 0})""".strip()


def check_all_gone(pids: Path) -> None:
    keeper, *run = read_pids(pids)
    assert [pid for pid in run if is_alive(pid)] == []
    assert len(run) == 3
    wait_until(lambda: not is_alive(keeper))  # it was alive to tell the end


def read_pids(pids: Path) -> list[int]:
    return [int(pid) for pid in pids.read_text().split()]


def count_executions(folder: Path) -> str:
    return f"open({str(folder / 'count')!r}, 'a').write('x')"

"""What executing a notebook costs beside its own code: part of `make bench`.

One reference report (8 code cells, a CSV of 20,000 rows, pandas, two figures) is executed by this
engine in both its modes, by papermill, by `nbconvert --execute`, by nbclient, and as bare code in a
warm child, in turns within one run. The bare code makes what the report shows, and no notebook: the
same two pictures (drawn tight, as notebooks draw them), the HTML and text of the same tables.

Printed are medians with the smallest and the largest, and ratios to the bare code and to papermill.
Starting the fork server is shown apart. Then the same with two at a time, and the way from a
submission to the first cell on the Dask executor.
"""

from __future__ import annotations

import ast
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat

from pipelines.executors.dask_executor import DaskExecutor
from tests.trial_runs import make_run, wait_until
from wardbook.domain.output import Sensitivity
from wardbook.domain.run import RunResult, SourceFile
from wardbook.engines.warm_engine import WarmEngine
from wardbook.files import hash_file

ROUNDS = 7
REPORT = (
    "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt",
    "stays = pd.read_csv({data!r}, parse_dates=['day'])\nstays.head()",
    "stays['week'] = stays.day.dt.to_period('W').dt.start_time\nstays.describe()",
    "by_ward = stays.groupby('ward').length.agg(['size', 'mean', 'median'])\nby_ward",
    "by_week = stays.groupby(['week', 'ward']).size().unstack(fill_value=0)\nby_week.tail()",
    "figure, axes = plt.subplots(figsize=(8, 4))\nby_week.plot(ax=axes)\naxes.set_title('Stays')",
    "figure, axes = plt.subplots()\naxes.hist(stays.length, bins=40)\naxes.set_xlabel('days')",
    "print(f'{{len(stays):,}} stays, {{stays.length.mean():.2f}} days')",
)
_ENVIRON = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def write_data(folder: Path) -> Path:
    chance = random.Random(1)
    lines = ["day,ward,length"]
    for _ in range(20_000):
        month, day = chance.randint(1, 12), chance.randint(1, 28)
        ward = chance.choice("ABCDEFGH")
        lines.append(f"2025-{month:02}-{day:02},{ward},{chance.expovariate(0.2):.3f}")
    file = folder / "stays.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


class Contest:
    """The ways to execute one report, each a function that takes a number for its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = write_data(folder)
        self.cells = [cell.format(data=str(self.data)) for cell in REPORT]
        self.notebook = folder / "report.ipynb"
        cells = [nbformat.v4.new_code_cell(cell) for cell in self.cells]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        written = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(written, self.notebook)
        self.engine = WarmEngine()
        self.bare = subprocess.Popen(
            [sys.executable, "-m", "tests.bench_engine", "bare"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_ENVIRON,
            text=True,
        )
        self._made = 0

    def make(self, **spec: str) -> Path:
        self._made += 1
        sources = {"stays": SourceFile(str(self.data), hash_file(self.data), Sensitivity.PUBLIC)}
        return make_run(self.folder, f"run{self._made}", *self.cells, sources=sources, **spec)

    def execute(self, run: Path) -> None:
        failure = self.engine.execute(run).failure
        assert failure is None, failure

    def in_bare_child(self, _: int) -> float:
        """Return the seconds that the code took in a fork of a warm process, without a notebook."""
        assert self.bare.stdin
        assert self.bare.stdout
        self.bare.stdin.write(repr(self.cells) + "\n")
        self.bare.stdin.flush()
        return float(self.bare.stdout.readline())

    def papermill(self, number: int) -> None:
        self._call("papermill", self.notebook, self.folder / f"papermill{number}.ipynb")

    def nbconvert(self, number: int) -> None:
        out = f"nbconvert{number}.ipynb"
        self._call("nbconvert", "--to", "notebook", "--execute", "--output", out, self.notebook)

    def nbclient(self, number: int) -> None:
        code = "import sys, nbclient, nbformat as f; n = f.read(sys.argv[1], 4); "
        code += "nbclient.execute(n); f.write(n, sys.argv[2])"
        out = self.folder / f"nbclient{number}.ipynb"
        command = [sys.executable, "-c", code, self.notebook, out]
        subprocess.run(command, check=True, capture_output=True, env=_ENVIRON)

    def _call(self, module: str, *arguments: str | Path) -> None:
        command = [sys.executable, "-m", module, *arguments]
        subprocess.run(command, check=True, capture_output=True, env=_ENVIRON)


def run_bare() -> None:
    """Fork a child for each list of cells on standard input; answer with its seconds."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd

    pd.DataFrame({"a": [1]}).groupby("a").size()
    assert np
    assert plt
    for line in sys.stdin:
        cells = eval(line)  # our own line
        reading, writing = os.pipe()
        start = time.perf_counter()
        if os.fork() == 0:
            names: dict[str, object] = {}
            with Path(os.devnull).open("w") as nothing:
                sys.stdout = nothing
                for cell in cells:
                    show_result(run_cell(cell, names))
                    for number in plt.get_fignums():
                        figure = plt.figure(number)
                        figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
                    plt.close("all")
            os.write(writing, b".")
            os._exit(0)
        os.wait()
        taken = time.perf_counter() - start
        assert os.read(reading, 1) == b"."
        os.close(reading)
        os.close(writing)
        print(taken, flush=True)


def run_cell(cell: str, names: dict[str, object]) -> object:
    """Execute the statements; return the value of the last one, if it is an expression."""
    statements = ast.parse(cell).body
    last = statements.pop() if isinstance(statements[-1], ast.Expr) else None
    exec(compile(ast.Module(statements, []), "cell", "exec"), names)
    value = getattr(last, "value", None)
    return eval(compile(ast.Expression(value), "cell", "eval"), names) if value else None


def show_result(value: Any) -> None:
    """Make what a report shows of a value: its HTML, if it has any, and its text."""
    if hasattr(value, "_repr_html_"):
        value._repr_html_()
    repr(value)


def time_of(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def race(contest: Contest) -> Mapping[str, list[float]]:
    """Let each way execute the report once per round, in turns."""
    ways: dict[str, Callable[[int], float]] = {"bare code in a warm child": contest.in_bare_child}
    for name, engine in (("this engine, direct", "warm"), ("this engine, full kernel", "kernel")):

        def timed(_: int, engine: str = engine) -> float:
            run = contest.make(engine=engine)
            return time_of(lambda: contest.execute(run))

        ways[name] = timed
    for foreign in (contest.papermill, contest.nbconvert, contest.nbclient):

        def timed_call(number: int, call: Callable[[int], None] = foreign) -> float:
            return time_of(lambda: call(number))

        ways[foreign.__name__] = timed_call
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            taken = way(number)
            if number:  # the first round is for bytecode and the disk
                seconds[name].append(taken)
    return seconds


def race_in_pairs(contest: Contest) -> Mapping[str, list[float]]:
    """Execute as many reports as there are rounds, two at a time; seconds for each report."""
    seconds: dict[str, list[float]] = {"papermill": [], "this engine, direct": []}
    with ThreadPoolExecutor(2) as pool:
        for turn in range(3):
            numbers = range(1000 + turn * ROUNDS, 1000 + (turn + 1) * ROUNDS + 1)
            runs = [contest.make() for _ in numbers]
            for name, call, given in (
                ("papermill", contest.papermill, list(numbers)),
                ("this engine, direct", contest.execute, runs),
            ):
                taken = time_of(lambda c=call, g=given: list(pool.map(c, g)))  # type: ignore[misc]
                seconds[name].append(taken / len(given))
    return seconds


def time_submissions(folder: Path) -> list[float]:
    """Return the seconds from `submit` to the first cell, for each of some runs one by one."""
    seconds = []
    executor = DaskExecutor(workers=1)
    try:
        for number in range(ROUNDS + 1):
            stamp = folder / f"stamp{number}"
            cell = f"import time; open({str(stamp)!r}, 'w').write(repr(time.time()))"
            run = make_run(folder, f"submitted{number}", cell)
            start = time.time()
            executor.submit(run)
            wait_until(lambda run=run: RunResult.read(run) is not None)  # type: ignore[misc]
            if number:
                seconds.append(float(stamp.read_text()) - start)
    finally:
        executor.close()
    return seconds


def show(name: str, seconds: list[float], bare: float, papermill: float) -> None:
    median = statistics.median(seconds)
    print(
        f"  {name:<27} {median:6.3f} s ({min(seconds):.3f}–{max(seconds):.3f})"
        f"  {median / bare:5.2f} × bare  {papermill / median:5.1f} × papermill's rate"
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wbbench") as scratch:
        contest = Contest(Path(scratch))
        first = make_run(Path(scratch), "first", "1")
        print(
            f"fork server's start and a first run: {time_of(lambda: contest.execute(first)):.2f} s"
        )
        seconds = race(contest)
        bare = statistics.median(seconds["bare code in a warm child"])
        papermill = statistics.median(seconds["papermill"])
        print(f"one at a time, medians of {ROUNDS}:")
        for name, taken in seconds.items():
            show(name, taken, bare, papermill)
        print(f"two at a time, seconds for each of {ROUNDS + 1} reports, medians of 3:")
        pairs = race_in_pairs(contest)
        in_pairs = statistics.median(pairs["papermill"])
        for name, taken in pairs.items():
            show(name, taken, bare, in_pairs)
        ours = statistics.median(pairs["this engine, direct"])
        print(f"  two of ours against one papermill: {papermill / ours:.1f} ×")
        contest.engine.close()
        assert contest.bare.stdin
        contest.bare.stdin.close()
        contest.bare.wait()
        submitted = time_submissions(Path(scratch))
        print(
            f"Dask executor, from submit to the first cell: median "
            f"{statistics.median(submitted) * 1000:.0f} ms "
            f"({min(submitted) * 1000:.0f}–{max(submitted) * 1000:.0f})"
        )


if __name__ == "__main__":
    run_bare() if sys.argv[1:] == ["bare"] else main()

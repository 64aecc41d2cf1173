"""What opening a request costs beside JupyterLab's own start: `python -m tests.bench_lab`.

The demonstration's hospital prepares a request over sensitive wards. Then, in turns within one run:
JupyterLab alone, from `python -m jupyterlab` with settings of its own until its first answer; and
`wardbook lab KEY` as a new process until it ends, with no server (it starts one), and again while
that one runs. Before, once: the first opening, with the clone. Medians, the smallest, the largest.
Last column: the processor time of the command with what it waits for, its server's not: that one
says the same on a busy machine.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from pipelines.bench.jupyter import build_environment
from pipelines.bench.running import Berth, answers, find_port
from tests.bench_world import open_bench_world
from wardbook.files import write_atomically

ROUNDS = 5
TARGET = 3.0


def time_jupyterlab(folder: Path) -> float:
    """Return the seconds from starting JupyterLab alone until it answers."""
    berth = Berth(folder / "alone" / "on-here")
    berth.lay_out()
    write_atomically(berth.config, '{"IdentityProvider": {"token": "alone"}}')
    environ = build_environment(folder / "alone", berth, {})
    options = ("--allow-root", "--no-browser", "--ServerApp.port=18970")
    command = [sys.executable, "-m", "jupyterlab", berth.argument, *options]
    start = time.monotonic()
    with (folder / "alone.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        while process.poll() is None:
            running = find_port(berth, process.pid)
            if running and answers(running):
                return time.monotonic() - start
            time.sleep(0.02)
        raise SystemExit((folder / "alone.log").read_text()[-2000:])
    finally:
        process.terminate()
        process.wait()
        berth.clear()


def time_command(environ: Mapping[str, str], *arguments: str) -> tuple[float, float]:
    """Return the seconds that `wardbook lab` takes, its own start included, and its processor's."""
    command = [sys.executable, "-m", "pipelines.cli", "lab", *arguments]
    start, busy = time.monotonic(), busy_seconds()
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return seconds, busy_seconds() - busy


def busy_seconds() -> float:
    """Return the processor time of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, and print the table."""
    with (
        tempfile.TemporaryDirectory(prefix="wblab") as name,
        open_bench_world(Path(name) / "world") as world,
    ):
        folder = Path(name)
        there = ("--folder", str(folder / "desk"), "--language", "en")
        environ = {n: v for n, v in world.environment().items() if n != "PYTHONDONTWRITEBYTECODE"}
        key = world.prepare("wards")
        found: dict[str, list[tuple[float, float]]] = {"alone": [], "starts": [], "again": []}
        try:
            first, _ = time_command(environ, key, *there)
            time_command(environ, "--stop", *there)
            for _ in range(ROUNDS):
                found["alone"].append((time_jupyterlab(folder), 0.0))
                found["starts"].append(time_command(environ, key, *there))
                found["again"].append(time_command(environ, key, *there))
                time_command(environ, "--stop", *there)
        finally:
            time_command(environ, "--stop", *there)
    tell(first, found)


def tell(first: float, found: Mapping[str, list[tuple[float, float]]]) -> None:
    """Print the table."""
    names = {
        "alone": "JupyterLab alone, until it answers",
        "starts": "wardbook lab KEY, no server: starts one",
        "again": "wardbook lab KEY, its server runs",
    }
    print(f"{ROUNDS} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; seconds")
    print(f"{'':44}{'median':>8}{'least':>8}{'most':>8}{'busy':>8}")
    for name, title in names.items():
        times = [seconds for seconds, _ in found[name]]
        busy = statistics.median(busy for _, busy in found[name])
        spread = f"{statistics.median(times):8.2f}{min(times):8.2f}{max(times):8.2f}"
        print(f"{title:44}{spread}{busy:8.2f}" if busy else f"{title:44}{spread}")
    print(f"{'the first opening, with the clone':44}{first:8.2f}")
    starts, alone = (
        statistics.median(seconds for seconds, _ in found[name]) for name in ("starts", "alone")
    )
    beside = starts - alone
    verdict = "under" if beside < TARGET else "NOT under"
    print(f"\nOpening beside JupyterLab's own start: {beside:.2f} s ({verdict} {TARGET:.0f} s).")


if __name__ == "__main__":
    main()

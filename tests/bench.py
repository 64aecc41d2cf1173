"""What the main job costs, measured in one run: `make bench`.

Prints medians of seven with the smallest and the largest, and ratios to a bare interpreter's start,
since seconds say little about another machine. Nothing is asserted here.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wardbook.sandbox import Sandbox

ROUNDS = 7
WARDBOOK = (sys.executable, "-m", "pipelines.cli")


def call(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        list(map(str, command)), check=True, capture_output=True, text=True, env=environ
    )


def measure(action: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    action()  # once uncounted: compiled bytecode, warm disk
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return seconds


def show(name: str, seconds: list[float], bare: float) -> None:
    median = statistics.median(seconds)
    spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
    print(f"{name:<46} {median:7.2f} s  ({spread})  {median / bare:6.1f} × bare start")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wbbench") as scratch:
        folder = Path(scratch) / "demo"
        demo = (*WARDBOOK, "demo", "--dir", folder, "--no-stay")
        bare = measure(lambda: call(sys.executable, "-c", "pass"))
        median = statistics.median(bare)
        show("a bare interpreter's start", bare, median)
        start = time.perf_counter()
        call(*demo)
        show("demo from an empty folder (once)", [time.perf_counter() - start], median)
        show("demo again, five new tickets (median of 3)", measure(lambda: call(*demo), 3), median)
        settings = ("--settings", folder / "wardbook.toml")
        with Sandbox(folder / "sandbox") as sandbox:
            before = len(sandbox.journal)
            idle = measure(lambda: call(*WARDBOOK, *settings, "tick"))
            calls = list(sandbox.journal)[before:]
        show("tick with nothing to do", idle, median)
        writes = sum(call.wrote for call in calls)
        print(f"    {len(calls) / (ROUNDS + 1):.0f} calls a tick, {writes} writes in all")
        show("help", measure(lambda: call(*WARDBOOK, "--help")), median)
        told = json.loads(call(*WARDBOOK, *settings, "status", "--json").stdout)
        print(f"    {len(told['requests'])} requests in the ledger")


if __name__ == "__main__":
    main()

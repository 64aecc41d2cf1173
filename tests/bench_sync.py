"""What the synchronisation costs, measured in one run: part of `make bench`.

Two trackers that answer from memory, each call after a fixed latency, and `wardbook sync` in a
process of its own. The time is compared with what the calls alone need; memory with that of a
fifth of the tickets. Duplicates are counted on the trackers' side.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from pipelines.demo.world import BOT, World

NO_KEY = "0" * 40
WRITES = ("POST", "PUT", "DELETE")


@dataclass(frozen=True)
class Cost:
    """One synchronisation: seconds, those of processor time, calls by kind, peak memory in MB."""

    seconds: float
    busy: float
    calls: dict[str, int]
    memory: float

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    @property
    def writes(self) -> int:
        return sum(n for kind, n in self.calls.items() if kind.split()[1] in WRITES)


@contextmanager
def trackers(tickets: int, latency_ms: float) -> Iterator[Any]:
    """Serve the trackers in a process of their own."""
    serving = subprocess.Popen(
        python("tests.fast_trackers", "--tickets", tickets, "--latency-ms", latency_ms),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout is not None
        jira, gitlab = (serving.stdout.readline().split()[1] for _ in range(2))
        yield SimpleNamespace(jira_url=jira, gitlab_url=gitlab)
    finally:
        serving.terminate()
        serving.wait()


def python(*arguments: object) -> list[str]:
    return [sys.executable, "-m", *map(str, arguments)]


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def count_calls(served: Any) -> dict[str, int]:
    """Return the calls since the last time, by server and kind."""
    counted = {}
    for name, url in (("jira", served.jira_url), ("gitlab", served.gitlab_url)):
        counts = ask(f"{url}/_count?reset=true")
        counted |= {f"{name} {kind}": n for kind, n in counts.items()}
    return counted


def seconds_per_call(served: Any, connections: int, calls: int = 300) -> float:
    """Return what one call takes a bare client that keeps so many connections busy."""
    place = urlsplit(served.jira_url)

    def call() -> None:
        connection = http.client.HTTPConnection(str(place.hostname), place.port or 80)
        for _ in range(calls):
            connection.request("GET", "/rest/api/2/myself")
            connection.getresponse().read()

    threads = [threading.Thread(target=call) for _ in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - start) / calls


def synchronise(served: Any, settings: Path, workers: int) -> Cost:
    """Run `wardbook sync` once in a process of its own."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    count_calls(served)
    start = time.perf_counter()
    process = subprocess.Popen(
        python("pipelines.cli", "--settings", settings, "sync", "--workers", workers, "--json"),
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert told["faults"] == {}, told["faults"]
    busy = usage.ru_utime + usage.ru_stime
    return Cost(seconds, busy, count_calls(served), usage.ru_maxrss / 1024)


def bench(tickets: int, latency_ms: float, workers: int) -> tuple[Cost, Cost, float, Any]:
    """Return the cost of the first synchronisation and of one with nothing changed.

    And what one call alone takes with as many connections, and what is on the trackers then.
    """
    with (
        tempfile.TemporaryDirectory(prefix="wbsync") as folder,
        trackers(tickets, latency_ms) as served,
    ):
        world = World(Path(folder))
        world.token(BOT)
        data = {name: Path(folder) / name for name in ("spf", "spf_flux")}  # nothing is run
        world.write_settings(served, "http://site.invalid", data, (NO_KEY, NO_KEY))
        alone = seconds_per_call(served, workers)
        first = synchronise(served, world.settings, workers)
        synchronise(served, world.settings, workers)  # reads back what the first has written
        again = synchronise(served, world.settings, workers)
        state = {name: ask(f"{url}/_state") for name, url in vars(served).items()}
        return first, again, alone, state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=8)
    options = parser.parse_args()
    for tickets in (options.tickets // 5, options.tickets):
        first, again, call, state = bench(tickets, options.latency_ms, options.workers)
        alone = first.total * call / options.workers
        nominal = first.total * options.latency_ms / 1000 / options.workers
        print(
            f"first sync of {tickets} tickets, {options.workers} workers: {first.seconds:.1f} s, "
            f"{first.total} calls, which alone need {alone:.1f} s ({call * 1000:.1f} ms each): "
            f"ratio {first.seconds / alone:.2f}; with {options.latency_ms:g} ms sharp it would be "
            f"{first.seconds / nominal:.2f}; "
            f"{first.busy:.1f} s of processor time; "
            f"{first.writes / tickets:.3f} writes a ticket; peak memory {first.memory:.0f} MB"
        )
        print(
            f"    nothing changed: {again.seconds:.1f} s, {again.total} calls, {again.writes} "
            f"writes; peak memory {again.memory:.0f} MB"
        )
        print(f"    by kind: {dict(sorted(first.calls.items()))}")
        print(f"    on the trackers: {state}")


if __name__ == "__main__":
    main()

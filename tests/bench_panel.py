"""How fast the panel is answered: `python -m tests.bench_panel`.

The demonstration's hospital with a request that was opened and tried on `wardbook lab`'s own
server, and 500 more in the ledger. Each question is asked over HTTP again and again, in turns, as
browsers ask: one after another. Medians, the 95th percentile, the longest, in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # as in the tests

from bench_world import open_bench_world
from factories import make_record, make_request, make_ticket
from panel_server import PanelServer, open_panel

from wardbook.domain.record import Links, Record
from wardbook.domain.states import State

REQUESTS = 500
TARGET_MS = 200


def make_records(count: int) -> list[Record]:
    """Return requests over patients' data that no tracker knows."""
    records = []
    for number in range(1001, 1001 + count):
        key = f"DATA-{number}"
        request = make_request(key=key, template="line_list", sources={"stays": "stays"})
        ticket = make_ticket(key=key, id=str(20_000 + number))
        links = Links(project="unite/direction-medicale", issue=number)
        states = [State.PREPARED, State.HELD, State.ANSWERED]
        records.append(
            make_record(states[number % 3], key=key, ticket=ticket, request=request, links=links)
        )
    return records


def measure(server: PanelServer, key: str, rounds: int) -> Mapping[str, list[float]]:
    """Ask each question `rounds` times; returns the milliseconds of each."""
    ended = server.run(key)
    if ended["state"] != "ended":
        raise SystemExit(str(ended))
    questions = {
        "card": f"requests/{key}",
        "requests": "requests",
        "templates": "templates",
        "trial": f"requests/{key}/trials/latest",
        "leaving": f"requests/{key}/trials/latest/leaving",
        "words": "words",
    }
    found: dict[str, list[float]] = {name: [] for name in questions}
    for _ in range(rounds + 1):
        for name, path in questions.items():
            start = time.perf_counter()
            reply = server.api("GET", path)
            found[name].append((time.perf_counter() - start) * 1000)
            if reply.status != 200:
                raise SystemExit(f"{path}: {reply.status} {reply.body!r}")
    listed = len(server.api("GET", "requests").json["requests"])
    print(f"{listed} requests listed")
    return found


def tell(found: Mapping[str, Sequence[float]]) -> bool:
    """Print the table; tells whether all are below the target, the first question included."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; milliseconds")
    print(f"{'':12}{'first':>8}{'median':>8}{'95 %':>8}{'longest':>8}")
    slow = []
    for name, times in found.items():
        later = sorted(times[1:])
        median, high = statistics.median(later), later[int(len(later) * 0.95)]
        print(f"{name:12}{times[0]:8.0f}{median:8.0f}{high:8.0f}{later[-1]:8.0f}")
        if high >= TARGET_MS:
            slow.append(name)
    told = f"NOT under: {', '.join(slow)}" if slow else "under"
    print(f"\n95 of 100 answers to each question {told} {TARGET_MS} ms.")
    return not slow


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="wbpanel") as name:
        folder = Path(name)
        with open_bench_world(folder / "world") as world:
            key = world.prepare("wards")
            with open_panel(world, folder, key, make_records(REQUESTS)) as server:
                found = measure(server, key, rounds)
    return 0 if tell(found) else 1


if __name__ == "__main__":
    sys.exit(main())

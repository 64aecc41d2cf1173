"""What sealing costs beside gpg alone, measured in one run: `python -m tests.bench_seal`.

Seals 100 MB of data that compress and of data that do not, in turn with `gpg --encrypt --sign` as
it comes, and with gpg told to compress as we do. Prints medians of seven with the smallest and the
largest, and ratios; then the memory that sealing takes at two sizes. Exits with 1 when sealing
takes more than 1.3 times as long as gpg as it comes.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from wardbook.seal import Fingerprint, Keyring, Recipient, choose_recipient_key, seal

SIZE = 100_000_000
ROUNDS = 7
ALLOWED = 1.3
MEMORY = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from wardbook.seal import *
home, data, out, signer, block = sys.argv[1:]
with Keyring(Path(home)) as unit:
    block = Path(block).read_text()
    now = datetime.now(UTC)
    to = choose_recipient_key([block], unit.inspect(block, now)[0].fingerprint, unit, now)
    seal(Path(data), Path(out), recipients=[to], signer=Fingerprint(signer), keyring=unit, name="m")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


class Bench:
    """A unit, a recipient, and the files to seal."""

    def __init__(self, folder: Path, unit: Keyring, ada: Keyring) -> None:
        self.folder, self.unit = folder, unit
        self.signer = unit.create_signing_key("Unit", "unit@hospital.example")
        self.ada_key = ada.create_signing_key("Ada", "ada@hospital.example")
        self.block = ada.export_public(self.ada_key)
        now = datetime.now(UTC)
        self.to_ada: Recipient = choose_recipient_key([self.block], self.ada_key, unit, now)
        unit.import_key(self.block)
        self.out = folder / "out"
        self.out.mkdir()
        unit.open_with_secrets()  # gpg alone uses the agent that runs already, as we do

    def ours(self, data: Path) -> None:
        seal(
            data,
            self.out,
            recipients=[self.to_ada],
            signer=self.signer,
            keyring=self.unit,
            name="ours",
        )

    def gpg(self, data: Path, *more: str) -> None:
        home = self.unit._home
        command = ["gpg", "--homedir", str(home.path), "--no-default-keyring"]
        command += ["--keyring", str(home.ring), "--batch", "--yes", "--trust-model", "always"]
        command += ["--local-user", self.signer, "--recipient", self.ada_key, *more]
        command += ["--output", str(self.out / "gpg.gpg"), "--encrypt", "--sign", str(data)]
        subprocess.run(command, check=True, capture_output=True)

    def memory(self, data: Path) -> int:
        """Return the greatest resident memory (MB) of a process that seals a file."""
        block = self.folder / "ada.asc"
        block.write_text(self.block)
        arguments = [self.unit._home.home, data, self.out, Fingerprint(self.signer), block]
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
        )
        return int(done.stdout)


def write_table(file: Path, size: int) -> None:
    """Write a table of counts, as a unit's extracts are."""
    chance = random.Random(2026)
    lines = "".join(
        f"2026-{chance.randint(1, 12):02};{chance.choice('ABCDEF')};{chance.randint(0, 99999)}\n"
        for _ in range(50_000)
    ).encode()
    with file.open("wb") as out:
        while out.tell() < size:
            out.write(lines)


def measure(*actions: Callable[[], object]) -> list[list[float]]:
    """Return the seconds of each action, measured in turn, so that all share what else happens."""
    seconds: list[list[float]] = [[] for _ in actions]
    for turn in range(ROUNDS + 1):
        for place, action in enumerate(actions):
            start = time.perf_counter()
            action()
            if turn:  # the first is not counted: a warm disk
                seconds[place].append(time.perf_counter() - start)
    return seconds


def show(name: str, seconds: list[float], base: float) -> float:
    median = statistics.median(seconds)
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    print(f"  {name:<44} {median:6.2f} s  ({spread})  {median / base:5.2f} x gpg as it comes")
    return median / base


def main() -> int:
    ratios = []
    with tempfile.TemporaryDirectory(prefix="wbseal") as name:
        folder = Path(name)
        with Keyring(folder / "unit") as unit, Keyring(folder / "ada") as ada:
            bench = Bench(folder, unit, ada)
            table, packed, small = (folder / one for one in ("table.csv", "packed", "small"))
            write_table(table, SIZE)
            packed.write_bytes(os.urandom(SIZE))
            small.write_bytes(os.urandom(SIZE // 10))
            print(f"GnuPG {unit.gnupg_version}; {SIZE // 1_000_000} MB, medians of {ROUNDS}")
            for data, told, same in (
                (packed, "compressed already", ("-z", "0")),
                (table, "a table", ("--compress-algo", "ZIP", "--compress-level", "1")),
            ):
                print(told)
                plain, alike, ours = measure(
                    lambda data=data: bench.gpg(data),
                    lambda data=data, same=same: bench.gpg(data, *same, "--digest-algo", "SHA512"),
                    lambda data=data: bench.ours(data),
                )
                base = statistics.median(plain)
                show("gpg --encrypt --sign", plain, base)
                show("the same, told to compress as we do", alike, base)
                ratios.append(show("sealed by Wardbook", ours, base))
            print(
                f"memory: {bench.memory(small)} MB for 10 MB, {bench.memory(packed)} MB for 100 MB"
            )
    return int(max(ratios) > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())

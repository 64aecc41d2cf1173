"""One sealing in a process of its own, killed at a chosen moment.

A moment is the n-th time that the process touches a file, a folder or another process: Python tells
of each by an audit event, without the platform knowing. `count` tells how many there are.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_TOUCHES = (
    "open",
    "os.",
    "shutil.",
    "subprocess.Popen",
    "tempfile.",
    "fcntl.flock",
    "glob.glob",
    "pathlib.Path",
)
SCRIPT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tests.seal_points import arm
from wardbook.seal import *
import gnupg
home, data, out, signer, block, point = sys.argv[1:]
seen = arm(int(point))
with Keyring(Path(home)) as unit:
    text = Path(block).read_text()
    now = datetime.now(UTC)
    to = choose_recipient_key([text], unit.inspect(text, now)[0].fingerprint, unit, now)
    seal(Path(data), Path(out), recipients=[to], signer=Fingerprint(signer), keyring=unit,
         name="0123456789abcdef", plain_name="stays.csv")
print(len(seen), flush=True)
"""


def arm(point: int) -> list[str]:
    """From now on count what touches the disk; at number `point`, kill this process."""
    seen: list[str] = []

    def count(event: str, _: object) -> None:
        if event.startswith(_TOUCHES):
            seen.append(event)
            if len(seen) == point:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    return seen


@dataclass(frozen=True)
class Sealing:
    """What is sealed, where, and the disk area that the process can write to."""

    home: Path
    data: Path
    out: Path
    temporary: Path
    signer: str
    block: Path

    def run(self, point: int = 0) -> subprocess.CompletedProcess[str]:
        """Seal, or die at `point`; 0 lets it live."""
        arguments = (self.home, self.data, self.out, self.signer, self.block, point)
        environ = os.environ | {"TMPDIR": str(self.temporary), "PYTHONPATH": ":".join(sys.path)}
        environ.pop("XDG_RUNTIME_DIR", None)
        return subprocess.run(
            [sys.executable, "-c", SCRIPT, *map(str, arguments)],
            env=environ,
            capture_output=True,
            text=True,
        )

    def count(self) -> int:
        """Return how many moments there are at which it can die."""
        done = self.run()
        assert done.returncode == 0, done.stderr
        (self.out / "0123456789abcdef.gpg").unlink()
        return int(done.stdout)

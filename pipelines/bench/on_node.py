"""The bench's server in a job: started on the node that Slurm gave it, and waited for.

    FOLDER/start.json       what the server needs beside Slurm's environment, mode 0600
    FOLDER/listening.json   on which port it answers, once it does

The job lives as long as the server. It listens on the node's loopback alone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from pipelines.bench.launch import start
from pipelines.bench.running import Berth
from wardbook.errors import EnvironmentFault
from wardbook.files import write_atomically

START = "start.json"
LISTENING = "listening.json"


def main(folder: Path) -> int:
    """Start the server of this folder and stay until it ends; returns its exit code."""
    berth = Berth(folder)
    berth.lay_out()
    told = json.loads((folder / START).read_text(encoding="utf-8"))
    os.environ |= told["environment"]
    try:
        process, running = start(berth, told["port"], told["language"], {})
    except EnvironmentFault as fault:
        print(fault, file=sys.stderr)  # noqa: T201  # the job's log, whose last line is shown
        return 1

    def end(_: int, __: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            process.terminate()

    signal.signal(signal.SIGTERM, end)
    write_atomically(folder / LISTENING, json.dumps({"port": running.port}))
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

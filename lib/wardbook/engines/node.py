"""One run as a job of a cluster: `python -m wardbook.engines.node FOLDER`.

How the run ended stands in its folder; the exit status tells only whether it has ended. A job that
is told to end (SIGTERM, which Slurm sends to every process of the job before it kills them) leaves
no result: whoever ended it knows why, and this process does not.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from wardbook.domain.run import RunSpec
from wardbook.engines import open_engine
from wardbook.engines.further_nodes import JOB, end_workers
from wardbook.engines.interface import Interrupted

ENDED = 0
INTERRUPTED = 1


def main(folder: Path) -> int:
    """Execute the run of `folder` in this process's environment; return an exit status."""
    engine = open_engine(preload=False)
    ended: list[int] = []

    def execute() -> None:
        try:
            engine.execute(folder)
            ended.append(ENDED)
        except Interrupted as interrupted:
            sys.stderr.write(f"{interrupted}\n")

    if "SLURM_JOB_ID" in os.environ:
        os.environ[JOB] = os.environ["SLURM_JOB_ID"]
    # In a thread of its own, so that the handler below never waits for what it has interrupted.
    run = threading.Thread(target=execute, name="run")
    signal.signal(signal.SIGTERM, lambda *_: engine.close())
    run.start()
    run.join()
    engine.close()
    if JOB in os.environ and RunSpec.read(folder).nodes > 1:
        sys.stderr.write(end_workers())
    return ended[0] if ended else INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

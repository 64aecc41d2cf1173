"""The process that executes one run with papermill: `python -m wardbook.engines.child FOLDER LOCK`.

Started by `papermill_engine.py` with a clean environment, the run's lock as an inherited handle,
and a pipe as standard input. When that pipe closes, this process and all its descendants end. How
the run ended is told by the exit status and, for errors in cells, by `executed.ipynb`.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import NoReturn

from wardbook.domain.run import RunSpec
from wardbook.engines.processes import (
    adopt_orphans,
    die_with_parent,
    end_at_hangup,
    kill_descendants,
)

ENDED = 0
BROKEN = 1
KERNEL_DIED = 3
OUT_OF_MEMORY = 4

BARE_KERNEL_MB = 160
"""What an ipykernel maps by itself, mostly stacks of its threads; measured 128 MB."""

_DEADLY_WANT = (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS)


def main(folder: Path) -> int:
    """Execute the run in `folder`; return an exit status of this module."""
    adopt_orphans()
    end_at_hangup(0, _end)
    os.umask(0o077)
    # A core file would hold the patients' data.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    spec = RunSpec.read(folder)
    try:
        return _execute(folder, spec)
    finally:
        kill_descendants()


def _execute(folder: Path, spec: RunSpec) -> int:
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    from wardbook.engines.confined import ConfinedKernel, KernelEnded

    papermill_engines.register("confined", ConfinedKernel)
    killed_before = _count_killed()
    # Relative paths, because papermill takes braces in a path for places to fill.
    os.chdir(folder)
    try:
        execute_notebook(
            "notebook.ipynb",
            "executed.ipynb",
            engine_name="confined",
            kernel_name=spec.kernel,
            parameters={},
            progress_bar=False,
            cwd="scratch/home",
            confine=lambda: _confine(spec.memory_mb),
        )
    except PapermillExecutionError:
        return ENDED
    except KernelEnded as end:
        return _judge(end.status, spec.memory_mb, killed=_count_killed() > killed_before)
    return ENDED


def _confine(memory_mb: int) -> None:
    die_with_parent()
    limit = (memory_mb + BARE_KERNEL_MB) << 20
    # Data, not address space: libraries reserve far more addresses than they use.
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _judge(status: int | None, memory_mb: int, *, killed: bool) -> int:
    """Tell a kernel that wanted memory from one that died of itself.

    Linux kills for memory with SIGKILL and counts it; a library whose allocation is refused ends
    by one of the other signals, with its limit nearly used.
    """
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    if status == -signal.SIGKILL and killed:
        return OUT_OF_MEMORY
    if status is not None and -status in _DEADLY_WANT and peak_mb > 0.7 * memory_mb:
        return OUT_OF_MEMORY
    return KERNEL_DIED


def _count_killed() -> int:
    """Return how many processes Linux has killed for want of memory since it started."""
    for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return 0


def _end() -> NoReturn:
    kill_descendants()
    os._exit(BROKEN)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""The process that executes one run with papermill: `python -m wardbook.engines.child FOLDER`.

Started by `papermill_engine.py` in the scratch home with a clean environment, the run's lock as an
inherited handle, and a pipe as standard input. When that pipe closes, this process and all its
descendants end. How the run ended is told by the exit status and, for errors in cells, by
`executed.ipynb`.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from wardbook.domain.run import RunSpec
from wardbook.engines.processes import (
    adopt_orphans,
    die_with_parent,
    end_at_hangup,
    kill_descendants,
)

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

ENDED = 0
BROKEN = 1
CELL_FAILED = 2
KERNEL_DIED = 3
OUT_OF_MEMORY = 4

BARE_KERNEL_MB = 160
"""What an ipykernel maps by itself, mostly stacks of its threads; measured 128 MB."""

RESERVE_MB = 64
"""What a kernel may still use to show its MemoryError; see `wardbook.notebook.display`."""


def main(folder: Path) -> int:
    """Execute the run in `folder`; return an exit status of this module."""
    adopt_orphans()
    end_at_hangup(0, _end)
    os.umask(0o077)
    # A core file would hold the patients' data.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    spec = RunSpec.read(folder)
    try:
        return _execute(spec)
    finally:
        kill_descendants()


def _execute(spec: RunSpec) -> int:
    killed_before = _count_killed()
    kernel = _start_kernel(spec)

    # Loading papermill takes as long as the kernel needs to get up: it is loaded meanwhile.
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    from wardbook.engines.confined import ConfinedKernel, KernelEnded

    papermill_engines.register("confined", ConfinedKernel)
    try:
        execute_notebook(
            # Relative paths: papermill takes braces in a path for places to fill.
            "../../notebook.ipynb",
            "../../executed.ipynb",
            engine_name="confined",
            kernel_name=spec.kernel,
            parameters={},
            progress_bar=False,
            kernel=kernel,
        )
    except PapermillExecutionError as error:
        if error.ename != "CellExecutionError":
            return CELL_FAILED
        status = None  # papermill's word for a cell that failed without saying why
    except KernelEnded as end:
        status = end.status
    else:
        return ENDED
    killed = status == -signal.SIGKILL and _count_killed() > killed_before
    return OUT_OF_MEMORY if killed or _was_memory_full(spec.memory_mb) else KERNEL_DIED


def _start_kernel(spec: RunSpec) -> AsyncKernelManager:
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync

    # Sockets in the run's own folder: what goes through TCP can be read by anybody on the machine.
    # Their name is relative to the directory that both sides start in, because it must be short.
    kernel = AsyncKernelManager(kernel_name=spec.kernel, transport="ipc", ip="../kernel")
    run_sync(kernel.start_kernel)(preexec_fn=lambda: _confine(spec.memory_mb))
    return kernel


def _confine(memory_mb: int) -> None:
    die_with_parent()
    limit = (memory_mb + BARE_KERNEL_MB) << 20
    # Data, not address space: libraries reserve far more addresses than they use.
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit + (RESERVE_MB << 20)))


def _was_memory_full(memory_mb: int) -> bool:
    """Tell whether the kernel, which has ended, had most of its memory in use at its greatest.

    A kernel that is refused memory may end in any way: by a signal from a library, by an exit of
    Python, or alive but unable to show its error.
    """
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    return peak_mb > 0.8 * memory_mb


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
    _status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_status)  # nothing is left to tidy up, and no library's exit handler may hang

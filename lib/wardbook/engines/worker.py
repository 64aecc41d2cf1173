"""The process of one run: it settles in, and executes the notebook here or in a Jupyter kernel."""

from __future__ import annotations

import ipykernel_launcher

from wardbook.domain.run import RunSpec
from wardbook.engines.confinement import Order, data_in_use, fence_run, set_limits, settle_in
from wardbook.engines.direct import Execution
from wardbook.engines.scratch import EXECUTED, JOURNAL
from wardbook.engines.shell import WirelessKernel, wake_kernel
from wardbook.engines.streams import capture_streams


def work(order: Order, spec: RunSpec, kernel: WirelessKernel) -> int:
    """Execute the notebook of the run's folder; returns a status of `statuses`.

    The executed notebook is written to EXECUTED when all is done, and not before.
    """
    settle_in(order)
    if order.kernel:
        from wardbook.engines.kernel import execute_in_kernel

        return execute_in_kernel(order, spec)
    scratch = order.folder / "scratch"
    capture_streams(kernel.session, kernel.iopub, scratch / "tmp")
    connection = str(scratch / "jupyter" / "kernel.json")
    # As papermill starts its kernels.
    arguments = [
        ipykernel_launcher.__file__,
        "-f",
        connection,
        "--HistoryManager.hist_file=:memory:",
    ]
    wake_kernel(kernel, scratch / "ipython", arguments)
    # Read and opened before the fence: the notebook cannot change what it is judged by.
    execution = Execution(kernel, order.folder / "notebook.ipynb", order.folder / JOURNAL)
    if order.free_in is None:
        fence_run(order, spec)
        set_limits(spec, data_in_use())
    status = execution.run()
    partial = order.folder / EXECUTED.with_suffix(".part")
    execution.write(partial)
    partial.rename(order.folder / EXECUTED)
    return status

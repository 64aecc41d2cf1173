"""A Dask worker on a further node of a run, confined as the notebook is.

`python -m wardbook.engines.dask_worker SCHEDULER OPTION…`, with the options of `dask worker`, in
the environment of the run. It ends with the scheduler, which lives in the notebook's process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wardbook.compute import QUIET
from wardbook.domain.run import RunSpec
from wardbook.engines.confinement import Order, data_in_use, fence_run, set_limits, settle_in
from wardbook.notebook.session import RUN_VARIABLE


def main() -> None:
    """Work until the scheduler is gone."""
    folder = Path(os.environ[RUN_VARIABLE])
    order, spec = Order(folder, dict(os.environ), kernel=False), RunSpec.read(folder)
    settle_in(order)
    fence_run(order, spec)  # before Dask's threads start: the fence holds for what comes after
    import dask
    from distributed.cli import dask_worker
    from distributed.comm.addressing import get_address_host
    from distributed.utils import get_ip

    # On the network on which the scheduler is, of those that this node may have.
    sys.argv += ["--host", get_ip(get_address_host(sys.argv[1]))]
    dask.config.set(QUIET)
    set_limits(spec, data_in_use())
    dask_worker.main()


if __name__ == "__main__":
    main()

"""The same notebook on the same data leaves the same outputs, wherever it runs.

The long form, with shipped templates, R and twins: `python -m tests.bench_sameness`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_sameness import compare_all, small_case
from slurm_cluster import TrialCluster

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.xdist_group("slurm"),
    pytest.mark.usefixtures("lasting_server"),
]


def test_kernel_trial_command_and_slurm_leave_the_same_outputs(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    told = compare_all(tmp_path, small_case(tmp_path), cluster)
    assert told.files == 2
    assert told.differs == {"kernel": [], "command": [], "slurm": [], "verdicts": []}
    assert {what for what, files in told.found.items() if files} == {"cell", "datum"}

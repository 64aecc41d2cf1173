"""Runs on Slurm: one job per run, runs of one pass with equal resources as one array.

`executor.py` does what `decide.py` decides from what `queue.py` was told by Slurm, whose words
`states.py` explains. `submission.py` hands batches over; `batches.py` keeps what is remembered.
"""

from pipelines.executors.slurm.executor import SlurmExecutor

__all__ = ["SlurmExecutor"]

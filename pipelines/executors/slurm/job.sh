#!/bin/sh
# One task of a batch: job.sh PYTHON BATCH. Nothing is ever written into this script: what a job is
# told comes as arguments, and which run is its own from the number that Slurm gives it.
exec "$1" -m wardbook.engines.node "$2/$SLURM_ARRAY_TASK_ID"

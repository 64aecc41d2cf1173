#!/bin/sh
# The bench's job: lab_job.sh PYTHON FOLDER. What it is told stands in the folder, mode 0600.
exec "$1" -m pipelines.bench.on_node "$2"

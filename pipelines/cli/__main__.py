"""`python -m pipelines.cli`: the command `wardbook`, of this interpreter."""

from pipelines.cli.main import run

run()

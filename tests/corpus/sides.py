"""The two sides of the comparison: a notebook of the corpus executed by each."""

from __future__ import annotations

import json
from pathlib import Path

from tests.corpus.compare import Executed, compare
from tests.corpus.reading import Case
from tests.corpus.reference import Reference
from wardbook.domain.run import EngineName, FailureKind, RunResult, RunSpec
from wardbook.engines import Engine

_OUTCOMES = {
    FailureKind.CELL_ERROR: "failed",
    FailureKind.DATA_PROBLEM: "failed",
    FailureKind.OUT_OF_MEMORY: "failed",
    FailureKind.KERNEL_DIED: "died",
    FailureKind.ENVIRONMENT_BROKEN: "broken",
}


def execute_reference(case: Case, reference: Reference, folder: Path) -> Executed:
    """Execute the notebook with papermill in `folder`, which is made."""
    folder = folder.resolve()
    folder.mkdir(parents=True)
    case.write(folder / "notebook.ipynb")
    outcome = reference.execute(folder, case.kernel)
    places = {str(folder / "home"): "<home>", "/tmp": "<temporary>"}
    return Executed.read(outcome, folder / "executed.ipynb", places)


def execute_with_engine(case: Case, engine: Engine, folder: Path, how: EngineName) -> Executed:
    """Execute the notebook with an engine in the run's folder `folder`, which is made."""
    folder = folder.resolve()
    folder.mkdir(parents=True)
    case.write(folder / "notebook.ipynb")
    spec = RunSpec(
        key=case.name,
        request="corpus",
        template="corpus",
        template_folder=str(folder),
        kernel=case.kernel,
        language="fr",
        parameters={},
        sources={},
        engine=how,
        seconds=60.0,
    )
    spec.write(folder)
    places = {
        str(folder / "scratch" / "home"): "<home>",
        str(folder / "scratch" / "tmp"): "<temporary>",
    }
    outcome = _name_outcome(engine.execute(folder))
    return Executed.read(outcome, folder / "executed.ipynb", places)


def find_differences(case: Case, expected: Executed, found: Executed) -> list[str]:
    """Compare both sides with the normalisations that this notebook asks for."""
    named = json.loads(case.text)["nbformat_minor"] >= 5
    return compare(expected, found, case.hides, named)


def _name_outcome(result: RunResult) -> str:
    if result.failure is None:
        return "ended"
    return _OUTCOMES.get(result.failure.kind, str(result.failure.kind))

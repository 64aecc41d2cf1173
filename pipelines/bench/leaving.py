"""What would leave of a trial: every declared output, its verdict and why, and where it is made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.bench.desk import Place
from pipelines.bench.progress import code_cells_on_disk
from pipelines.bench.subject import subject_of
from pipelines.bench.trial_record import work_of
from pipelines.house import House
from wardbook.disclosure import tell_dropped, tell_reason
from wardbook.domain.output import Channel, OutputKind, Verdict, verdicts_of
from wardbook.domain.record import Record
from wardbook.domain.run import RunSpec
from wardbook.engines.executed import read_notebook
from wardbook.messages import say


@dataclass(frozen=True)
class Reason:
    """One thing that a rule says of an output, in the analyst's language."""

    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Leaving:
    """One declared output as it would leave.

    `approvals` is how many people would have to agree; `cell` is the index, among all cells of the
    notebook on the disk, of the one that declares it: None where there is none, or it was changed.
    """

    output: str
    kind: OutputKind
    title: str
    channel: Channel
    sensitivity_label: str
    verdict: Verdict
    verdict_label: str
    reasons: tuple[Reason, ...]
    approvals: int
    cell: int | None


def leaving_of(house: House, place: Place, record: Record | None, trial_id: str) -> list[Leaving]:
    """Return what would leave of a trial that ended, in the order of the template.

    Raises:
        BenchRefusal: there is no such trial, or it did not end well.
    """
    language = place.desk.language
    subject = subject_of(house, place, record)
    work = work_of(house, place, trial_id)
    declared = subject.template.spec.outputs
    cells = _cells_of(house.run_folder(trial_id), subject.notebook, declared)
    found = []
    for name, verdict in verdicts_of(work.checks).items():
        checks = [check for check in work.checks if check.output == name]
        one = declared[name]
        held = [check.approvals for check in checks if check.verdict is Verdict.HOLD]
        found.append(
            Leaving(
                output=name,
                kind=one.kind,
                title=one.title.in_language(language),
                channel=one.channel,
                sensitivity_label=say(language, f"site.sensitivity_{one.sensitivity}"),
                verdict=verdict,
                verdict_label=say(language, f"report.mark_{verdict}"),
                reasons=tuple(
                    Reason(check.verdict, tell_reason(check, language)) for check in checks
                ),
                approvals=max(held, default=0) if verdict is Verdict.HOLD else 0,
                cell=cells.get(name),
            )
        )
    return found


def dropped_of(house: House, place: Place, trial_id: str) -> tuple[str, ...]:
    """Say which files the template does not declare: they never leave.

    Where the data are not public they are only counted, for a name may tell of a patient.

    Raises:
        BenchRefusal: as above.
    """
    work = work_of(house, place, trial_id)
    spec = RunSpec.read(house.run_folder(trial_id))
    return tell_dropped(work.dropped, spec, place.desk.language)


def _cells_of(run: Path, on_disk: Path, outputs: Iterable[str]) -> dict[str, int]:
    """Return where each output is declared: by what the cells showed, else by their source."""
    tried = read_notebook(run / "executed.ipynb") or {"cells": ()}
    there = code_cells_on_disk(run / "notebook.ipynb", on_disk)
    code = [cell for cell in tried["cells"] if cell["cell_type"] == "code"]
    numbered = [(there[number], cell) for number, cell in enumerate(code, 1) if number in there]
    found: dict[str, int] = {}
    for name in outputs:
        for declares in (_shows, _names):
            cells = (index for index, cell in numbered if declares(cell, name))
            index = next(cells, None)
            if index is not None:
                found.setdefault(name, index)
    return found


def _shows(cell: Mapping[str, Any], name: str) -> bool:
    marks = (one.get("metadata", {}).get("wardbook", {}) for one in cell.get("outputs", ()))
    return any(
        mark.get("publish") in ("table", "figure") and mark.get("output") == name for mark in marks
    )


_DECLARES = re.compile(r"\b(?:table|figure)\(")


def _names(cell: Mapping[str, Any], name: str) -> bool:
    source = "".join(cell.get("source", ""))
    quoted = re.search(rf"[\"']{re.escape(name)}[\"']", source)
    return bool(quoted and _DECLARES.search(source))

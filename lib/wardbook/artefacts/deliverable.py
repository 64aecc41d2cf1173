"""The checks of what a run would publish: the rendered report's folder, and each file of the share.

The tables that stand beside the page are the checked ones: every number that the page shows in a
table must come from one of their rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wardbook.artefacts.apart import read_apart
from wardbook.artefacts.finding import Grid, Problem, Reading
from wardbook.artefacts.judge import RULE, TOPIC, Ground, judge_readings
from wardbook.artefacts.read import read_artefact, read_ticket_comment
from wardbook.domain.output import Check, Output, Sensitivity, Verdict
from wardbook.messages import Language
from wardbook.report.problem import ReportProblem
from wardbook.report.released import TABLES
from wardbook.report.tables import declared_kinds, read_table
from wardbook.report.voice import Voice
from wardbook.report.workbook import SUFFIX, is_workbook_of
from wardbook.template.spec import TemplateSpec

OWN_ASSETS = "assets"
"""Style and mark come with the platform; they are no artefact of a run."""

_OTHER_WORKBOOK = Reading("xlsx", problems=(Problem("disguised", 1, "workbook"),))


def check_report_folder(
    report: str, folder: Path, spec: TemplateSpec, language: Language, ground: Ground
) -> tuple[Check, ...]:
    """Return the checks of a rendered report: its page, card, figures and tables.

    A workbook among the tables holds if it is what is made of the table beside it: no reading could
    say more. Any other is not what its name says.

    Args:
        report: name of the output that the checks are told of.
        folder: where `render_report` wrote it.
        spec: the template's declaration, for the labels of the tables.
        language: the report's.
        ground: what it is judged by; its `checked` is taken from the folder's tables.
    """
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.relative_to(folder).parts[0] != OWN_ASSETS
    ]
    workbooks = [file for file in files if file.parent.name == TABLES and file.suffix == SUFFIX]
    files = [file for file in files if file not in workbooks]
    readings = read_apart(files)
    by_file = dict(zip(files, readings, strict=True))
    checked = list_checked(by_file, spec, language)
    foreign = [one for one in workbooks if not is_workbook_of(one, spec, language)]
    readings += (_OTHER_WORKBOOK,) * len(foreign)
    return judge_readings(report, readings, replace(ground, checked=checked))


def list_checked(
    readings: Mapping[Path, Reading], spec: TemplateSpec, language: Language
) -> list[Grid]:
    """Return each table of a report twice: as its file holds it, and as the page writes it."""
    voice = Voice(language)
    grids: list[Grid] = []
    for file, reading in readings.items():
        declared = spec.outputs.get(file.stem)
        if file.parent.name != TABLES or declared is None:
            continue
        grids += reading.grids
        labels = {name: text.in_language(language) for name, text in declared.columns.items()}
        try:
            kinds, content = declared_kinds(declared), file.read_bytes()
            shown = read_table(content, labels, name=file.stem, voice=voice, kinds=kinds)
        except ReportProblem:
            continue  # the page does not show it either
        grids.append(Grid(file.stem, tuple(labels.values()), shown.rows))
    return grids


def check_files(
    leaving: Mapping[Output, Sensitivity], folder: Path, ground: Ground
) -> tuple[Check, ...]:
    """Return the checks of files that leave by themselves.

    Args:
        leaving: each output, and who may see it.
        folder: where the run left its files.
        ground: what they are judged by; `checked` is taken from each file itself.
    """
    readings = read_apart([folder / output.file for output in leaving])
    return tuple(
        check
        for (output, kept), reading in zip(leaving.items(), readings, strict=True)
        for check in judge_readings(
            output.name, [reading], replace(ground, checked=reading.grids, sensitivity=kept)
        )
    )


def check_payload(
    output: str, payload: str | bytes, tables: Sequence[Path], ground: Ground, kept: Sensitivity
) -> tuple[Check, ...]:
    """Return the checks of what we send of an output ourselves, without a file of the run.

    Args:
        output: name of the output that it is made of.
        payload: the text of a comment, or the JSON of a dashboard or of its series.
        tables: files of the run's tables as they leave; each row that the payload shows must stand
            in one of them, cell by cell.
        ground: what it is judged by; its `checked` is taken from `tables`.
        kept: who may see it.
    """
    if isinstance(payload, str):
        reading = read_ticket_comment(payload)
    else:
        reading = read_artefact("payload.json", payload)
    checked = [grid for table in read_apart(tables) for grid in table.grids]
    return judge_readings(output, [reading], replace(ground, checked=checked, sensitivity=kept))


def tell_unrendered(report: str, problem: ReportProblem) -> Check:
    """Return the check of a report that cannot be made; the problem names output and file only."""
    return Check(
        report, RULE, Verdict.REFUSE, f"{TOPIC}.not_rendered", (("problem", str(problem)),)
    )

"""The foot of a report: files to download, checks in words, provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wardbook.disclosure import tell_reason
from wardbook.domain.output import Check
from wardbook.report.blocks import label_output
from wardbook.report.provenance import Provenance
from wardbook.report.released import ReleasedFile
from wardbook.report.voice import Voice
from wardbook.report.workbook import SUFFIX, fits_workbook
from wardbook.template.spec import Template

Beside = Literal["xlsx", "pdf"]
"""What is made of a checked report and laid beside it: workbooks of its tables, its PDF."""

PDF = "report.pdf"


@dataclass(frozen=True)
class Download:
    """A table's CSV file, `size` in octets, and its workbook if there will be one."""

    title: str
    file: str
    rows: int
    size: int
    workbook: str | None = None


@dataclass(frozen=True)
class CheckLine:
    """A check in words; `verdict` is its value, for the style."""

    verdict: str
    output: str
    sentence: str


@dataclass(frozen=True)
class Foot:
    """What stands below the report; `verdicts` sums up the checks in one line."""

    provenance: Provenance
    pdf: str | None
    downloads: tuple[Download, ...]
    checks: tuple[CheckLine, ...]
    verdicts: str

    def workbook_of(self, table: str) -> str | None:
        """Return the workbook of a table's file."""
        return next(one.workbook for one in self.downloads if one.file == table)


def describe_foot(
    provenance: Provenance,
    shelf: Mapping[str, ReleasedFile],
    template: Template,
    voice: Voice,
    beside: frozenset[Beside],
) -> Foot:
    """Return the foot of a report; `beside` is what will be laid beside it."""
    counts = Counter(check.verdict for check in provenance.checks)
    return Foot(
        provenance=provenance,
        pdf=PDF if "pdf" in beside else None,
        downloads=tuple(
            Download(
                title=label_output(file.output.name, template, voice),
                file=file.address,
                rows=file.output.rows,
                size=len(file.content),
                workbook=_workbook_of(file) if "xlsx" in beside else None,
            )
            for file in shelf.values()
            if file.is_table
        ),
        checks=tuple(
            CheckLine(
                check.verdict.value,
                label_output(check.output, template, voice),
                _tell_reason(check, voice),
            )
            for check in provenance.checks
        ),
        verdicts=", ".join(
            voice.say(f"report.verdict_{verdict.value}", count=count)
            for verdict, count in counts.items()
        ),
    )


def _workbook_of(file: ReleasedFile) -> str | None:
    return file.address.removesuffix(".csv") + SUFFIX if fits_workbook(file.content) else None


def _tell_reason(check: Check, voice: Voice) -> str:
    """Return the reason in words; its bare code where the catalogue does not know it."""
    try:
        return tell_reason(check, voice.language)
    except KeyError:
        return f"{check.rule}: {check.reason}"

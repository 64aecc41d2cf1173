"""The foot of a report: files to download, checks in words, provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from wardbook.domain.output import Check
from wardbook.report.blocks import label_output
from wardbook.report.provenance import Provenance
from wardbook.report.released import ReleasedFile
from wardbook.report.voice import Voice
from wardbook.template.spec import Template


@dataclass(frozen=True)
class Download:
    """A table's CSV file; `size` in octets."""

    title: str
    file: str
    rows: int
    size: int


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
    downloads: tuple[Download, ...]
    checks: tuple[CheckLine, ...]
    verdicts: str


def describe_foot(
    provenance: Provenance, shelf: Mapping[str, ReleasedFile], template: Template, voice: Voice
) -> Foot:
    """Return the foot of a report."""
    counts = Counter(check.verdict for check in provenance.checks)
    return Foot(
        provenance=provenance,
        downloads=tuple(
            Download(
                title=label_output(file.output.name, template, voice),
                file=file.address,
                rows=file.output.rows,
                size=len(file.content),
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


def _tell_reason(check: Check, voice: Voice) -> str:
    """Return the reason in words; its bare code where the catalogue does not know it."""
    try:
        return voice.say(check.message, **dict(check.details))
    except KeyError:
        return f"{check.rule}: {check.reason}"

"""Released outputs as bytes that were checked against what was released."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wardbook.domain.output import Output, OutputKind, Sensitivity
from wardbook.report.problem import ReportProblem
from wardbook.template.spec import OutputSpec, Template

TABLES = "tables"
"""Folder of the tables' files in a report's."""

_SUFFIXES = {OutputKind.TABLE: ".csv", OutputKind.FIGURE: ".png"}
_RANKS = {Sensitivity.PUBLIC: 0, Sensitivity.INTERNAL: 1, Sensitivity.SENSITIVE: 2}


@dataclass(frozen=True)
class ReleasedFile:
    """A table or figure that this report may hold: what it is, what it declares, its bytes.

    `hidden` are the rows of a table whose figures were cut, from 0.
    """

    output: Output
    spec: OutputSpec
    content: bytes
    hidden: frozenset[int] = frozenset()

    @property
    def is_table(self) -> bool:
        """Whether it is a table, else a figure."""
        return self.output.kind is OutputKind.TABLE

    @property
    def address(self) -> str:
        """Where the file stands in the report's folder."""
        return f"{TABLES if self.is_table else 'figures'}/{self.output.file}"


def report_sensitivity(template: Template) -> Sensitivity:
    """Return how sensitive a template's report is.

    It is what the template declares for it, or else that of its most sensitive output.
    """
    outputs = template.spec.outputs.values()
    reports = [spec for spec in outputs if spec.kind is OutputKind.REPORT]
    return max((spec.sensitivity for spec in reports or outputs), key=_RANKS.__getitem__)


def read_released(
    folder: Path,
    released: Sequence[Output],
    template: Template,
    hidden: Mapping[str, frozenset[int]],
) -> dict[str, ReleasedFile]:
    """Read the released tables and figures that are no more sensitive than the report itself.

    Raises:
        ReportProblem: an output is not declared, has another kind or file name than declared, or
            its file is missing or differs from what was released.
    """
    most = _RANKS[report_sensitivity(template)]
    files = {}
    for output in released:
        spec = template.spec.outputs.get(output.name)
        if spec is None or spec.kind is not output.kind:
            raise ReportProblem(
                f"output {output.name!r}: template {template.spec.name!r} does not declare it as "
                f"{output.kind.value}. Declare it in template.toml, or do not release it."
            )
        if output.kind in _SUFFIXES and _RANKS[spec.sensitivity] <= most:
            content, cut = _read_checked(folder, output), hidden.get(output.name, frozenset())
            files[output.name] = ReleasedFile(output, spec, content, cut)
    return files


def _read_checked(folder: Path, output: Output) -> bytes:
    if output.file != output.name + _SUFFIXES[output.kind]:
        raise ReportProblem(f"output {output.name!r}: its file may not be named {output.file!r}.")
    try:
        content = (folder / output.file).read_bytes()
    except FileNotFoundError:
        raise ReportProblem(
            f"{output.file}: released, but not in the run's outputs. Run the request again."
        ) from None
    if hashlib.sha256(content).hexdigest() != output.sha256:
        raise ReportProblem(
            f"{output.file}: differs from what was released. Run and release the request again."
        )
    return content

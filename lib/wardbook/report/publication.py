"""The allow-list: what a notebook declared for its report, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from wardbook.report.cell_styles import CellStyle, parse_styles
from wardbook.report.problem import ReportProblem


@dataclass(frozen=True)
class Publication:
    """One declared piece of the report, in the notebook's order.

    `text` is Markdown and empty unless `kind` is "text"; `output` names the table or figure, or
    the key of the text;
    `rows` is the most rows the template wants shown, None for as many as a page bears; `styles`
    colour cells of a table.
    """

    kind: Literal["text", "table", "figure"]
    output: str = ""
    text: str = ""
    rows: int | None = None
    styles: tuple[CellStyle, ...] = ()


def list_publications(notebook: Mapping[str, Any]) -> tuple[Publication, ...]:
    """Return what the displays of an executed notebook (nbformat 4) declare for its report.

    Everything else is left out: prints, results, HTML, tracebacks, Markdown cells.

    Raises:
        ReportProblem: a declaration is not one that `wb.say`, `wb.table` or `wb.figure` writes.
    """
    found = []
    for number, cell in enumerate(code_cells(notebook), 1):
        for output in cell["outputs"]:
            if output["output_type"] != "display_data" or "wardbook" not in output["metadata"]:
                continue
            try:
                found.append(_parse_declaration(output["metadata"]["wardbook"], output["data"]))
            except (KeyError, TypeError, ValueError):
                raise ReportProblem(
                    f"code cell {number}: a display declares something that Wardbook does not "
                    "know. Publish with wb.say, wb.table and wb.figure only."
                ) from None
    return tuple(found)


def code_cells(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the code cells of a notebook, in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _parse_declaration(raw: Mapping[str, Any], data: Mapping[str, Any]) -> Publication:
    kind, output, rows = raw["publish"], raw["output"], raw.get("rows")
    if kind == "text":
        return Publication("text", str(output or ""), text=str(data["text/markdown"]))
    if kind not in ("table", "figure") or not isinstance(output, str):
        raise ValueError(kind)
    if rows is not None and (type(rows) is not int or rows < 1):
        raise ValueError(rows)
    styles = parse_styles(raw.get("styles"))
    return Publication(cast(Literal["table", "figure"], kind), output, rows=rows, styles=styles)

"""What the notebook produces: published texts, declared tables and figures."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from wardbook.domain.output import OutputKind
from wardbook.files import write_atomically
from wardbook.notebook.display import publish
from wardbook.notebook.given import marked_text
from wardbook.notebook.index import declare_output
from wardbook.notebook.plotly_picture import PlotlyFigure, draw_plotly
from wardbook.notebook.session import Session, current_session
from wardbook.notebook.table_style import split_style
from wardbook.template.spec import OutputSpec, TemplateProblem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from pandas.io.formats.style import Styler

__all__ = ["figure", "say", "table"]

PREVIEW_ROWS = 20
"""Rows of a table that the notebook itself shows; the report takes its rows from the file."""


def say(key: str, **values: object) -> None:
    """Publish the template's text `key` (Markdown) at this place of the report.

    Values are inserted as plain text: no character of theirs becomes Markdown or HTML. The texts
    `methods` and `limits` stand in a section of their own after everything else.

    Raises:
        TemplateProblem: there is no such text, or a place has no value.
    """
    publish({"text/markdown": marked_text(key, **values)}, "text", output=key)


def table(
    name: str,
    frame: pd.DataFrame | Styler,
    *,
    caption: str | None = None,
    show: bool | int = True,
) -> None:
    """Write the declared table `name` to `outputs/NAME.csv` and publish it at this place.

    The file is UTF-8 with a header, commas, ISO dates, every digit of a float and nothing for a
    missing value; the frame's index is not written. `show` is True, False, or the greatest number
    of rows to publish. Of a frame's `style` the colours, weight and alignment of cells are shown.

    Raises:
        TemplateProblem: no such table is declared, or its columns are not the declared ones in
            their order. The message names declared columns only, never the frame's.
    """
    session = current_session()
    declared = _find_declared(session, name, OutputKind.TABLE)
    frame, styles = split_style(frame)
    _refuse_other_columns(name, [str(column) for column in frame.columns], list(declared.columns))
    file = f"{name}.csv"
    session.outputs.mkdir(exist_ok=True)
    write_atomically(session.outputs / file, _format_csv(frame))
    declare_output(
        session.outputs,
        file,
        name=name,
        kind=OutputKind.TABLE,
        title=declared.title.in_language(session.language),
        caption=caption or "",
        rows=len(frame),
    )
    if show is not False:
        preview = frame.head(PREVIEW_ROWS)
        publish(
            {"text/html": preview.to_html(index=False), "text/plain": preview.to_string()},
            "table",
            output=name,
            rows=None if show is True else show,
            styles=styles,
        )


def figure(name: str, figure: Figure | PlotlyFigure, *, caption: str, alternative: str) -> None:
    """Write the declared figure `name` to `outputs/NAME.png`, publish it here and close it.

    The picture has the figure's own size and resolution, and no metadata in it. `alternative` says
    in words what the figure shows, for readers who do not see it. A figure of Plotly is drawn as a
    picture too: what it says when pointed at, and what it keeps beside, stays here.

    Raises:
        TemplateProblem: no such figure is declared, its alternative text is empty, or it is one of
            Plotly with a kind of trace that cannot be drawn.
    """
    session = current_session()
    declared = _find_declared(session, name, OutputKind.FIGURE)
    if not alternative.strip():
        raise TemplateProblem(
            f"figure {name!r} has no alternative text. Say in `alternative` what it shows."
        )
    drawn: Any = draw_plotly(name, figure) if hasattr(figure, "to_plotly_json") else figure
    picture = io.BytesIO()
    drawn.savefig(picture, format="png", metadata={"Software": None})
    _close(drawn)
    file = f"{name}.png"
    session.outputs.mkdir(exist_ok=True)
    write_atomically(session.outputs / file, picture.getvalue())
    declare_output(
        session.outputs,
        file,
        name=name,
        kind=OutputKind.FIGURE,
        title=declared.title.in_language(session.language),
        caption=caption,
        alternative=alternative,
    )
    publish({"image/png": picture.getvalue(), "text/plain": alternative}, "figure", output=name)


def _find_declared(session: Session, name: str, kind: OutputKind) -> OutputSpec:
    outputs = session.template.spec.outputs
    declared = outputs.get(name)
    if declared is None or declared.kind is not kind:
        known = ", ".join(n for n, output in outputs.items() if output.kind is kind) or "none"
        raise TemplateProblem(
            f"template.toml declares no {kind} {name!r}, only: {known}. Declare it there."
        )
    return declared


def _refuse_other_columns(name: str, found: list[str], declared: list[str]) -> None:
    if found == declared:
        return
    missing = [column for column in declared if column not in found]
    surplus = [str(at) for at, column in enumerate(found, 1) if column not in declared]
    parts = []
    if missing:
        parts.append(f"missing: {', '.join(missing)}")
    if surplus:
        parts.append(f"not declared: at position {', '.join(surplus)}")
    if not parts:
        parts.append("the same in another order, or twice")
    raise TemplateProblem(
        f"table {name!r} must have the columns {', '.join(declared)}, in this order; "
        f"{'; '.join(parts)}. Mend the notebook or the declaration."
    )


def _format_csv(frame: pd.DataFrame) -> str:
    import pandas as pd

    plain = frame.copy(deep=False)
    for column in plain.select_dtypes(["datetime", "datetimetz"]):
        times = plain[column]
        whole_days = bool((times.dropna() == times.dropna().dt.normalize()).all())
        form = "%Y-%m-%d" if whole_days else "%Y-%m-%dT%H:%M:%S%z"
        plain[column] = times.dt.strftime(form).where(times.notna(), pd.NA)
    text: str = plain.to_csv(index=False, lineterminator="\n")
    return text


def _close(figure: Figure) -> None:
    # Only pyplot keeps figures, and shows those that are left open at the end of a cell.
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)

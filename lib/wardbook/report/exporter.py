"""The nbconvert exporter of reports: the unit's own template, and none of the user's settings."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup
from nbconvert.exporters import TemplateExporter
from nbconvert.filters import Highlight2HTML

from wardbook.report.layout import create_environment

_COLOURED = "k kn kc kd kr ow s s1 s2 sa sd si se sb sh sr m mi mf mh mb c c1 cm ch"
_UNCOLOURED = re.compile(
    rf'<span(?: class="(?!(?:{_COLOURED.replace(" ", "|")})")\w+")?>([^<]*)</span>'
)


class ReportExporter(TemplateExporter):
    """Renders `site/pages/report.html.j2`, which shows a notebook's code and prepared blocks.

    The blocks come in `resources`; the template reads no output of the notebook itself.
    """

    output_mimetype = "text/html"

    def _create_environment(self) -> Environment:
        environment = create_environment()
        environment.filters["highlight"] = highlight
        return environment


@cache
def report_exporter() -> ReportExporter:
    """Return the exporter of this process: making one costs more than a report."""
    # With paths given, nbconvert looks for templates neither in the working folder nor in the home.
    return ReportExporter(  # type: ignore[no-untyped-call]
        template_paths=[],
        template_file="report.html.j2",
        preprocessors=[],
        default_preprocessors=[],
    )


@lru_cache(maxsize=512)  # requests of one template share their code
def highlight(source: str, language: str) -> Markup:
    """Return source code as safe HTML, with marks on what the style sheet colours alone.

    Marks on every name and bracket would be three quarters of a page.
    """
    highlighter = Highlight2HTML(pygments_lexer=language)
    html: Any = highlighter(source)
    plain = _UNCOLOURED.sub(r"\1", html)
    return Markup(plain)  # noqa: S704  pygments escapes the source and adds spans only

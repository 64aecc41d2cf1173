"""The one refusal of reports and of the site's pages."""

from __future__ import annotations

from wardbook.errors import Refusal


class ReportProblem(Refusal):
    """A report that may not be rendered or published; the message names the output or the file."""

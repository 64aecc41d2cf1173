"""How large a report may be: readers open it on a phone, and every reader of it has bounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wardbook.report.problem import ReportProblem

KB = 1000


@dataclass(frozen=True)
class SizeLimits:
    """The most octets of a report's page without its figures, and of its folder."""

    page: int = 150 * KB
    folder: int = 50_000 * KB


def require_size(page: int, files: Iterable[int], limits: SizeLimits) -> None:
    """Refuse a report that is larger than it may be.

    Args:
        page: octets of the page.
        files: octets of each other file of the folder.
        limits: what is allowed.

    Raises:
        ReportProblem: it says size, limit and what to do.
    """
    if page > limits.page:
        raise ReportProblem(
            f"index.html would have {_kb(page)} without its figures, {_kb(limits.page)} is the "
            "limit. Show fewer rows, wb.table(…, show=20), or raise `page_kb` in [site]."
        )
    folder = page + sum(files)
    if folder > limits.folder:
        raise ReportProblem(
            f"the report's files would have {_kb(folder)} together, {_kb(limits.folder)} is the "
            "limit. Declare smaller tables or figures, or raise `report_kb` in [site]."
        )


def _kb(octets: int) -> str:
    return f"{-(-octets // KB):,} kB"

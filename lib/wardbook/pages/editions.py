"""A page for each report that lists its editions, the newest first.

An edition never changes once it is published, so it leads here to whatever came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wardbook.pages.page import Page
from wardbook.pages.results import Result


def edition_pages(results: Iterable[Result]) -> Iterator[Page]:
    """Yield the page `reports/<slug>/index.html` of each report."""
    for result in results:
        folder = result.latest.address.rpartition("/")[0]
        yield Page(f"{folder}/index.html", "editions.html.j2", {"result": result})

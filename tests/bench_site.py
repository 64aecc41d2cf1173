"""Measures the site with 1,000 reports: full build, one report added, search in Chromium.

`python -m tests.bench_site --reports 1000`. The reports are copies of a rendered one with words of
their own (tests/many_reports.py): what is measured is the site around them, not their rendering.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.browser import CHROMIUM, SWITCHES
from tests.many_reports import SUBJECTS, publish_many, publish_one
from tests.sample_report import make_run
from wardbook.pages.build import build_site
from wardbook.pages.docs import build_docs
from wardbook.pages.links import check_links
from wardbook.pages.search import index_site
from wardbook.pages.serve import serve_site
from wardbook.shipped import shipped_folder
from wardbook.template.spec import load_catalogue


@dataclass(frozen=True)
class Taken:
    """Seconds on the wall, and of processors, those of started programs among them."""

    wall: float
    processor: float

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.wall + other.wall, self.processor + other.processor)


def measure(reports: int, *, with_docs: bool = True) -> tuple[dict[str, Taken], list[float]]:
    """Return what each thing took, and the milliseconds of searches, the first one first."""
    with tempfile.TemporaryDirectory(prefix="wardbook-bench-site-") as name:
        folder = Path(name)
        public = folder / "public"
        template = publish_many(folder, public, reports)
        catalogue = load_catalogue(shipped_folder("templates"))
        templates = {**catalogue, template.spec.name: template}

        def build() -> None:
            about = {"templates": templates, "language": "fr", "unit": "Unité"}
            build_site(public, url="https://unit.hospital.example/", **about)

        def document() -> None:
            about = {"templates": catalogue, "language": "fr", "unit": "Unité"}
            build_docs(public, cache=folder / "docs", **about)

        def add() -> None:
            publish_one(public, model, reports, random.Random(0))
            build()
            index_site(public, "fr")

        found = {"documentation, tutorials executed": timed(document)} if with_docs else {}
        found["pages, lists and feeds"] = timed(build)
        found["index of the search"] = timed(lambda: index_site(public, "fr"))
        found["every link followed"] = timed(lambda: check_links(public))
        found["full build"] = sum(found.values(), Taken(0, 0))
        model = make_run(folder / "another").stage("model", unit="Unité")
        found["one report added, pages and index"] = timed(add)
        return found, search(public)


def timed(work: Callable[[], object]) -> Taken:
    """Return what it took."""
    before, began = os.times(), time.perf_counter()
    work()
    return Taken(time.perf_counter() - began, sum(os.times()[:4]) - sum(before[:4]))


def search(public: Path) -> list[float]:
    """Return the milliseconds from a key to the shown results, as a reader's browser takes them."""
    from playwright.sync_api import sync_playwright

    taken = []
    with serve_site(public, 0) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        page = browser.new_page()
        page.goto(f"{server.url}search/index.html")
        field, hits = page.get_by_role("searchbox"), page.locator("#search-hits")
        for word in ("semaine", *SUBJECTS):
            hits.evaluate("list => delete list.dataset.milliseconds")
            field.fill(word)
            page.locator("#search-hits[data-milliseconds]").wait_for(state="attached")
            taken.append(float(hits.get_attribute("data-milliseconds") or "nan"))
        browser.close()
    return taken


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=1000)
    wanted = parser.parse_args()
    found, searches = measure(wanted.reports)
    print(f"{wanted.reports} reports".ljust(44) + "wall   processor")
    for name, taken in found.items():
        print(f"  {name:36} {taken.wall:7.2f} s {taken.processor:9.2f} s")
    first, *others = searches
    print(f"  {'first search, the index loaded':36} {first:7.0f} ms")
    print(f"  {'search, median':36} {statistics.median(others):7.0f} ms")


if __name__ == "__main__":
    main()

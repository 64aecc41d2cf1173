"""The pages around the reports: front page, catalogue, lists, feeds, 404, shared assets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wardbook.messages import Language
from wardbook.pages.catalogue import describe_templates
from wardbook.pages.desk import Desk
from wardbook.pages.editions import edition_pages
from wardbook.pages.feeds import write_feed
from wardbook.pages.lists import Lists, ResultList, arrange_lists
from wardbook.pages.page import Page
from wardbook.pages.publish import lock_site
from wardbook.pages.requests import RequestLine, group_by_state
from wardbook.pages.results import Result, read_results
from wardbook.report.layout import read_assets
from wardbook.report.policy import (
    APACHE_FILE,
    page_policy,
    published_scripts,
    search_policy,
    write_apache,
)
from wardbook.report.voice import Voice
from wardbook.template.spec import Template

KEY_FILE = "unit-key.asc"
DOCS = "docs"
"""The folder of the documentation, which `wardbook.pages.docs` makes."""
PAGES_DEEP = 4
"""Levels of folders on which pages stand: `catalogue/NAME/request/index.html` is on the fourth."""
LATEST = 6
"""Results on the front page."""


@dataclass(frozen=True)
class UnitKey:
    """The unit's public key: its full fingerprint, and the armoured key itself."""

    fingerprint: str
    armoured: str

    @property
    def readable(self) -> str:
        """The fingerprint in groups of four, as people compare it."""
        return " ".join(re.findall(".{4}", self.fingerprint))


def build_site(
    public: Path,
    *,
    templates: Mapping[str, Template],
    language: Language,
    unit: str,
    url: str = "http://localhost/",
    key: UnitKey | None = None,
    pages: Iterable[Page] = (),
    requests: Iterable[RequestLine] | None = None,
) -> None:
    """Make the site's own pages from the templates and the reports that lie under `public`.

    A file appears whole; one that would not change is not written; a page that nothing calls for
    any more goes. Reports, documentation and the index of the search are only read.

    Args:
        unit: name of the unit, in the head of every page.
        url: under which readers see the site. Feeds name it; the page of missing addresses, which
            is shown at any depth, links from its path; all other pages link relatively.
        key: the unit's public key, with which readers check receipts.
        pages: what other rooms give to the site.
        requests: where the requests stand; None on a site that does not tell it.

    Raises:
        ReportProblem: the index card of a published report is missing or broken.
    """
    voice, given = Voice(language), tuple(pages)
    site = f"{url.rstrip('/')}/"
    with lock_site(public):
        for depth in range(PAGES_DEEP):
            for part in public.glob("*/" * depth + ".*.part"):
                if part.is_file():  # a killed process left it; under the lock nobody else writes
                    part.unlink()
        results = read_results(public)
        titles = {name: one.spec.title.in_language(language) for name, one in templates.items()}
        lists = arrange_lists(results, titles, voice)
        words = {
            "voice": voice,
            "unit": unit,
            "key": key,
            "entries": describe_templates(templates, voice),
            "lists": lists,
            "offered": {page.file for page in given},
            "documented": _documented(public),
            "places": _places(public, given, tells_requests=requests is not None),
        }
        desk = Desk(public, words)
        _write_pages(desk, results, given, requests)
        _write_lists(desk, lists, voice, unit, site)
        desk.page("404.html", "404.html.j2", root=urlsplit(site).path.rstrip("/"))
        if key is not None:
            desk.file(KEY_FILE, key.armoured.encode())
        _write_shared(desk)
        desk.sweep()


def _places(public: Path, pages: Iterable[Page], *, tells_requests: bool) -> dict[str, str]:
    """Return where the head of a page leads to, by name: what is there and nothing else."""
    files = {page.file for page in pages}
    places = {
        "home": "index.html",
        "results": "results/index.html",
        "catalogue": "catalogue/index.html",
        "dashboards": "dashboards/index.html",
        "requests": "requests/index.html",
        "docs": f"{DOCS}/index.html",
        "search": "search/index.html",
    }
    there = {
        "dashboards": places["dashboards"] in files,
        "requests": tells_requests,
        "docs": (public / places["docs"]).is_file(),
    }
    return {name: address for name, address in places.items() if there.get(name, True)}


def _documented(public: Path) -> set[str]:
    """Return the pages of the documentation that there are."""
    return {file.relative_to(public).as_posix() for file in public.glob(f"{DOCS}/**/*.html")}


def _write_pages(
    desk: Desk,
    results: tuple[Result, ...],
    given: Iterable[Page],
    requests: Iterable[RequestLine] | None,
) -> None:
    desk.page("index.html", "index.html.j2", {"latest": results[:LATEST]})
    desk.page("catalogue/index.html", "catalogue.html.j2")
    for entry in desk.words["entries"]:
        desk.page(f"catalogue/{entry.name}/index.html", "template.html.j2", {"entry": entry})
    if requests is not None:
        groups = group_by_state(requests)
        desk.page("requests/index.html", "requests.html.j2", {"groups": groups})
    desk.page("search/index.html", "search.html.j2")
    for page in (*edition_pages(results), *given):
        desk.page(page.file, page.template, page.words)


def _write_lists(desk: Desk, lists: Lists, voice: Voice, unit: str, site: str) -> None:
    for one in lists:
        for page in one.pages:
            desk.page(page.file, "results.html.j2", {"list": one, "page": page})
        if one.feed:
            title = _feed_title(one, voice)
            desk.file(
                one.feed,
                write_feed(
                    one.results,
                    title=f"{title} · {unit}",
                    unit=unit,
                    site=site,
                    folder=one.folder,
                    language=voice.language,
                ),
            )


def _feed_title(one: ResultList, voice: Voice) -> str:
    return one.label or voice.say("site.nav_results")


def _write_shared(desk: Desk) -> None:
    """Write the assets, and what Apache is to send; earlier scripts stay for earlier reports."""
    for name, content in read_assets().items():
        desk.file(f"assets/{name}", content)
    scripts = published_scripts(desk.public)
    for folder, policy in (("", page_policy(scripts)), ("search/", search_policy(scripts))):
        desk.file(f"{folder}{APACHE_FILE}", write_apache(policy).encode())

"""The site's own pages, brought up to date with what is published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from pipelines.house import House
from wardbook.domain.output import Channel
from wardbook.domain.record import Record
from wardbook.errors import WardbookError
from wardbook.messages import Language
from wardbook.seal import Fingerprint
from wardbook.template.spec import Template

if TYPE_CHECKING:
    from pipelines.story import Pass
    from wardbook.pages.build import UnitKey
    from wardbook.pages.page import Page, Target
    from wardbook.pages.requests import RequestLine


class _AboutUnit(TypedDict):
    templates: Mapping[str, Template]
    language: Language
    unit: str
    key: UnitKey


def rebuild_site(house: House) -> Path:
    """Make the front page, the catalogue and the lists anew; returns the site's folder."""
    from wardbook.pages.build import build_site

    folder, site = house.settings.site.folder, house.settings.site
    build_site(
        folder,
        **_about_unit(house),
        url=site.url,
        pages=site_pages(house),
        requests=list_requests(house),
    )
    return folder


def site_pages(house: House) -> tuple[Page, ...]:
    """Return the pages that other rooms give to the site."""
    from pipelines.dashboards import dashboard_pages
    from requests_sync.form_rules import gate_rules
    from wardbook.form.pages import form_pages

    language = house.settings.unit.language
    forms = form_pages(house.templates, house.settings, gate_rules(), language, house.today)
    return (*forms, *dashboard_pages(house))


def finish_site(house: House) -> Path:
    """Make the site's pages, then the index of its search; returns the site's folder."""
    from wardbook.pages.search import index_site

    folder = rebuild_site(house)
    index_site(folder, house.settings.unit.language)
    return folder


def build_everything(house: House) -> Path:
    """Make the documentation and the whole site, and follow every link; returns its folder.

    Raises:
        DocsFault, SearchFault: Sphinx or Pagefind failed.
        BrokenLinks: a link of any page leads nowhere.
    """
    from wardbook.pages.docs import build_docs
    from wardbook.pages.links import check_links

    unit = house.settings.unit
    build_docs(
        house.settings.site.folder,
        templates=house.templates,
        language=unit.language,
        unit=unit.name,
        cache=unit.state / "docs",
    )
    folder = finish_site(house)
    check_links(folder, _path_of(house.settings.site.url))
    return folder


def copy_for(house: House, target: Target, out: Path) -> None:
    """Leave a copy of the site for its readers in the new folder `out`, wholly or not at all."""
    from wardbook.pages.build import build_site
    from wardbook.pages.links import check_links
    from wardbook.pages.publish import copy_site
    from wardbook.pages.search import index_site
    from wardbook.pages.targets import copy_public

    site = house.settings.site
    if target == "internal":
        copy_site(site.folder, out)
        return
    url = site.public_url or site.url

    def finish(part: Path) -> None:
        pages = tuple(page for page in site_pages(house) if page.target == "public")
        build_site(part, **_about_unit(house), url=url, pages=pages)
        index_site(part, house.settings.unit.language)
        check_links(part, _path_of(url))

    copy_public(site.folder, out, finish)


def _about_unit(house: House) -> _AboutUnit:
    from wardbook.pages.build import UnitKey

    signer = house.settings.seal.signer
    return {
        "templates": house.templates,
        "language": house.settings.unit.language,
        "unit": house.settings.unit.name,
        "key": UnitKey(signer, house.keyring.export_public(Fingerprint(signer))),
    }


def _path_of(url: str) -> str:
    return f"{urlsplit(url).path.rstrip('/')}/"


def refresh_site(house: House, outcome: Pass) -> None:
    """After a pass in which something moved, bring the site and its search up to date, once."""
    if not outcome.moved:
        return
    try:
        finish_site(house)
    except (WardbookError, OSError) as error:
        outcome.faults["site"] = str(error)


def list_requests(house: House) -> tuple[RequestLine, ...]:
    """Return where each request of the ledger stands, without a word of its requester."""
    from wardbook.ledger.glance import glance

    _ = house.ledger  # opened, so that there is one to look at
    return tuple(_line_of(house, record) for record in glance(house.settings.ledger).records)


def _line_of(house: House, record: Record) -> RequestLine:
    from wardbook.pages.requests import RequestLine

    template = house.templates.get(record.request.template) if record.request else None
    moved = datetime.fromisoformat(record.changed_at).astimezone(house.zone)
    return RequestLine(
        key=record.key,
        topic=template.spec.title.in_language(house.settings.unit.language) if template else "",
        state=record.state,
        since=moved.date().isoformat(),
        address=_newest_report(house, record),
    )


def _newest_report(house: House, record: Record) -> str:
    """Return where a request's newest report stands below the site, "" without one."""
    for one in reversed(record.links.deliverables):
        page = Path(one.folder) / "index.html"
        if one.channel is Channel.SITE and page.is_file():
            return page.relative_to(house.settings.site.folder).as_posix()
    return ""

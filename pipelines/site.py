"""The site's own pages, brought up to date with what is published."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.house import House
from requests_sync.form_rules import gate_rules
from wardbook.domain.output import Channel
from wardbook.domain.record import Record
from wardbook.errors import WardbookError
from wardbook.seal import Fingerprint

if TYPE_CHECKING:
    from pipelines.story import Pass
    from wardbook.pages.requests import RequestLine


def rebuild_site(house: House) -> Path:
    """Make the front page, the catalogue and the lists anew; returns the site's folder."""
    from pipelines.dashboards import dashboard_pages
    from wardbook.form.pages import form_pages
    from wardbook.pages.build import UnitKey, build_site

    folder = house.settings.site.folder
    signer = house.settings.seal.signer
    build_site(
        folder,
        templates=house.templates,
        language=house.settings.unit.language,
        unit=house.settings.unit.name,
        url=house.settings.site.url,
        key=UnitKey(signer, house.keyring.export_public(Fingerprint(signer))),
        requests=list_requests(house),
        pages=(
            *form_pages(
                house.templates,
                house.settings,
                gate_rules(),
                house.settings.unit.language,
                house.today,
            ),
            *dashboard_pages(house),
        ),
    )
    return folder


def finish_site(house: House) -> Path:
    """Make the site's pages, then the index of its search; returns the site's folder."""
    from wardbook.pages.search import index_site

    folder = rebuild_site(house)
    index_site(folder, house.settings.unit.language)
    return folder


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

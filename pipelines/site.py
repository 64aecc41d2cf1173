"""The site's own pages, brought up to date with what is published."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pipelines.house import House
from requests_sync.form_rules import gate_rules
from wardbook.seal import Fingerprint


def rebuild_site(house: House) -> Path:
    """Make the front page, the catalogue and the lists anew; returns the site's folder."""
    from wardbook.form.pages import form_pages
    from wardbook.pages.build import UnitKey, build_site

    folder = house.settings.site.folder
    signer = house.settings.seal.signer
    build_site(
        folder,
        templates=house.templates,
        language=house.settings.unit.language,
        unit=house.settings.unit.name,
        base=urlsplit(house.settings.site.url).path or "/",
        key=UnitKey(signer, house.keyring.export_public(Fingerprint(signer))),
        pages=form_pages(
            house.templates, house.settings, gate_rules(), house.settings.unit.language, house.today
        ),
    )
    return folder

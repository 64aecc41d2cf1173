"""The site's own pages, brought up to date with what is published."""

from __future__ import annotations

from pathlib import Path

from pipelines.house import House
from wardbook.seal import Fingerprint


def rebuild_site(house: House) -> Path:
    """Make the front page, the catalogue and the lists anew; returns the site's folder."""
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
    )
    return folder

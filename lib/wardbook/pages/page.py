"""A page that another room gives to the site: the forms, the previews of dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """One page of the site.

    `file` is its place below the site's folder, with slashes; `template` names a file of
    `site/pages`, which is rendered with `words` and, beside these, with the voice, the unit, the
    unit's key, and the relative addresses of the site's root and assets.
    """

    file: str
    template: str
    words: Mapping[str, object]

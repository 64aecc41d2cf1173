"""A page that another room gives to the site: the forms, the previews of dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Target = Literal["internal", "public"]
"""For whom a site is built: for the hospital, or for everybody."""


@dataclass(frozen=True)
class Page:
    """One page of the site.

    `file` is its place below the site's folder, with slashes; `template` names a file of
    `site/pages`, which is rendered with `words` and, beside these, with the voice, the unit, the
    unit's key, and the relative addresses of the site's root and assets. Only what is declared
    `public` goes on the site for everybody.
    """

    file: str
    template: str
    words: Mapping[str, object]
    target: Target = "internal"

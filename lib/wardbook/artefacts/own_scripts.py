"""The scripts that come with the platform, which a report may load: told by their hash alone.

The element has nothing but the address below the shared assets and the hash of a file of ours; a
browser runs no other content under it.
"""

from __future__ import annotations

import re
from functools import cache

from wardbook.report.policy import Script
from wardbook.shipped import shipped_folder

_ELEMENT = re.compile(
    r'<script defer src="(?:\.\./)*assets/([a-z]{1,20}-[0-9a-f]{12}\.js)" '
    r'integrity="(sha256-[A-Za-z0-9+/]{43}=)"></script>'
)


def drop_own_scripts(html: str) -> str:
    """Return a page without the elements that load a script of ours; all else stays as it is."""
    return _ELEMENT.sub(lambda found: "" if _is_ours(found[1], found[2]) else found[0], html)


def _is_ours(file: str, integrity: str) -> bool:
    return Script(file, integrity) in _scripts()


@cache
def _scripts() -> frozenset[Script]:
    folder = shipped_folder("site") / "assets"
    return frozenset(Script.of(file.stem, file.read_bytes()) for file in folder.glob("*.js"))

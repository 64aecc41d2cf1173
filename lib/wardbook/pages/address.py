"""Names of reports on the site: safe in a path and in an address, whatever a ticket says."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

from wardbook.report.problem import ReportProblem

LONGEST = 80
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def slug_of(text: str) -> str:
    """Return `text` as a slug: lower-case ASCII letters and digits, words joined by hyphens.

    At most 80 characters. Different texts may share a slug, so put the request's key in. A text
    without any such letter gets the first 12 hex digits of its SHA-256.
    """
    folded = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe").replace("æ", "ae"))
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-")
    return slug or hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def edition_folder(public: Path, slug: str, edition: str) -> Path:
    """Return where an edition of a report stands, whether it is there or not.

    Raises:
        ReportProblem: `slug` or `edition` is not what `slug_of` returns.
    """
    for name in (slug, edition):
        if len(name) > LONGEST or not _SLUG.fullmatch(name):
            raise ReportProblem(f"{name!r} cannot be part of an address. Give it to slug_of first.")
    return public / "reports" / slug / edition

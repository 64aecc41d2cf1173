"""Sphinx's pages, made fit for the site: no second search, no script that nobody needs, a policy.

The theme's pages hold short scripts and styles of their own. Those that stay are admitted by their
hash; of the others nothing is left. Nothing is asked of any other server.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from wardbook.report.policy import write_apache

NOT_SHOWN = (
    *("search.html", "searchindex.js", "objects.inv", "_sources", "webpack-macros.html"),
    *("searchtools.js", "language_data.js", "*-stemmer.js", "sphinx_highlight.js", "doctools.js"),
    *("translations.js", "fontawesome.js*", "*.map", "*.LICENSE.txt"),
)
"""What of Sphinx's output is left out: its own search and the pictures of its icons."""

_LEFT_OUT = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'<dialog id="pst-search-dialog">.*?</dialog>',
        r'<link rel="search"[^>]*>',
        r"<script>\s*DOCUMENTATION_OPTIONS\.[^<]*</script>",
        r'<script[^>]*\bsrc="[^"]*(?:searchtools|language_data|searchindex|doctools|translations'
        r'|sphinx_highlight|fontawesome)\.js[^"]*"[^>]*></script>',
    )
)
_OWN = {
    "script": re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL),
    "style": re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL),
}


def tidy_pages(folder: Path) -> None:
    """Take out of every page what it does not need, and write its policy into it."""
    policy = docs_policy(folder)
    for file in folder.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for pattern in _LEFT_OUT:
            text = pattern.sub("", text)
        head = f'<head>\n    <meta http-equiv="Content-Security-Policy" content="{policy}">'
        file.write_text(text.replace("<head>", head, 1), encoding="utf-8")


def docs_policy(folder: Path) -> str:
    """Return the policy of the documentation in `folder`: its files, and what its pages hold."""
    held: dict[str, set[str]] = {"script": set(), "style": set()}
    for file in folder.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for pattern in _LEFT_OUT:
            text = pattern.sub("", text)
        for kind, pattern in _OWN.items():
            held[kind] |= {_hash(own) for own in pattern.findall(text)}
    sources = {kind: " ".join(["'self'", *sorted(hashes)]) for kind, hashes in held.items()}
    return (
        f"default-src 'none'; img-src 'self' data:; font-src 'self'; base-uri 'none'; "
        f"form-action 'none'; style-src {sources['style']}; script-src {sources['script']}"
    )


def apache_file(folder: Path) -> str:
    """Return the `.htaccess` of the documentation in `folder`."""
    return write_apache(docs_policy(folder))


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

"""The index of the site's search, made by Pagefind over what there is to read.

It is made of the pages as a whole, so it is made once for all that a pass has published.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from wardbook.errors import Fault
from wardbook.messages import Language
from wardbook.pages.publish import lock_site

INDEX = "search/pagefind"
READ = (
    "reports/*/*/index.html",
    "catalogue/*/index.html",
    "dashboards/*/index.html",
    "docs/**/*.html",
)
"""What is found: everything but lists, which would repeat it."""

_STAMP = ".stamp"
_UNNEEDED = ("*ui.css", "*ui.js", "pagefind-highlight.js")
_UNREAD = (
    *(".code", ".table-foot", ".headerlink", ".prev-next-area"),
    *(".bd-header-article", ".bd-footer-article", ".bd-sidebar-secondary"),
)


class SearchFault(Fault):
    """Pagefind could not make the index."""


def index_site(public: Path, language: Language) -> bool:
    """Make the index of the search anew if a page that it holds has changed.

    The former index serves until the new one is whole. Pages in the other language are found too,
    by the words as they stand.

    Returns:
        Whether anything had changed.

    Raises:
        SearchFault: Pagefind is missing or failed.
    """
    with lock_site(public):
        stamp = _stamp_of(public, language)
        index = public / INDEX
        if (index / _STAMP).is_file() and (index / _STAMP).read_text() == stamp:
            return False
        part = index.parent / ".index"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _run_pagefind(public, part / "made", language)
        _keep_needed(part / "made")
        (part / "made" / _STAMP).write_text(stamp)
        if index.is_dir():
            index.rename(part / "former")
        (part / "made").rename(index)
        shutil.rmtree(part)
    return True


def _stamp_of(public: Path, language: Language) -> str:
    files = sorted(file for pattern in READ for file in public.glob(pattern))
    stated = ((file.relative_to(public), file.stat()) for file in files)
    lines = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stated]
    return hashlib.sha256("\n".join([language, *lines]).encode()).hexdigest()


def _run_pagefind(public: Path, made: Path, language: Language) -> None:
    from pagefind.service import get_executable

    try:
        command = [
            str(get_executable()),
            *("--site", str(public), "--output-path", str(made), "--glob", f"{{{','.join(READ)}}}"),
            *("--root-selector", "main", "--exclude-selectors", ",".join(_UNREAD)),
            *("--force-language", language, "--keep-index-url", "--silent"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SearchFault(
            f"Pagefind did not run ({type(error).__name__}). Install the package pagefind-bin anew."
        ) from None
    if done.returncode != 0 or not (made / "pagefind.js").is_file():
        raise SearchFault(
            f"Pagefind made no index of {public} (status {done.returncode}): "
            f"{done.stderr.strip()[-300:]}"
        )


def _keep_needed(made: Path) -> None:
    """Drop Pagefind's own interfaces, and let the web server's account read the rest."""
    for name in _UNNEEDED:
        for file in made.glob(name):
            file.unlink()
    for path in (made, *made.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)

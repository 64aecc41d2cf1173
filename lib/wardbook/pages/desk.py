"""Where the site's own pages are written: each one whole, only if it changed, no stale one left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wardbook.files import write_atomically
from wardbook.report.layout import page_environment

OURS = ("catalogue", "dashboards", "requests", "results", "search")
"""Folders below the site's in which nobody else writes pages."""


class Desk:
    """Writes below `public`, under the site's lock; `words` are those that all pages know."""

    def __init__(self, public: Path, words: Mapping[str, Any]) -> None:
        self.public = public
        self.words = words
        self._written: set[str] = set()

    def page(
        self,
        file: str,
        template: str,
        words: Mapping[str, object] | None = None,
        *,
        root: str | None = None,
    ) -> None:
        """Render a page; it links to the site's root relatively unless `root` says otherwise."""
        if root is None:
            root = "/".join(".." for _ in Path(file).parent.parts) or "."
        page = page_environment().get_template(template)
        about = {**self.words, **(words or {}), "root": root, "assets": f"{root}/assets"}
        self.file(file, page.render(about).encode())

    def file(self, name: str, content: bytes) -> None:
        """Write a file unless it stands so already."""
        self._written.add(name)
        file = self.public / name
        if file.is_file() and file.read_bytes() == content:
            return
        file.parent.mkdir(exist_ok=True, parents=True)
        write_atomically(file, content, mode=0o644)

    def sweep(self) -> None:
        """Remove the pages and feeds that were not written this time."""
        for folder in OURS:
            for ending in ("html", "atom"):
                for file in self.public.glob(f"{folder}/**/*.{ending}"):
                    if file.relative_to(self.public).as_posix() not in self._written:
                        file.unlink()

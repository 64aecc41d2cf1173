"""The pages around the reports: front page, catalogue, results, 404, shared assets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wardbook.files import write_atomically
from wardbook.messages import Language
from wardbook.pages.catalogue import describe_templates
from wardbook.pages.page import Page
from wardbook.pages.publish import lock_site
from wardbook.pages.results import group_by_service, read_results
from wardbook.report.layout import page_environment, read_assets
from wardbook.report.policy import APACHE_FILE, page_policy, published_scripts, write_apache
from wardbook.report.voice import Voice
from wardbook.template.spec import Template

KEY_FILE = "unit-key.asc"
LATEST = 6
"""Results on the front page."""


@dataclass(frozen=True)
class UnitKey:
    """The unit's public key: its full fingerprint, and the armoured key itself."""

    fingerprint: str
    armoured: str

    @property
    def readable(self) -> str:
        """The fingerprint in groups of four, as people compare it."""
        return " ".join(re.findall(".{4}", self.fingerprint))


def build_site(
    public: Path,
    *,
    templates: Mapping[str, Template],
    language: Language,
    unit: str,
    base: str = "/",
    key: UnitKey | None = None,
    pages: Iterable[Page] = (),
) -> None:
    """Make the site's own pages from the templates and the reports that lie under `public`.

    A file appears whole; one that would not change is not written. Reports are only read.

    Args:
        unit: name of the unit, in the head of every page.
        base: path under which a server shows the site, for the page of missing addresses, which
            is shown at any depth; all other pages link relatively.
        key: the unit's public key, with which readers check receipts.
        pages: what other rooms give to the site.

    Raises:
        ReportProblem: the index card of a published report is missing or broken.
    """
    voice = Voice(language)
    with lock_site(public):
        for part in (*public.glob(".*.part"), *public.glob("*/.*.part")):
            part.unlink()  # what a killed process left; under the lock nobody else writes here
        results = read_results(public)
        words = {
            "voice": voice,
            "unit": unit,
            "entries": describe_templates(templates, voice),
            "latest": results[:LATEST],
            "services": group_by_service(results),
            "key": key,
        }
        for file, depth in (("index", "."), ("catalogue/index", ".."), ("results/index", "..")):
            _write_page(public, f"{file}.html", words, depth)
        for page in pages:
            root = "/".join(".." for _ in Path(page.file).parent.parts) or "."
            _render(public, page.file, page.template, {**words, **page.words}, root)
        _write_page(public, "404.html", words, base.rstrip("/"))
        if key is not None:
            _write_if_changed(public / KEY_FILE, key.armoured.encode())
        for name, content in read_assets().items():
            _write_if_changed(public / "assets" / name, content)
        policy = page_policy(published_scripts(public))
        _write_if_changed(public / APACHE_FILE, write_apache(policy).encode())


def _write_page(public: Path, file: str, words: Mapping[str, object], root: str) -> None:
    name = Path(file).parent.name or Path(file).stem
    _render(public, file, f"{name}.html.j2", words, root)


def _render(public: Path, file: str, template: str, words: Mapping[str, object], root: str) -> None:
    page = page_environment().get_template(template)
    text = page.render(words, root=root, assets=f"{root}/assets")
    _write_if_changed(public / file, text.encode())


def _write_if_changed(file: Path, content: bytes) -> None:
    if file.is_file() and file.read_bytes() == content:
        return
    file.parent.mkdir(exist_ok=True, parents=True)
    write_atomically(file, content, mode=0o644)

"""The documentation of the site, made by Sphinx: methods, tutorials, the platform's own pages.

Sources are gathered from where they are kept: `site/docs` (configuration and first pages), each
template's `methods.toml`, `notebooks` (executed by MyST-NB), `docs`. A link that leads nowhere, a
notebook that fails or any other warning of Sphinx stops the build, and the former pages stay.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from wardbook.errors import Fault
from wardbook.messages import Language
from wardbook.pages.build import DOCS
from wardbook.pages.docs_pages import NOT_SHOWN, apache_file, tidy_pages
from wardbook.pages.docs_sources import gather_sources
from wardbook.pages.publish import lock_site
from wardbook.report.policy import APACHE_FILE
from wardbook.template.spec import Template

_STAMP = ".stamp"
_LONGEST_SECONDS = 600


class DocsFault(Fault):
    """The documentation could not be built; the message has Sphinx's own words."""


def build_docs(
    public: Path,
    *,
    templates: Mapping[str, Template],
    language: Language,
    unit: str,
    cache: Path,
) -> bool:
    """Build the documentation into `public/docs` if any of its sources has changed.

    Args:
        cache: a folder of ours; notebooks that did not change are not executed again.

    Returns:
        Whether anything had changed.

    Raises:
        DocsFault: Sphinx warned or failed.
    """
    sources = dict(gather_sources(templates, language, unit))
    stamp = _digest(sources)
    docs = public / DOCS
    if (docs / _STAMP).is_file() and (docs / _STAMP).read_text() == stamp:
        return False
    folder = cache / "source"
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in sources.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    _run_sphinx(folder, cache)
    tidy_pages(cache / "html")
    (cache / "html" / APACHE_FILE).write_text(apache_file(cache / "html"))
    (cache / "html" / _STAMP).write_text(stamp)
    with lock_site(public):
        part = public / ".docs"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(cache / "html", part / "made", ignore=shutil.ignore_patterns(*NOT_SHOWN))
        for path in (part / "made", *(part / "made").rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if docs.is_dir():
            docs.rename(part / "former")
        (part / "made").rename(docs)
        shutil.rmtree(part)
    return True


def _digest(sources: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, content in sorted(sources.items()):
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def _run_sphinx(folder: Path, cache: Path) -> None:
    shutil.rmtree(cache / "html", ignore_errors=True)
    command = [
        *(sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q"),
        *("-d", str(cache / "doctrees"), "-D", f"nb_execution_cache_path={cache / 'executed'}"),
        *(str(folder), str(cache / "html")),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise DocsFault(f"Sphinx took more than {_LONGEST_SECONDS} s.") from None
    if done.returncode != 0:
        told = done.stderr.replace(f"{folder}/", "").strip()
        raise DocsFault(f"The documentation was not built:\n{told[-3000:]}")

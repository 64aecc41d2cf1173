"""Where the links of the site's pages lead: a broken one stops the build, by page and target."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from wardbook.errors import Fault

_MOST_TOLD = 20
# Every page is made by us, Jinja or Sphinx: values are quoted, and no text holds a bare "<".
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_VALUE = re.compile(r"""\s(href|src|id|name)=(?:"([^"]*)"|'([^']*)')""")


class BrokenLinks(Fault):
    """Links that lead nowhere; the message names pages and targets."""


@dataclass(frozen=True)
class BrokenLink:
    """A link of `page` (relative to the site) to `target`, as it is written there."""

    page: str
    target: str


@dataclass(frozen=True)
class _Linked:
    targets: tuple[str, ...]
    anchors: frozenset[str]


def check_links(public: Path, base: str = "/") -> None:
    """Follow every link of every page below `public` that does not lead to another server.

    Args:
        base: path under which the site is served, for links that begin with a slash.

    Raises:
        BrokenLinks: one of them leads to no file, or to no anchor of it.
    """
    broken = tuple(find_broken(public, base))
    if not broken:
        return
    told = [f"{one.page}: {one.target}" for one in broken[:_MOST_TOLD]]
    more = len(broken) - len(told)
    told += [f"and {more} more"] if more else []
    raise BrokenLinks("Links lead nowhere. Mend them, or what they lead to:\n" + "\n".join(told))


def find_broken(public: Path, base: str = "/") -> Iterator[BrokenLink]:
    """Yield the links that lead nowhere, page by page."""
    files = {file.relative_to(public).as_posix() for file in public.rglob("*") if file.is_file()}
    pages = {name: _read(public / name) for name in sorted(files) if name.endswith(".html")}
    for name, page in pages.items():
        for target in page.targets:
            if not _leads_somewhere(name, target, base, files, pages):
                yield BrokenLink(name, target)


def _leads_somewhere(
    name: str, target: str, base: str, files: set[str], pages: dict[str, _Linked]
) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    path = unquote(parts.path)
    if path.startswith("/"):
        if not path.startswith(base):
            return False
        found = path.removeprefix(base)
    else:
        found = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
    if found not in files:
        return False
    anchor = unquote(parts.fragment)
    return not anchor or found not in pages or anchor in pages[found].anchors


def _read(file: Path) -> _Linked:
    targets: dict[str, None] = {}
    anchors = set()
    for tag in _TAG.findall(file.read_text(encoding="utf-8")):
        for name, quoted, single in _VALUE.findall(tag):
            value = html.unescape(quoted or single)
            if name in ("id", "name"):
                anchors.add(value)
            elif value:
                targets[value] = None
    return _Linked(tuple(targets), frozenset(anchors))

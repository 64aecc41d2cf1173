"""Atom feeds (RFC 4287) of published editions: the same reports give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from xml.etree import ElementTree

from wardbook.messages import Language
from wardbook.pages.results import Edition, Result

NEWEST = 50
"""Editions in a feed: readers ask daily or so, and keep what they have seen."""

_ATOM = "http://www.w3.org/2005/Atom"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEVER = "1970-01-01T00:00:00+00:00"
ElementTree.register_namespace("", _ATOM)


def write_feed(
    results: Iterable[Result], *, title: str, unit: str, site: str, folder: str, language: Language
) -> bytes:
    """Return the feed of the newest editions of `results`.

    Args:
        site: absolute address of the site, with a slash at its end.
        folder: of the list that the feed belongs to, relative to the site.
    """
    editions = sorted(
        (edition for result in results for edition in result.editions),
        key=lambda edition: (edition.card.started.timestamp(), edition.address),
        reverse=True,
    )
    feed = ElementTree.Element(f"{{{_ATOM}}}feed", {_LANGUAGE: language})
    updated = editions[0].card.started.isoformat() if editions else _NEVER
    _add(feed, "id", f"{site}{folder}/feed.atom")
    _add(feed, "title", title)
    _add(feed, "updated", updated)
    _add(_add(feed, "author"), "name", unit)
    _add(feed, "link", rel="self", type="application/atom+xml", href=f"{site}{folder}/feed.atom")
    _add(feed, "link", rel="alternate", type="text/html", href=f"{site}{folder}/index.html")
    for edition in islice(editions, NEWEST):
        _add_entry(feed, edition, site)
    ElementTree.indent(feed)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add_entry(feed: ElementTree.Element, edition: Edition, site: str) -> None:
    card, address = edition.card, f"{site}{edition.address}/index.html"
    entry = _add(feed, "entry")
    _add(entry, "id", address)
    _add(entry, "title", card.title)
    _add(entry, "updated", card.started.isoformat())
    _add(entry, "link", rel="alternate", type="text/html", hreflang=card.language, href=address)
    _add(entry, "category", term=card.template, label=card.topic)
    _add(entry, "category", term=card.service)
    _add(entry, "summary", card.question)


def _add(
    parent: ElementTree.Element, name: str, text: str = "", **attributes: str
) -> ElementTree.Element:
    clean = {key: _without_controls(value) for key, value in attributes.items()}
    element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", clean)
    element.text = _without_controls(text) or None
    return element


def _without_controls(text: str) -> str:
    """Return `text` with the characters that XML cannot hold shown as missing."""
    return _NO_XML.sub("\ufffd", text)

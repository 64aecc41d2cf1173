"""Markdown to HTML by a safe path: raw HTML is escaped, then only known tags are let through."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import mistune
import nh3
from markupsafe import Markup

_BLOCKS = {"p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "pre", "blockquote"}
_TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
_TAGS = _BLOCKS | _TABLES | {"em", "strong", "a", "code"}
_ATTRIBUTES = {"a": {"href"}}


class _Renderer(mistune.HTMLRenderer):
    """Headings start at level 2: the page's title is its only heading of level 1."""

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return super().heading(text, min(max(level, 2), 6), **attrs)


def render_prose(markdown: str) -> Markup:
    """Return `markdown` as safe HTML: no raw HTML, image or script; links to http(s) or mail."""
    html = cast(str, _converter()(markdown))
    return Markup(_cleaner().clean(html))  # noqa: S704  cleaned by nh3 in this very line


@cache
def _converter() -> mistune.Markdown:
    return mistune.create_markdown(renderer=_Renderer(escape=True), plugins=["table"])


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="noopener noreferrer",
    )

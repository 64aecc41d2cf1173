"""Texts as people read them on the sandbox's pages: Markdown, and the little wiki markup we need.

Foreign text passes through here, so everything is escaped first and only our own tags are added.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from wardbook.report.prose import render_prose

_HIDDEN = re.compile(r"<!--.*?-->", re.DOTALL)
_ANCHOR = re.compile(r"(?<!\\)\{anchor:[^}]*\}")
_BULLET = re.compile(r"(\*{1,3}) +")
_INLINE = re.compile(
    r"\\(?P<escaped>[^\w\s]|_)|\{\{(?P<code>.+?)\}\}|(?P<link>https?://[^\s|\]]+)"
    r"|(?<![\w\\*])\*(?P<strong>[^*\s\\](?:[^*\\]*[^*\s\\])?)\*(?![\w*])"
)
_VERBATIM = re.compile(r"\{noformat\}\n(.*?)\n?\{noformat\}", re.DOTALL)


def show_markdown(text: str) -> Markup:
    """Return GitLab's Markdown as safe HTML; hidden comments stay hidden."""
    return render_prose(_HIDDEN.sub("", text))


def show_wiki(text: str) -> Markup:
    """Return Jira's wiki markup as safe HTML; anchors are hidden.

    Bullets, bold, monospace, text as typed, links and escapes are read; all other markup is shown.
    """
    parts = _VERBATIM.split(_ANCHOR.sub("", text.replace("\r", "")).strip())
    return Markup("").join(
        Markup("<pre>{}</pre>").format(part) if number % 2 else _show_lines(part)
        for number, part in enumerate(parts)
    )


def _show_lines(text: str) -> Markup:
    lines = text.strip("\n").split("\n") if text.strip() else []
    return Markup("").join(_show_line(line) for line in lines)


def _show_line(line: str) -> Markup:
    bullet = _BULLET.match(line)
    depth = len(bullet[1]) if bullet else 0
    shown, position = Markup(), bullet.end() if bullet else 0
    for found in _INLINE.finditer(line, position):
        shown += escape(line[position : found.start()]) + _show_inline(found)
        position = found.end()
    shown += escape(line[position:])
    return Markup('<div class="wiki-{}">{}</div>').format(depth, shown or Markup("&nbsp;"))


def _show_inline(found: re.Match[str]) -> Markup:
    if found["escaped"]:
        return escape(found["escaped"])
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["strong"]:
        return Markup("<strong>{}</strong>").format(found["strong"])
    return Markup('<a href="{0}" rel="noopener">{0}</a>').format(found["link"])

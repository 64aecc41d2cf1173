"""Jira's inline markup, read from left to right once.

A mark opens or closes a style by what stands beside it, as in Jira; a mark without its partner on
the same line is literal. At most one of each style is open, so nesting is bounded by their number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from requests_sync.markup.tree import Code, Inline, Inlines, Lines, Link, Style, Styled, Text
from requests_sync.markup.wiki_macros import OPEN, PLACEHOLDER

_NEXT = re.compile(
    r"""
      (?P<break>\\\\|\n)
    | \\(?P<escaped>[^\w\s\x01\x02]|_)
    | (?P<entity>&\#92;)
    | (?P<mono>\{\{)
    | \{(?P<forced>[*_+\-^~])\}
    | (?<=\w)(?P<short>[\^~])(?P<digits>[+\-]?[0-9]{1,4})(?P=short)
    | (?P<mark>[*_+\-^~])
    | (?P<bracket>\[)
    | (?P<image>!)
    | (?<!\w)(?P<url>https?://[^\s<>"|\[\]{}\\^`\x01]+)
    | (?P<block>\x01[0-9]+\x02)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MONO_END = re.compile(r"\}\}(?!\})|\n|\x01")
_LINK = re.compile(r"\[((?:\\.|[^\[\]\\\n\x01])*)\]")
_IMAGE = re.compile(r"!([^\s!|][^!|\n\x01]*)(\|[^!\n\x01]*)?!(?!\w)")
_FILE_NAME = re.compile(r"\.\w{1,5}$")
_ESCAPE = re.compile(r"\\([^\w\s]|_)")
_LINK_LOOKS = ("smart-link", "smart-card", "smart-embed", "block-link")

Flatten = Callable[[int], Inlines]


@dataclass
class _Open:
    style: Style | None
    typed: str = ""
    inlines: list[Inline] = field(default_factory=list)


def read_inlines(text: str, flatten: Flatten, links: bool = True) -> Lines:
    """Return the lines of a text; `flatten` gives the inlines of the block behind a placeholder."""
    return _Inlines(text, flatten, links).read()


class _Inlines:
    def __init__(self, text: str, flatten: Flatten, links: bool) -> None:
        self._text = text
        self._flatten = flatten
        self._links = links
        self._lines: list[Inlines] = []
        self._open = [_Open(None)]
        self._no_mono_before = 0

    def read(self) -> Lines:
        position = 0
        while found := _NEXT.search(self._text, position):
            self._say(self._text[position : found.start()])
            position = self._take(found)
        self._say(self._text[position:])
        self._end_line()
        return tuple(self._lines)

    def _take(self, found: re.Match[str]) -> int:
        """Deal with what was found and return where reading goes on."""
        kind = found.lastgroup or ""
        if kind == "digits":
            return self._take_short(found)
        return int(getattr(self, f"_take_{kind}")(found))

    def _take_break(self, found: re.Match[str]) -> int:
        self._end_line()
        return found.end()

    def _take_escaped(self, found: re.Match[str]) -> int:
        self._say(found["escaped"])
        return found.end()

    def _take_entity(self, found: re.Match[str]) -> int:
        self._say("\\")
        return found.end()

    def _take_short(self, found: re.Match[str]) -> int:
        self._add(Styled(Style(found["short"]), (Text(found["digits"]),)))
        return found.end()

    def _take_block(self, found: re.Match[str]) -> int:
        placeholder = PLACEHOLDER.match(found["block"])
        for inline in self._flatten(int(placeholder[1])) if placeholder else ():
            self._add(inline)
        return found.end()

    def _take_mono(self, found: re.Match[str]) -> int:
        if found.start() >= self._no_mono_before:
            end = _MONO_END.search(self._text, found.end())
            if end is not None and end[0] == "}}" and end.start() > found.end():
                inside = self._text[found.end() : end.start()]
                # Jira's own editor leaves empty braces at the edges.
                inside = inside.removeprefix("{}").removesuffix("{}")
                self._add(Code(_ESCAPE.sub(r"\1", inside).strip()))
                return end.end()
            self._no_mono_before = len(self._text) if end is None else end.end()
        self._say(found[0])
        return found.end()

    def _take_url(self, found: re.Match[str]) -> int:
        url = found["url"].rstrip(".,;:!?'*_")
        if url.endswith(")") and "(" not in url:
            url = url.rstrip(").,;:!?'*_")
        if self._links:
            self._add(Link((), url))
        else:
            self._say(url)
        return found.start() + len(url)

    def _take_bracket(self, found: re.Match[str]) -> int:
        link = _LINK.match(self._text, found.start()) if self._links else None
        inline = _read_link(link[1], self._flatten) if link else None
        if link is None or inline is None:
            self._say("[")
            return found.end()
        self._add(inline)
        return link.end()

    def _take_image(self, found: re.Match[str]) -> int:
        image = _IMAGE.match(self._text, found.start())
        before = self._text[found.start() - 1 : found.start()]
        if image and not before.isalnum() and (image[2] or _FILE_NAME.search(image[1])):
            self._add(Code(image[1].strip()))
            return image.end()
        self._say("!")
        return found.end()

    def _take_mark(self, found: re.Match[str]) -> int:
        mark, start, end = found[0], found.start(), found.end()
        before = self._text[start - 1] if start else " "
        after = self._text[end] if end < len(self._text) else " "
        doubled = mark in (before, after)
        style = Style(mark)
        if self._is_open(style) and not (doubled or before.isspace() or after.isalnum()):
            self._close(style)
        elif not (doubled or before.isalnum() or after.isspace()):
            self._begin(style, mark)
        else:
            self._say(mark)
        return end

    def _take_forced(self, found: re.Match[str]) -> int:
        style = Style(found["forced"])
        if self._is_open(style):
            self._close(style)
        else:
            self._begin(style, found[0])
        return found.end()

    def _is_open(self, style: Style) -> bool:
        return any(opened.style is style for opened in self._open)

    def _begin(self, style: Style, typed: str) -> None:
        while self._is_open(style):
            self._give_up()
        self._open.append(_Open(style, typed))

    def _close(self, style: Style) -> None:
        while self._open[-1].style is not style:
            self._give_up()
        done = self._open.pop()
        self._add(Styled(style, tuple(done.inlines)))

    def _give_up(self) -> None:
        """Take the innermost open mark for literal text."""
        done = self._open.pop()
        self._say(done.typed)
        self._open[-1].inlines.extend(done.inlines)

    def _end_line(self) -> None:
        while len(self._open) > 1:
            self._give_up()
        self._lines.append(tuple(self._open[0].inlines))
        self._open = [_Open(None)]

    def _say(self, text: str) -> None:
        if text:
            self._add(Text(text))

    def _add(self, inline: Inline) -> None:
        self._open[-1].inlines.append(inline)


def _read_link(inside: str, flatten: Flatten) -> Code | Link | None:
    """Return what stands in brackets, or None when it is no link but text in brackets."""
    if inside[:1] in ("~", "^"):
        return Code(inside[1:].strip()) if inside[1:].strip() else None
    parts = inside.split("|")
    if len(parts) > 1 and parts[-1].strip() in _LINK_LOOKS:
        parts.pop()
    target = parts[-1].strip()
    if len(parts) == 1:
        is_url = target.lower().startswith(("http://", "https://", "mailto:"))
        return Link((), target) if is_url and " " not in target else None
    if len(parts) != 2 or not target:
        return None
    if parts[0].strip() in (target, ""):
        return Link((), target)
    lines = read_inlines(parts[0], flatten, links=False)
    return Link(tuple(inline for line in lines for inline in line), target)


def holds_placeholder(text: str) -> bool:
    """Tell whether a block of a macro stands in this text."""
    return OPEN in text

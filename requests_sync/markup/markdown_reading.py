"""GitLab's Markdown as markdown-it-py's tokens: CommonMark with tables and strikethrough."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from markdown_it import MarkdownIt, helpers
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# The HTML that means the same in both markups; all other HTML is shown as it was typed.
OUR_TAGS = frozenset(f"<{slash}{tag}>" for tag in ("ins", "sup", "sub") for slash in ("", "/"))
# Deeper blocks the library leaves out.
_DEEPEST = 60
# Characters that may be looked through for the ends of links. The library looks from each opening
# bracket anew, so that brackets without an end cost the square of their number.
_MOST_WORK = 2_000_000


class TooCostlyError(Exception):
    """A text is nested too deeply, or reading it would take too long."""


class _Reader(MarkdownIt):
    """Addresses stay as they were typed, so that they compare; looking for links is metered."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"maxNesting": _DEEPEST})
        self.enable(["table", "strikethrough"])
        metered: Any = SimpleNamespace(
            parseLinkLabel=_find_label_end,
            parseLinkDestination=helpers.parseLinkDestination,
            parseLinkTitle=helpers.parseLinkTitle,
        )
        self.helpers = metered

    def normalizeLink(self, url: str) -> str:  # noqa: N802  the library's name
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802  the library's name
        return link


def _find_label_end(state: StateInline, start: int, disable_nested: bool = False) -> int:
    end = helpers.parseLinkLabel(state, start, disable_nested)
    state.env["work"] += (len(state.src) if end < 0 else end) - start
    if state.env["work"] > _MOST_WORK:
        raise TooCostlyError
    return end


def read_markdown(text: str) -> list[Token]:
    """Return the tokens of a text. Raise TooCostlyError instead of losing text or time."""
    tokens = _reader().parse(text, {"work": 0})
    if any(token.level >= _DEEPEST - 2 for token in tokens):
        raise TooCostlyError
    return tokens


def first_number(token: Token) -> int | None:
    """Return the number with which an ordered list begins, unless it is 1."""
    start = token.attrGet("start") if token.type == "ordered_list_open" else None
    return None if start is None else int(start)


@cache
def _reader() -> _Reader:
    return _Reader()

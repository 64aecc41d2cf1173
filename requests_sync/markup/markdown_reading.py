"""GitLab's Markdown as markdown-it-py's tokens: CommonMark with tables and strikethrough."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

# The HTML that means the same in both markups; all other HTML is shown as it was typed.
OUR_TAGS = frozenset(f"<{slash}{tag}>" for tag in ("ins", "sup", "sub") for slash in ("", "/"))
_DEEPEST = 60


class _Reader(MarkdownIt):
    """Addresses stay as they were typed, so that they compare."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802  the library's name
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802  the library's name
        return link


def read_markdown(text: str) -> list[Token]:
    """Return the tokens of a text."""
    return _reader().parse(text)


def is_too_deep(tokens: Sequence[Token]) -> bool:
    """Tell whether blocks are nested so deeply that the library leaves some out."""
    return any(token.level >= _DEEPEST - 2 for token in tokens)


def first_number(token: Token) -> int | None:
    """Return the number with which an ordered list begins, unless it is 1."""
    start = token.attrGet("start") if token.type == "ordered_list_open" else None
    return None if start is None else int(start)


@cache
def _reader() -> MarkdownIt:
    reader = _Reader("commonmark", {"maxNesting": _DEEPEST})
    return reader.enable(["table", "strikethrough"])

"""The words that a reader sees, to tell whether a conversion lost any.

Both readings are independent of the converters and simple. A word is a run of letters and digits;
whatever else stands between two of them separates them. Of a link the text counts and then its
target, once when they are the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from markdown_it.token import Token

from requests_sync.foreign_text import drop_controls
from requests_sync.markup.markdown_reading import (
    OUR_TAGS,
    TooCostlyError,
    first_number,
    read_markdown,
)

_WORD = re.compile(r"[^\W_]+")
_VERBATIM_OR_MACRO = re.compile(
    r"\\."
    r"|\{(?P<verbatim>code|noformat)(?P<about>:[^{}\n]*)?\}"
    r"|\{(?P<block>quote|panel)(?P<title>:[^{}\n]*)?\}"
    r"|\{(?:color|anchor)(?::[^{}\n]*)?\}",
    re.IGNORECASE,
)
_TITLE = re.compile(r"[:|]\s*title\s*=([^|]*)", re.IGNORECASE)
_UNSEEN = re.compile(
    r"^[ \t]*(?:h[1-6]|bq)\.(?=[ \t])"  # a heading's or quotation's mark
    # the text of a link, where it is the target as well
    r"|(?:(?<=[^\\]\[)|(?<=^\[))(?P<same>[^\[\]|\n]+)\|(?=(?P=same)[\]|])"
    r"|(?<=\|)(?:smart-link|smart-card|smart-embed|block-link)(?=\])"
    r"|(?<![^\W_])(?<!\\)!(?P<image>[^\s!|][^!|\n]*)\|[^!\n]*!(?!\w)"
    r"|(?<!\\)&\#92;",  # a backslash
    re.IGNORECASE | re.MULTILINE,
)


def words_of_wiki(text: str) -> list[str]:
    """Return the words of a text in Jira's wiki markup."""
    return _words("".join(_shown_in_wiki(drop_controls(text))))


def words_of_markdown(text: str) -> list[str]:
    """Return the words of a text in GitLab's Markdown; all of them where it cannot be read."""
    clean = drop_controls(text)
    try:
        return words_of_tokens(read_markdown(clean))
    except TooCostlyError:
        return _words(clean)


def words_of_tokens(tokens: Sequence[Token]) -> list[str]:
    """Return the words of a text in Markdown that has been read already."""
    return _words("\n".join(_shown_in_markdown(tokens)))


def _words(text: str) -> list[str]:
    shown = unicodedata.normalize("NFC", unquote(text) if "%" in text else text)
    return _WORD.findall(shown)


def _shown_in_wiki(text: str) -> Iterator[str]:
    """Yield what is shown; what stands between verbatim blocks is joined before it is read."""
    position, markup, unclosed = 0, [], set[str]()
    while found := _VERBATIM_OR_MACRO.search(text, position):
        markup.append(text[position : found.start()])
        position = found.end()
        name = (found["verbatim"] or "").lower()
        if found[0].startswith("\\"):
            markup.append(found[0])
        elif found["block"]:
            markup.append(f"\n{_title_in(found['title'])}\n")
        elif name in unclosed:
            markup.append(found[0])
        elif name:
            end = re.compile("{" + name + "}", re.IGNORECASE).search(text, position)
            if end is None:
                unclosed.add(name)
                markup.append(found[0])
                continue
            yield _shown_of_markup("".join(markup)) + f"\n{_title_in(found['about'])}\n"
            yield text[position : end.start()] + "\n"
            position, markup = end.end(), []
    yield _shown_of_markup("".join([*markup, text[position:]]))


def _shown_of_markup(text: str) -> str:
    return _UNSEEN.sub(lambda found: f" {found['image'] or ''} ", text)


def _title_in(parameters: str | None) -> str:
    title = _TITLE.search(parameters or "")
    return title[1] if title else ""


def _shown_in_markdown(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield what is shown of each token, and the number with which an ordered list begins."""
    links: list[tuple[str, list[str]]] = []
    numbers: list[int | None] = []
    for token in tokens:
        shown: list[str] = []
        if token.type in ("ordered_list_open", "bullet_list_open"):
            numbers.append(first_number(token))
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            numbers.pop()
        elif token.type == "list_item_open":
            shown = [] if numbers[-1] is None else [str(numbers[-1])]
            numbers[-1] = None if numbers[-1] is None else numbers[-1] + 1
        elif token.type == "link_open":
            links.append((str(token.attrGet("href")), []))
        elif token.type == "link_close":
            href, texts = links.pop()
            shown = [] if "".join(texts) == href else [href]
        elif token.type == "image":
            alternative, source = (
                list(_shown_in_markdown(token.children or [])),
                token.attrGet("src"),
            )
            shown = alternative + ([] if "".join(alternative) == source else [str(source)])
        elif token.type == "inline":
            shown = list(_shown_in_markdown(token.children or []))
        elif token.type != "html_inline" or token.content not in OUR_TAGS:
            shown = [token.content]
        for _, texts in links:
            texts.extend(shown)
        yield from shown

"""Conversion with its guard: what would lose a word is shown as it was typed."""

from __future__ import annotations

import re

from requests_sync.foreign_text import drop_controls, quote_for_gitlab
from requests_sync.markup.gitlab_blocks import quote_blocks
from requests_sync.markup.jira_blocks import write_blocks, write_verbatim
from requests_sync.markup.markdown_reading import TooCostlyError, read_markdown
from requests_sync.markup.wiki_blocks import read_wiki
from requests_sync.markup.words import words_of_markdown, words_of_tokens, words_of_wiki

# What Jira takes by default; the worst text of this length was measured to take below 2 s.
LONGEST = 32_767
_SURROGATE = re.compile("[\ud800-\udfff]")


def to_markdown(wiki: str, *, gitlab_host: str = "") -> str:
    """Return Jira's wiki markup as GitLab's Markdown, every line of it quoted.

    A link whose address names `gitlab_host` becomes code, since GitLab would cross-reference what
    it leads to. A text that is too long, or of which a word would be lost, is quoted as typed.
    """
    clean = _clean(wiki)
    if len(clean) <= LONGEST:
        markdown = quote_blocks(read_wiki(clean), gitlab_host)
        if words_of_markdown(markdown) == words_of_wiki(clean):
            return markdown
    return quote_for_gitlab(clean)


def to_wiki(markdown: str) -> str:
    """Return GitLab's Markdown as Jira's wiki markup, in which only we write macros and links.

    A text that is too long, or of which a word would be lost, is shown as typed.
    """
    clean = _clean(markdown)
    wiki = _convert_markdown(clean) if len(clean) <= LONGEST else None
    return write_verbatim(clean) if wiki is None else wiki


def _convert_markdown(markdown: str) -> str | None:
    """Return wiki markup with all words, or None."""
    try:
        tokens = read_markdown(markdown)
    except TooCostlyError:
        return None
    wiki = write_blocks(tokens)
    return wiki if words_of_wiki(wiki) == words_of_tokens(tokens) else None


def _clean(text: str) -> str:
    """Drop control characters, and replace halves of characters, which no server takes."""
    return _SURROGATE.sub("\ufffd", drop_controls(text))

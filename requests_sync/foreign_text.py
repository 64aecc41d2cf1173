"""Foreign text made harmless: whatever a requester typed is shown, and does nothing.

GitLab runs quick actions at the start of a line, after deleting carriage returns, and mentions
people at `@name`. Jira runs macros in braces and links in brackets.
"""

from __future__ import annotations

import re
import unicodedata

# What opens a macro, a link, a mention, an image, a table cell or an escape. Emphasis stays:
# it changes the look of a word and nothing else.
_WIKI = re.compile(r"([\\{}\[\]|!~])")
# White space but for what French typography does not let a line break at.
_BREAKABLE = re.compile(r"[^\S\u00a0\u202f]+")
_TITLE_LENGTH = 200


def quote_for_gitlab(text: str) -> str:
    """Return foreign text as a quoted block of literal text in GitLab's Markdown.

    Each line stands in a block quote, as indented code: no line begins with a slash, nothing
    inside is markup, and there is no fence that the text could close.
    """
    lines = drop_controls(text).split("\n")
    return "\n".join(f">     {line}".rstrip() for line in lines)


def title_of(text: str) -> str:
    """Return foreign text as the one line that a title may be."""
    line = " ".join(drop_controls(text).split())
    return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1] + "…"


def inline_code(text: str) -> str:
    """Return foreign text as one line of code in Markdown, which it cannot close, nor a table."""
    line = " ".join(drop_controls(text).replace("`", "'").replace("|", "\\|").split())
    return f"`{line or ' '}`"


def quote_for_jira(text: str) -> str:
    """Return foreign text as one line of literal text in Jira's wiki markup."""
    line = _BREAKABLE.sub(" ", drop_controls(text)).strip()
    return _WIKI.sub(r"\\\1", line)


def drop_controls(text: str) -> str:
    """Drop carriage returns and all other control characters except line feed and tab.

    Unicode's own line ends become line feeds, so that what reads as a new line is quoted as one;
    format characters go too, since directional overrides make text read as what it is not.
    """
    text = re.sub("[\v\f\x85\u2028\u2029]|\r\n", "\n", text)
    return "".join(
        char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf"}
    )

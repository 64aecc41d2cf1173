"""An analyst's note as Jira's wiki markup, written from the tokens of its Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from requests_sync.markup.jira_inlines import write_lines, write_literal
from requests_sync.markup.markdown_reading import first_number

# Jira refuses to show code of a language that it does not know.
_LANGUAGES = frozenset(
    [
        "bash", "c", "c++", "c#", "css", "groovy", "haskell", "html",
        "java", "javascript", "json", "lua", "perl", "php", "python", "r",
        "ruby", "scala", "sql", "swift", "xml", "yaml",
    ]
)  # fmt: skip
_LANGUAGE_NAMES = {
    "cpp": "c++", "csharp": "c#", "js": "javascript", "py": "python", "sh": "bash", "shell": "bash",
    "yml": "yaml",
}  # fmt: skip
# What would close a verbatim block, and what would read as a mark of ours on a line of its own.
_ENDING = re.compile(r"\{(?=code|noformat|anchor)", re.IGNORECASE)


def write_blocks(tokens: Sequence[Token]) -> str:
    """Return wiki markup for the tokens of a whole text."""
    return "\n\n".join(_Writer(tokens).write())


def write_verbatim(text: str, language: str = "") -> str:
    """Return a block of literal text that cannot be closed from inside."""
    name = language.strip().lower()
    name = _LANGUAGE_NAMES.get(name, name)
    opening, macro = (f"code:{name}", "code") if name in _LANGUAGES else ("noformat", "noformat")
    return f"{{{opening}}}\n{_ENDING.sub('{ ', text)}\n{{{macro}}}"


class _Writer:
    """Walks through the tokens once; each method leaves the place behind what it wrote."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._quoted = False

    def write(self, until: str = "") -> list[str]:
        """Return the blocks up to a closing token."""
        blocks: list[str] = []
        while self._place < len(self._tokens):
            token = self._next()
            if token.type == until:
                break
            blocks.extend(block for block in self._write_block(token, "") if block)
        return blocks

    def _next(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _write_block(self, token: Token, path: str) -> Iterator[str]:
        """Yield a block; `path` holds the markers of the lists around it."""
        match token.type:
            case "inline":
                yield "\n".join(write_lines(token.children or []))
            case "heading_open":
                text = " ".join(write_lines(self._next().children or []))
                yield f"h{token.tag[1]}. {text}" if text else ""
            case "fence" | "code_block":
                yield write_verbatim(token.content.removesuffix("\n"), token.info)
            case "blockquote_open":
                yield self._write_quote()
            case "bullet_list_open" | "ordered_list_open":
                yield "\n".join(self._write_list(token, path))
            case "table_open":
                yield "\n".join(self._write_rows())
            case "html_block":
                yield "\n".join(write_literal(token.content))
            case "hr":
                yield "----"

    def _write_quote(self) -> str:
        """Return a quotation; one inside another is part of it, since Jira cannot nest them."""
        if self._quoted:
            return "\n\n".join(self.write("blockquote_close"))
        self._quoted = True
        blocks = "\n\n".join(self.write("blockquote_close"))
        self._quoted = False
        return f"{{quote}}\n{blocks}\n{{quote}}" if blocks else ""

    def _write_list(self, opening: Token, path: str) -> Iterator[str]:
        """Yield the items; Jira counts from 1 only, so other numbers are written out."""
        number = first_number(opening)
        marker = path + ("#" if opening.type == "ordered_list_open" else "*")
        while self._next().type == "list_item_open":
            shown = marker if number is None else f"{number}."
            number = None if number is None else number + 1
            yield from self._write_item(shown, marker if number is None else path)

    def _write_item(self, shown: str, path: str) -> Iterator[str]:
        first = True
        while (token := self._next()).type != "list_item_close":
            stands_apart = token.type.endswith("list_open") or token.type == "table_open"
            for block in self._write_block(token, path):
                if not block:
                    continue
                yield f"{shown} {block}" if first and not stands_apart else block
                first = False
        if first and shown != path:
            yield shown  # a number is a word, also beside nothing

    def _write_rows(self) -> Iterator[str]:
        while (token := self._next()).type != "table_close":
            if token.type == "tr_open":
                yield self._write_row()

    def _write_row(self) -> str:
        row, bar = "", "|"
        while (token := self._next()).type != "tr_close":
            if token.type in ("th_open", "td_open"):
                bar = "||" if token.type == "th_open" else "|"
                row += bar
            elif token.type == "inline":
                row += " ".join(write_lines(token.children or [])) or " "
        return row + bar

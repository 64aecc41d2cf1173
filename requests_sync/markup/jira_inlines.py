"""Inlines as Jira's wiki markup in which foreign text does nothing.

Every character that opens a macro, a link, a mention, an image or a cell is escaped; phrase marks
are, unless they stand inside a word or between spaces, where Jira reads none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from urllib.parse import quote

from markdown_it.token import Token

_SPECIAL = re.compile(
    r"""
      (?P<always>[{}\[\]|!~^])
    | (?P<mark>[*_+\-])
    | (?P<backslash>\\)
    | \((?=(?:[/!?+\-xyni*cr]|tm|on|off|flag|flagoff|\*[rgby])\))      # pictures
    | [:;](?=[)(PD])
    | \?(?=\?) | (?<=\?)\?
    | &(?=\#?\w+;)
    | :(?=//)
    """,
    re.VERBOSE,
)
_URL = re.compile(r"(?<!\w)https?://[^\s<>\"|\[\]{}\\^`!*~]+", re.IGNORECASE)
_SAFE_TARGET = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_UNSAFE_IN_TARGET = re.compile(r"[\[\]{}|\\^!*~\"<>`]")
_LINE_START = re.compile(
    r"(?=[#*\-]+[ \t])|(?=-{4})|(?<=h[1-6])(?=\.)|(?<=bq)(?=\.)", re.IGNORECASE
)
_IN_LINK_TEXT = str.maketrans("[]|\n", "()/ ")
_MARKS = {"strong": "*", "em": "_", "s": "-", "<ins>": "+", "<sup>": "^", "<sub>": "~"}
BREAK = "\n"


@dataclass(frozen=True)
class _Mark:
    """Where a style begins or ends."""

    name: str
    begins: bool


def write_lines(inlines: Sequence[Token]) -> list[str]:
    """Return the lines of a paragraph; none of them begins a block of its own."""
    text = "".join(_write_marks(_pieces(inlines)))
    return [escape_line_start(line.strip()) for line in text.split(BREAK) if line.strip()]


def write_literal(text: str) -> list[str]:
    """Return lines of literal text."""
    lines = (escape(line.strip()) for line in text.split("\n"))
    return [escape_line_start(line) for line in lines if line]


def escape_line_start(line: str) -> str:
    """Keep what begins a line from being read as a list, a heading, a quotation or a rule."""
    found = _LINE_START.search(line, 0, 4)
    before = line[: found.start()] if found else line
    starts = found is not None and before.lower() in ("", "bq", *(f"h{n}" for n in range(1, 7)))
    return f"{before}\\{line[len(before) :]}" if starts else line


def escape(text: str) -> str:
    """Return literal text on one line."""
    return _SPECIAL.sub(_escape_found, text)


def _escape_found(found: re.Match[str]) -> str:
    text, start, end = found.string, found.start(), found.end()
    before, after = text[start - 1 : start], text[end : end + 1]
    if found["backslash"]:
        # Two backslashes would break the line; the entity is what Jira shows as one.
        return "\\" if after.isalnum() else "&#92;"
    inside = before.isalnum() and after.isalnum()
    apart = before.isspace() and after.isspace()
    return found[0] if found["mark"] and (inside or apart) else f"\\{found[0]}"


def _pieces(inlines: Sequence[Token]) -> list[str | _Mark]:
    pieces: list[str | _Mark] = []
    links: list[tuple[str, list[str]]] = []
    for token in inlines:
        if token.type == "link_open":
            links.append((str(token.attrGet("href")), []))
        elif token.type == "link_close":
            target, texts = links.pop()
            link = _write_link("".join(texts), target)
            joins = link[:1].isalnum() and _text_at(pieces, len(pieces) - 1)[-1:].isalnum()
            pieces.append(f" {link}" if joins else link)
        elif links:
            links[-1][1].append(_plain(token))
        else:
            pieces.extend(piece for piece in _write_inline(token) if piece)
    return pieces


def _plain(token: Token) -> str:
    """Return what a token says, without its looks: the text of a link is plain in Jira."""
    if token.type == "image":
        alternative = "".join(_plain(child) for child in token.children or [])
        return f"{alternative} {token.attrGet('src')}"
    if token.type == "html_inline" and _mark_of(token):
        return ""
    return " " if token.type in ("softbreak", "hardbreak") else token.content


def _write_inline(token: Token) -> list[str | _Mark]:
    mark = _mark_of(token)
    if mark:
        return [mark]
    match token.type:
        case "softbreak":
            return [" "]
        case "hardbreak":
            return [BREAK]
        case "code_inline":
            code = escape(token.content.strip())
            return [f"{{{{{code}}}}}"] if code else []
        case "image":
            alternative = "".join(_plain(child) for child in token.children or [])
            return [_write_link(alternative, str(token.attrGet("src")))]
        case "text":
            return [_write_text(token.content)]
    return [escape(token.content.replace("\n", " "))]


def _mark_of(token: Token) -> _Mark | None:
    if token.type == "html_inline":
        opening = token.content.replace("/", "")
        return _Mark(opening, opening == token.content) if opening in _MARKS else None
    name, _, end = token.type.rpartition("_")
    return _Mark(name, end == "open") if name in _MARKS else None


def _write_text(text: str) -> str:
    """Return text in which only addresses of the web are links, as in GitLab."""
    written, position = [], 0
    for found in _URL.finditer(text):
        url = found[0].rstrip(".,;:?'_")
        url = url.rstrip(").,;:?'_") if "(" not in url else url
        written += [escape(text[position : found.start()]), _write_link("", url)]
        position = found.start() + len(url)
    return "".join([*written, escape(text[position:])])


def _write_link(text: str, target: str) -> str:
    shown = escape(text.translate(_IN_LINK_TEXT)).strip()
    if not _SAFE_TARGET.fullmatch(target):
        parts = [shown] if text == target else [shown, f"({escape(target)})"]
        return " ".join(part for part in parts if part)
    address = _UNSAFE_IN_TARGET.sub(lambda found: quote(found[0], safe=""), target)
    # A tilde would be read as subscript; `quote` leaves it as it is.
    address = address.replace("~", "%7E")
    return f"[{address}]" if not shown or text == target else f"[{shown}|{address}]"


def _write_marks(pieces: Sequence[str | _Mark]) -> list[str]:
    """Return the pieces with marks where Jira would read them."""
    written = [piece if isinstance(piece, str) else "" for piece in pieces]
    breaks = list(accumulate(piece == BREAK for piece in pieces))
    for start, end in _pairs(pieces):
        inside = (_text_at(pieces, start + 1)[:1], _text_at(pieces, end - 1)[-1:])
        if breaks[start] != breaks[end] or end == start + 1 or any(map(str.isspace, inside)):
            continue
        mark = _text_at(pieces, start)
        neighbours = (_text_at(pieces, start - 1)[-1:], _text_at(pieces, end + 1)[:1])
        alone = not any(char.isalnum() or char == mark for char in neighbours)
        written[start] = written[end] = mark if alone else f"{{{mark}}}"
    return written


def _text_at(pieces: Sequence[str | _Mark], index: int) -> str:
    """Return what stands at a place; beyond the ends a space."""
    if not 0 <= index < len(pieces):
        return " "
    piece = pieces[index]
    return piece if isinstance(piece, str) else _MARKS[piece.name]


def _pairs(pieces: Sequence[str | _Mark]) -> Iterator[tuple[int, int]]:
    """Yield where styles begin and end; within itself a style adds nothing."""
    begun: list[tuple[int, str]] = []
    counts: Counter[str] = Counter()
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            continue
        if piece.begins:
            begun.append((index, piece.name))
            counts[piece.name] += 1
            continue
        while counts[piece.name]:
            start, name = begun.pop()
            counts[name] -= 1
            if name == piece.name:
                if not counts[name]:
                    yield start, index
                break

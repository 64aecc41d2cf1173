"""Inlines as GitLab's Markdown in which foreign text does nothing.

Text is escaped character by character. What GitLab would act on even where its characters are
escaped (it looks for references, mentions and addresses in the rendered page) is shown as code,
which GitLab leaves alone. All backticks and dollars are in code, so that every one of them that
stands outside is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from unicodedata import category, normalize
from urllib.parse import unquote

from requests_sync.markup.tree import Code, Inline, Link, Style, Styled, Text

# Runs of text that are judged and, when GitLab would act on them, shown as code as a whole.
_RUN = re.compile(r"(?:[^\s()<>,;|{}\\]|,(?=[0-9]))+")
_ACTS = re.compile(
    r"""
      [@\#!~%$&^][\w"]                # mention, issue, merge request, label, milestone, epic, alert
    | [$`]                            # mathematics, code
    | \[(?: \[ | \w+: | TOC )         # wiki page, [issue:1], table of contents
    | \*iteration:
    | ://                             # an address that was not taken for a link
    | (?<!\w)(?: www\. | GL-[0-9] | [0-9a-f]{7,40}(?!\w) )    # address, issue, commit
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|$#!^])")
_SAFE_URL = re.compile(r"(?:https?://|mailto:)(?=\w)[^\s<>`$\\]+", re.IGNORECASE)
_BEFORE_RUN, _AFTER_RUN = "\"'«“‘", "\"'»”’.,:?!"

_DELIMITERS = {Style.STRONG: "**", Style.EMPHASIS: "*", Style.STRIKE: "~~"}
# The only HTML that is ever written: GitLab has no Markdown for these three.
_TAGS = {Style.INSERTED: "ins", Style.SUPERSCRIPT: "sup", Style.SUBSCRIPT: "sub"}
_ASCII_PUNCTUATION = "!\"#$%&'()+,-./:;<=>?@[\\]^_`{|}"


@dataclass(frozen=True)
class _Piece:
    """Markdown that stands for one inline; code is kept open, since neighbours are joined."""

    markdown: str
    is_code: bool = False
    delimiter: str = ""


# Stands for what is empty, so that the texts around it, which are judged apart, stay apart.
_SPACE = _Piece(" ")


def write_inlines(inlines: Sequence[Inline], gitlab_host: str) -> str:
    """Return one line of Markdown. No link leads to `gitlab_host`: GitLab would cross-reference."""
    pieces = _join_code(list(_pieces(inlines, gitlab_host)))
    written: list[str] = []
    before = " "
    for index, piece in enumerate(pieces):
        after = _first_character(pieces[index + 1]) if index + 1 < len(pieces) else " "
        markdown = _write_piece(piece, before, after)
        written.append(markdown)
        before = markdown[-1:] or before
    return "".join(written)


def is_safe_link(target: str, gitlab_host: str) -> bool:
    """Tell whether a target may be a link: to the web or to a mailbox, and not to GitLab itself."""
    host = gitlab_host.partition(":")[0].casefold()
    inside = host and host in normalize("NFKC", unquote(target)).casefold()
    return not inside and _SAFE_URL.fullmatch(target) is not None


def write_code(text: str) -> str:
    """Return text on one line as inline code that it cannot close."""
    line = " ".join(text.split("\n"))
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line.strip() else ""


def _pieces(inlines: Sequence[Inline], gitlab_host: str) -> Iterator[_Piece]:
    for inline in _join_text(_judge_links(inlines, gitlab_host)):
        match inline:
            case Text():
                yield from _neutralise(inline.text)
            case Code():
                yield _Piece(inline.text, is_code=True) if inline.text.strip() else _SPACE
            case Styled():
                yield _write_styled(inline, gitlab_host)
            case Link():
                yield _Piece(_write_link(inline, gitlab_host))


def _write_styled(styled: Styled, gitlab_host: str) -> _Piece:
    inside = write_inlines(styled.inlines, gitlab_host)
    if not inside.strip():
        return _SPACE
    if styled.style in _TAGS:
        tag = _TAGS[styled.style]
        return _Piece(f"<{tag}>{inside}</{tag}>")
    return _Piece(inside, delimiter=_DELIMITERS[styled.style])


def _judge_links(inlines: Sequence[Inline], gitlab_host: str) -> Iterator[Inline]:
    """Take apart the links that are none: their text stays, and their target as code."""
    before: Inline = Text("")
    for inline in inlines:
        if not isinstance(inline, Link) or is_safe_link(inline.target, gitlab_host):
            yield inline
        elif inline.inlines:
            apart = " " if isinstance(before, Text) and before.text[-1:] not in "( " else ""
            yield from (Text(apart), *inline.inlines, Text(" ("), Code(inline.target), Text(")"))
        else:
            yield Code(inline.target)
        before = inline


def _join_text(inlines: Iterable[Inline]) -> Iterator[Inline]:
    """Join neighbouring texts, so that what GitLab would read as one is judged as one."""
    texts: list[str] = []
    for inline in inlines:
        if isinstance(inline, Text):
            texts.append(inline.text)
            continue
        if texts:
            yield Text("".join(texts))
            texts = []
        yield inline
    if texts:
        yield Text("".join(texts))


def _neutralise(text: str) -> Iterator[_Piece]:
    """Yield text, and as code the runs on which GitLab would act."""
    position = 0
    for found in _RUN.finditer(text):
        if not _ACTS.search(found[0]):
            continue
        run = _trim(found[0])
        start = found.start() + found[0].index(run)
        yield _Piece(_escape(text[position:start]))
        yield _Piece(run, is_code=True)
        position = start + len(run)
    yield _Piece(_escape(text[position:]))


def _trim(run: str) -> str:
    """Leave the punctuation around a run outside, unless GitLab would act because of it."""
    trimmed = run.lstrip(_BEFORE_RUN).rstrip(_AFTER_RUN)
    if not trimmed:
        return run
    outside = run.rpartition(trimmed)[2]
    return trimmed if _ACTS.search(trimmed) and not _ACTS.search(outside) else run


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _write_link(link: Link, gitlab_host: str) -> str:
    text = write_inlines(link.inlines, gitlab_host).strip()
    address = link.target.partition("://")[2]
    if not text and address and not _ACTS.search(address):
        return f"<{link.target}>"
    text = text or write_code(link.target)
    destination = link.target.replace("&", "\\&")
    return f"[{text}](<{destination}>)"


def _join_code(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Join neighbouring code, whose backticks would otherwise run together."""
    joined: list[_Piece] = []
    shown = (piece for piece in pieces if piece.markdown)
    for is_code, run in groupby(shown, key=lambda piece: piece.is_code):
        if is_code:
            joined.append(_Piece(" ".join(piece.markdown for piece in run), is_code=True))
        else:
            joined.extend(run)
    return joined


def _first_character(piece: _Piece) -> str:
    return "`" if piece.is_code else (piece.delimiter or piece.markdown)[0]


def _write_piece(piece: _Piece, before: str, after: str) -> str:
    """Return a piece; where delimiters would not be read as such beside it, a space helps."""
    if piece.is_code:
        return write_code(piece.markdown)
    if not piece.delimiter:
        return piece.markdown
    inside = piece.markdown.strip()
    begin = "" if piece.markdown[0] == inside[0] and _may_flank(before, inside[0]) else " "
    end = "" if piece.markdown[-1] == inside[-1] and _may_flank(after, inside[-1]) else " "
    return f"{begin}{piece.delimiter}{inside}{piece.delimiter}{end}"


def _may_flank(outside: str, inside: str) -> bool:
    """Tell whether a delimiter between two characters is read as one (CommonMark's flanking)."""
    if outside.isspace() or (outside.isalnum() and inside.isalnum()):
        return True
    # An asterisk outside may be a delimiter of ours, with which this one would run together.
    return outside in _ASCII_PUNCTUATION or (outside != "*" and category(outside)[0] == "P")

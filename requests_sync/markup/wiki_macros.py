"""Jira's block macros, found before anything else, as Jira itself does.

Each block that a macro makes leaves the text and is replaced by a placeholder: its number between
two control characters, which foreign text cannot hold because `drop_controls` has been there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from requests_sync.markup.tree import Block, Blocks, CodeBlock, Quote, titled

OPEN, CLOSE = "\x01", "\x02"
PLACEHOLDER = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_MACRO = re.compile(
    r"\\."
    r"|\{(?P<name>code|noformat|quote|panel|color|anchor)(?::(?P<parameters>[^{}\n]*))?\}",
    re.IGNORECASE,
)

ReadBlocks = Callable[[str, list[Block]], Blocks]


@dataclass
class _Open:
    """A quotation or panel that is still open; the outermost one is the text itself."""

    name: str
    title: str = ""
    parts: list[str] = field(default_factory=list)


def read_macros(text: str, read_blocks: ReadBlocks) -> Blocks:
    """Return the blocks of a text; `read_blocks` reads what stands between the macros.

    Of `{quote}` and `{panel}` each can be open once, since what opens one also closes it: nesting
    is bounded by their number. What is left open runs to the end of the text.
    """
    return _Macros(text, read_blocks).read()


class _Macros:
    def __init__(self, text: str, read_blocks: ReadBlocks) -> None:
        self._text = text
        self._read_blocks = read_blocks
        self._blocks: list[Block] = []
        self._open = [_Open("")]
        self._never_closed: set[str] = set()

    def read(self) -> Blocks:
        position = 0
        while found := _MACRO.search(self._text, position):
            self._open[-1].parts.append(self._text[position : found.start()])
            position = self._take(found)
        self._open[-1].parts.append(self._text[position:])
        while len(self._open) > 1:
            self._close()
        return self._read_blocks("".join(self._open[0].parts), self._blocks)

    def _take(self, found: re.Match[str]) -> int:
        """Deal with what was found and return where reading goes on."""
        name = (found["name"] or "").lower()
        if name in ("code", "noformat"):
            return self._take_verbatim(name, found)
        if name in ("quote", "panel"):
            self._toggle(name, found["parameters"])
        elif not name:
            self._open[-1].parts.append(found[0])
        return found.end()

    def _take_verbatim(self, name: str, found: re.Match[str]) -> int:
        end = self._end_of(name, found.end())
        if end is None:
            self._open[-1].parts.append(found[0])
            return found.end()
        language, title = read_parameters(found["parameters"])
        for block in titled(title):
            self._put(block)
        body = self._text[found.end() : end.start()].strip("\n")
        self._put(CodeBlock(language, body))
        return end.end()

    def _end_of(self, name: str, position: int) -> re.Match[str] | None:
        """Find what closes a verbatim macro; one search in vain is remembered."""
        if name in self._never_closed:
            return None
        end = re.compile(r"\{" + name + r"\}", re.IGNORECASE).search(self._text, position)
        if end is None:
            self._never_closed.add(name)
        return end

    def _toggle(self, name: str, parameters: str | None) -> None:
        if any(block.name == name for block in self._open):
            while self._close() != name:
                pass
            if parameters is None:
                return
        self._open.append(_Open(name, read_parameters(parameters)[1]))

    def _close(self) -> str:
        done = self._open.pop()
        inside = self._read_blocks("".join(done.parts), self._blocks)
        self._put(Quote((*titled(done.title), *inside)))
        return done.name

    def _put(self, block: Block) -> None:
        self._open[-1].parts.append(f"{OPEN}{len(self._blocks)}{CLOSE}")
        self._blocks.append(block)


def read_parameters(parameters: str | None) -> tuple[str, str]:
    """Return the language and the title among a macro's parameters; both may be empty."""
    language = title = ""
    for parameter in (parameters or "").split("|"):
        name, equals, value = parameter.partition("=")
        if not equals:
            language = language or name.strip()
        elif name.strip().lower() == "title":
            title = value
        elif name.strip().lower() == "language":
            language = value.strip()
    return language, title

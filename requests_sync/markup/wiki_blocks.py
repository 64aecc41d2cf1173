"""Jira's blocks, read line by line: headings, lists, tables, quotations, rules, paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from requests_sync.markup.tree import (
    Block,
    Blocks,
    Cell,
    Code,
    CodeBlock,
    Heading,
    Inline,
    Inlines,
    Lines,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)
from requests_sync.markup.wiki_inlines import holds_placeholder, read_inlines
from requests_sync.markup.wiki_macros import PLACEHOLDER, read_macros

_DEEPEST_LIST = 8
_HEADING = re.compile(r"[ \t]*h([1-6])\.[ \t]+(.*)", re.IGNORECASE)
_QUOTED_LINE = re.compile(r"[ \t]*bq\.[ \t]+(.*)", re.IGNORECASE)
_RULE = re.compile(r"[ \t]*-{4,5}[ \t]*$")
# An item without text holds the deeper ones below it.
_ITEM = re.compile(r"[ \t]*(?:([*#]+|-)[ \t]+(\S.*)|([*#]{1,3})[ \t]*)$")
_ROW = re.compile(r"[ \t]*\|")
# A bar inside a link, an image or after a backslash separates no cells.
_CELL_PART = re.compile(
    r"\\.|\[[^\[\]\n]*\]|![^\s!|][^!|\n]*\|[^!|\n]*!|(?P<bar>\|\|?)|[^\\\[!|]+|."
)

Item = tuple[str, list[str | Block]]


def read_wiki(text: str) -> Blocks:
    """Return the blocks of a text in Jira's wiki markup, which `drop_controls` has cleaned."""
    return read_macros(text, _read_blocks)


def _read_blocks(text: str, made: list[Block]) -> Blocks:
    reader = _Blocks(made)
    for line in text.split("\n"):
        for part in _split_line(line):
            reader.take(part)
    reader.end()
    return tuple(reader.blocks)


def _split_line(line: str) -> Iterator[str]:
    """Give blocks of macros lines of their own, except in a row of a table."""
    if not holds_placeholder(line) or _ROW.match(line):
        yield line
        return
    position = 0
    for found in PLACEHOLDER.finditer(line):
        if line[position : found.start()].strip():
            yield line[position : found.start()]
        yield found[0]
        position = found.end()
    if line[position:].strip():
        yield line[position:]


class _Blocks:
    """What was read so far, and the one paragraph, list or table that is still open."""

    def __init__(self, made: list[Block]) -> None:
        self.blocks: list[Block] = []
        self._made = made
        self._paragraph: list[str] = []
        self._items: list[Item] = []
        self._rows: list[list[str]] = []

    def take(self, line: str) -> None:
        """Read one line, or the placeholder of a block."""
        if not line.strip():
            self.end()
        elif placeholder := PLACEHOLDER.fullmatch(line):
            self._take_block(self._made[int(placeholder[1])])
        elif single := self._read_single(line):
            self.end()
            self.blocks.append(single)
        elif _ROW.match(line):
            self._end_others(self._rows)
            self._rows.append([line])
        elif item := _ITEM.match(line):
            self._end_others(self._items)
            markers, text = (item[1] or item[3])[:_DEEPEST_LIST], item[2]
            self._items.append((markers, [text] if text else []))
        else:
            self._go_on(line)

    def end(self) -> None:
        """Close what is open."""
        if self._paragraph:
            self.blocks.append(Paragraph(self._inlines("\n".join(self._paragraph))))
        if self._items:
            self.blocks.extend(self._nest(self._items, 0))
        if self._rows:
            rows = (self._read_row(" ".join(lines)) for lines in self._rows)
            self.blocks.append(Table(tuple(rows)))
        self._paragraph, self._items, self._rows = [], [], []

    def _end_others(self, stays_open: Sequence[object]) -> None:
        if not stays_open:
            self.end()

    def _take_block(self, block: Block) -> None:
        if self._items:
            self._items[-1][1].append(block)
        else:
            self.end()
            self.blocks.append(block)

    def _read_single(self, line: str) -> Block | None:
        """Return the block that a line makes alone, if it does."""
        if heading := _HEADING.match(line):
            return Heading(int(heading[1]), self._inlines(heading[2]))
        if quoted := _QUOTED_LINE.match(line):
            return Quote((Paragraph(self._inlines(quoted[1])),))
        return Rule() if _RULE.match(line) else None

    def _go_on(self, line: str) -> None:
        """Continue what is open, or begin a paragraph."""
        if self._items:
            self._items[-1][1].append(line)
        elif self._rows and not self._rows[-1][-1].rstrip().endswith("|"):
            self._rows[-1].append(line)
        else:
            self._end_others(self._paragraph)
            self._paragraph.append(line)

    def _nest(self, items: Sequence[Item], depth: int) -> Iterator[ListBlock]:
        """Yield the lists of one depth; what is deeper belongs to the item before it."""
        groups: list[list[Item]] = []
        for item in items:
            if groups and len(item[0]) > depth + 1:
                groups[-1].append(item)
            else:
                groups.append([item])
        for ordered, run in groupby(groups, key=lambda group: group[0][0][depth:][:1] == "#"):
            yield ListBlock(ordered, tuple(self._read_item(group, depth) for group in run))

    def _read_item(self, group: Sequence[Item], depth: int) -> Blocks:
        blocks: list[Block] = []
        for is_text, run in groupby(group[0][1], key=lambda part: isinstance(part, str)):
            if is_text:
                text = "\n".join(str(part) for part in run)
                blocks.append(Paragraph(self._inlines(text)))
            else:
                blocks.extend(part for part in run if not isinstance(part, str))
        return (*blocks, *self._nest(group[1:], depth + 1))

    def _read_row(self, row: str) -> tuple[Cell, ...]:
        cells: list[tuple[bool, list[str]]] = []
        for found in _CELL_PART.finditer(row.strip()):
            if found["bar"]:
                cells.append((found["bar"] == "||", []))
            else:
                cells[-1][1].append(found[0])
        if len(cells) > 1 and not "".join(cells[-1][1]).strip():
            cells.pop()
        return tuple(Cell(header, self._inlines("".join(parts))) for header, parts in cells)

    def _inlines(self, text: str) -> Lines:
        return read_inlines(text.strip(), self._flatten)

    def _flatten(self, number: int) -> Inlines:
        return tuple(_flatten(self._made[number]))


def _flatten(block: Block) -> Iterator[Inline]:
    """Yield the text of a block as inlines, for a cell, where no block can stand."""
    match block:
        case CodeBlock():
            yield Text(" ")
            yield Code(" ".join(block.text.split()))
        case Paragraph() | Heading():
            yield from _flatten_lines(block.lines)
        case Quote():
            for inner in block.blocks:
                yield from _flatten(inner)
        case ListBlock():
            for item in block.items:
                for inner in item:
                    yield from _flatten(inner)
        case Table():
            for row in block.rows:
                for cell in row:
                    yield from _flatten_lines(cell.lines)
        case Rule():
            pass
    yield Text(" ")


def _flatten_lines(lines: Lines) -> Iterator[Inline]:
    for line in lines:
        yield from line
        yield Text(" ")

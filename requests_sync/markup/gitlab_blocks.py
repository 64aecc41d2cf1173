"""Blocks as lines of GitLab's Markdown, all of them inside one block quote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from requests_sync.markup.gitlab_inlines import write_inlines
from requests_sync.markup.tree import (
    Block,
    Blocks,
    Cell,
    CodeBlock,
    Heading,
    Lines,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Table,
)

# Only these words may follow a fence: GitLab draws, computes or suggests by others.
_LANGUAGES = frozenset(
    [
        "bash", "c", "cpp", "csharp", "css", "diff", "go", "groovy",
        "haskell", "html", "ini", "java", "javascript", "json", "julia", "kotlin",
        "lua", "makefile", "matlab", "none", "perl", "php", "powershell", "properties",
        "python", "r", "ruby", "rust", "sas", "scala", "sh", "shell",
        "sql", "stata", "swift", "text", "toml", "typescript", "xml", "yaml",
    ]
)  # fmt: skip
_LANGUAGE_NAMES = {"c++": "cpp", "c#": "csharp", "js": "javascript", "py": "python", "yml": "yaml"}
_LINE_START = re.compile(r"([-+=:])|([0-9]{1,9})(?=[.)])")
# Readers complete short rows; a table that would grow too large by it is written as lines.
_MOST_COLUMNS, _MOST_CELLS = 100, 20_000


def quote_blocks(blocks: Blocks, gitlab_host: str) -> str:
    """Return Markdown of which every line begins with a greater-than sign."""
    return "\n".join(_quote(_Writer(gitlab_host).write(blocks))) or ">"


def _quote(lines: Sequence[str]) -> Iterator[str]:
    return (f"> {line}" if line else ">" for line in lines)


class _Writer:
    def __init__(self, gitlab_host: str) -> None:
        self._gitlab_host = gitlab_host

    def write(self, blocks: Sequence[Block]) -> list[str]:
        """Return the lines of blocks, with an empty line between two of them."""
        written: list[str] = []
        alternate = False
        for before, block in zip((None, *blocks), blocks, strict=False):
            alternate = not alternate and _would_join(before, block)
            lines = self._write_block(block, alternate)
            if written and lines:
                written.append("")
            written.extend(lines)
        return written

    def _write_block(self, block: Block, alternate: bool) -> list[str]:
        match block:
            case Paragraph():
                return self._write_paragraph(block.lines)
            case Heading():
                text = self._on_one_line(block.lines)
                return [f"{'#' * block.level} {text}"] if text else []
            case CodeBlock():
                return _write_code_block(block)
            case Quote():
                return list(_quote(self.write(block.blocks)))
            case ListBlock():
                return self._write_list(block, alternate)
            case Table():
                return self._write_table(block)
            case Rule():
                return ["---"]

    def _write_paragraph(self, lines: Lines) -> list[str]:
        written = (write_inlines(line, self._gitlab_host).strip() for line in lines)
        kept = [_LINE_START.sub(r"\2\\\1", line, count=1) if _LINE_START.match(line) else line
                for line in written if line]  # fmt: skip
        return [f"{line}\\" for line in kept[:-1]] + kept[-1:]

    def _on_one_line(self, lines: Lines) -> str:
        return " ".join(write_inlines(line, self._gitlab_host) for line in lines).strip()

    def _write_list(self, block: ListBlock, alternate: bool) -> list[str]:
        written: list[str] = []
        for number, item in enumerate(block.items, start=1):
            if block.ordered:
                marker = f"{number}{')' if alternate else '.'} "
            else:
                marker = "* " if alternate else "- "
            lines = self._write_item(item)
            written.append((marker + lines[0]).rstrip())
            written.extend(" " * len(marker) + line if line else "" for line in lines[1:])
        return written

    def _write_item(self, item: Blocks) -> list[str]:
        """Return the lines of an item; a list follows its paragraph without an empty line."""
        written: list[str] = []
        for block in item:
            lines = self._write_block(block, alternate=False)
            if written and lines and not isinstance(block, ListBlock):
                written.append("")
            written.extend(lines)
        return written or [""]

    def _write_table(self, table: Table) -> list[str]:
        rows = [[self._write_cell(cell) for cell in row] for row in table.rows]
        width = max(len(row) for row in rows)
        if width > _MOST_COLUMNS or width * len(rows) > _MOST_CELLS:
            lines = [" ".join(cells) for cells in rows]
            return [line for cells in lines for line in (cells, "")][:-1]
        if all(cell.header for cell in table.rows[0]):
            header = [self._on_one_line(cell.lines) for cell in table.rows[0]]
            header, rows = [_escape_bars(cell) for cell in header], rows[1:]
        else:
            header = []
        header += [""] * (width - len(header))
        return [_write_row(header), _write_row(["---"] * width), *map(_write_row, rows)]

    def _write_cell(self, cell: Cell) -> str:
        text = _escape_bars(self._on_one_line(cell.lines))
        return f"**{text}**" if cell.header and text else text


def _would_join(before: Block | None, block: Block) -> bool:
    """Tell whether two lists would be read as one."""
    return (
        isinstance(before, ListBlock)
        and isinstance(block, ListBlock)
        and before.ordered == block.ordered
    )


def _write_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape_bars(markdown: str) -> str:
    # In a row a backslash before a bar is taken away first, also in code and before text is read.
    return markdown.replace("|", "\\|")


def _write_code_block(block: CodeBlock) -> list[str]:
    longest = max((len(run) for run in re.findall("`+", block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    name = block.language.strip().lower()
    language = _LANGUAGE_NAMES.get(name, name)
    opening = fence + (language if language in _LANGUAGES else "")
    return [opening, *block.text.split("\n"), fence]

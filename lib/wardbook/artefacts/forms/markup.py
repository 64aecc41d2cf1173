"""HTML: texts, tables with their cells, and everything in it that a reader does not see."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from wardbook.artefacts.active import find_active_names, judge_address, judge_style
from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.decoding import decode
from wardbook.artefacts.finding import FragmentKind, Notes
from wardbook.artefacts.hiding import is_hidden
from wardbook.artefacts.inline_data import read_data_address
from wardbook.artefacts.own_scripts import drop_own_scripts

_VOID_NAMES = "area base br col embed hr img input link meta param source track wbr"
_VOID = frozenset(_VOID_NAMES.split())
_UNSEEN = frozenset(["template", "noscript", "noframes", "noembed", "datalist"])
_ADDRESS_NAMES = (
    "href src xlink:href action formaction poster background cite data longdesc codebase manifest "
    "ping srcset imagesrcset usemap profile archive classid"
)
_ADDRESSES = frozenset(_ADDRESS_NAMES.split())
_DEEP = 4
"""Pages nest their elements deeper than data."""


def read_html(content: bytes, notes: Notes) -> None:
    """Read a page or a piece of one."""
    text = drop_own_scripts(decode(content, notes))
    # Browsers mend what they parse, and no parser mends as they do: what could be a tag that runs
    # something is reported wherever it stands, also where this parser sees a text.
    for name in find_active_names(text):
        notes.report("script", f"<{name}>")
    reader = _Reader(notes)
    reader.feed(text)
    reader.close()
    reader.finish()


class _Table:
    def __init__(self, place: str) -> None:
        self.place = place
        self.header: list[str] = []
        self.rows: list[list[str]] = []
        self.row: list[str] | None = None
        self.cell: list[str] | None = None
        self.in_head = False

    def end_cell(self) -> None:
        if self.cell is not None and self.row is not None:
            self.row.append(" ".join("".join(self.cell).split()))
        self.cell = None

    def end_row(self) -> None:
        self.end_cell()
        if self.row:
            if self.in_head and not self.header and not self.rows:
                self.header = self.row
            else:
                self.rows.append(self.row)
        self.row = None


class _Reader(HTMLParser):
    def __init__(self, notes: Notes) -> None:
        super().__init__(convert_charrefs=True)
        self._notes = notes
        self._stack: list[tuple[str, bool]] = []
        self._tables: list[_Table] = []
        self._count = 0
        self._raw: list[str] = []

    def finish(self) -> None:
        while self._tables:
            self._end_table()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        hidden = self._hidden or tag in _UNSEEN or is_hidden(tag, attrs)
        if hidden and not self._hidden:
            self._notes.report("hidden", f"<{tag}>")
        if tag not in _VOID:
            self._stack.append((tag, hidden))
            if len(self._stack) > self._notes.bounds.depth * _DEEP:
                raise Unreadable("too_deep")
        for name, value in attrs:
            self._read_attribute(tag, name, value or "")
        self._judge_meta(tag, dict(attrs))
        self._open(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self._stack):
            while self._stack.pop()[0] != tag:
                pass
        if not self._tables:
            return
        table = self._tables[-1]
        if tag in ("td", "th"):
            table.end_cell()
        elif tag == "tr":
            table.end_row()
        elif tag == "thead":
            table.end_row()
            table.in_head = False
        elif tag == "table":
            self._end_table()

    def handle_data(self, data: str) -> None:
        inside = self._stack[-1][0] if self._stack else ""
        if inside == "script":
            self._notes.add("code", "<script>", data)
        elif inside == "style":
            self._notes.add("code", "<style>", data)
            judge_style(data, self._notes, "<style>")
        elif self._hidden:
            self._notes.add("hidden", f"<{inside}>", data)
        elif self._tables and self._tables[-1].cell is not None:
            self._tables[-1].cell.append(data)
        else:
            self._notes.add("text", f"<{inside}>" if inside else "", data)
        if self._hidden and self._tables and self._tables[-1].cell is not None:
            self._tables[-1].cell.append(data)  # a hidden number is a number of the table

    def handle_comment(self, data: str) -> None:
        if data.strip():
            self._notes.report("comment", "<!-- -->")
            self._notes.add("comment", "<!-- -->", data)

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)

    def unknown_decl(self, data: str) -> None:
        self.handle_comment(data)

    @property
    def _hidden(self) -> bool:
        return bool(self._stack) and self._stack[-1][1]

    def _open(self, tag: str) -> None:
        if tag == "table":
            self._count += 1
            self._tables.append(_Table(f"table {self._count}"))
        if not self._tables:
            return
        table = self._tables[-1]
        if tag == "thead":
            table.in_head = True
        elif tag == "tbody":
            table.end_row()
            table.in_head = False
        elif tag == "tr":
            table.end_row()
            table.row = []
        elif tag in ("td", "th"):
            table.end_cell()
            if table.row is None:
                table.row = []
            table.cell = []

    def _end_table(self) -> None:
        table = self._tables.pop()
        table.end_row()
        self._notes.add_grid(table.place, table.header, table.rows)

    def _read_attribute(self, tag: str, name: str, value: str) -> None:
        place = f"<{tag}>"
        if name.startswith("on"):
            self._notes.report("script", f"<{tag} on…>")
            self._notes.add("code", place, value)
            return
        if name == "srcdoc":
            self._notes.report("script", "<iframe srcdoc>")
        if name == "style":
            judge_style(value, self._notes, place)
        kind: FragmentKind = "attribute"
        if name in _ADDRESSES:
            kind = "link"
            judge_address(tag, name, value, self._notes)
            if read_data_address(value, self._notes, place):
                return
        elif name.startswith("data-") and value.strip():
            self._notes.report("hidden", f"<{tag} data-…>")
            kind = "hidden"
        if name not in ("class", "id", "style") or re.search(r"\d{5}", value):
            self._notes.add(kind, place, value)

    def _judge_meta(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh":
            self._notes.report("foreign_address", "<meta refresh>")
        if tag == "base":
            self._notes.report("foreign_address", "<base>")
        if tag == "form":
            self._notes.report("script", "<form>")

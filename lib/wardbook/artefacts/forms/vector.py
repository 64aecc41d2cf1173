"""SVG: texts, descriptions, pictures inside, and everything that runs or fetches something."""

from __future__ import annotations

import io
from xml.etree.ElementTree import ParseError

from wardbook.artefacts.active import ACTIVE_TAGS, judge_address, judge_style
from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.decoding import decode
from wardbook.artefacts.finding import FragmentKind, Notes
from wardbook.artefacts.hiding import is_hidden
from wardbook.artefacts.inline_data import read_data_address

_TOLD = frozenset(["metadata", "desc", "title", "rdf"])


def read_svg(content: bytes, notes: Notes) -> None:
    """Read a picture in SVG.

    Raises:
        Unreadable: it declares a document type (entities come with it), is no XML or too deep.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    text = decode(content, notes)
    target = _Reader(notes)
    parser = DefusedXMLParser(target=target, forbid_dtd=True, forbid_entities=True)
    try:
        for line in io.StringIO(text):
            parser.feed(line)
        parser.close()
    except DefusedXmlException:
        raise Unreadable("entities") from None
    except ParseError:
        raise Unreadable("broken") from None


class _Reader:
    """Receives the elements of the file as they come; nothing of the tree is kept."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._stack: list[tuple[str, bool]] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._flush()
        name = _local(tag)
        plain = {_local(key): value for key, value in attributes.items()}
        hidden = self._is_hidden or is_hidden(name, plain.items())
        if hidden and not self._is_hidden:
            self._notes.report("hidden", f"<{name}>" if name.isalpha() else "")
        self._stack.append((name, hidden))
        if len(self._stack) > self._notes.bounds.depth:
            raise Unreadable("too_deep")
        if name in ACTIVE_TAGS:
            self._notes.report("script", f"<{name}>")
        if name == "metadata":
            self._notes.report("metadata", "<metadata>")
        for key, value in plain.items():
            self._read_attribute(name, key, value)

    def end(self, tag: str) -> None:
        del tag
        self._flush()
        self._stack.pop()

    def data(self, text: str) -> None:
        self._text.append(text)

    def comment(self, text: str) -> None:
        if text.strip():
            self._notes.report("comment", "<!-- -->")
            self._notes.add("comment", "<!-- -->", text)

    def pi(self, target: str, data: str | None = None) -> None:
        self._notes.report("script" if target == "xml-stylesheet" else "comment", "<? ?>")
        self._notes.add("comment", "<? ?>", f"{target} {data or ''}")

    def close(self) -> None:
        self._flush()

    @property
    def _is_hidden(self) -> bool:
        return bool(self._stack) and self._stack[-1][1]

    def _flush(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        names = {name for name, _ in self._stack}
        kind: FragmentKind = "hidden" if self._is_hidden else "text"
        if "style" in names:
            kind = "code"
            judge_style(text, self._notes, "<style>")
        elif "script" in names:
            kind = "code"
        elif names & _TOLD:
            kind = "metadata"
        self._notes.add(kind, "svg", text)

    def _read_attribute(self, tag: str, name: str, value: str) -> None:
        place = f"<{tag}>" if tag.isalpha() else ""
        if name.startswith("on"):
            self._notes.report("script", place)
        if name in ("href", "src"):
            tag = "a" if tag == "a" else tag
            judge_address(tag, name, value, self._notes)
            if read_data_address(value, self._notes, place):
                return
            if value.strip() and not value.startswith("#") and tag == "use":
                self._notes.report("foreign_address", place)
        elif "url(" in value.lower() or name == "style":
            judge_style(value, self._notes, place)
        # Paths and transformations are the drawing itself: numbers that no reader takes for text.
        if name not in ("d", "points", "transform", "viewbox", "style", "class", "id"):
            self._notes.add("attribute", place, value)


def _local(name: str) -> str:
    return name.rpartition("}")[2].lower()

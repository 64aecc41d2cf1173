"""What a file is, by its first bytes and not by its name.

Signatures: the formats' own specifications. Text has none; which kind of text it is follows from
how it begins, and from its name only where several kinds of text begin alike.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"PAR1", "parquet"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"GIF8", "gif"),
    (b"RIFF", "riff"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"#!", "program"),
    (b"\xd0\xcf\x11\xe0", "ole"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ\0", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
    (b"SQLite format 3\0", "database"),
    (b"\x89HDF", "hdf5"),
    (b"\x93NUMPY", "numpy"),
    (b"RDX", "rdata"),
    (b"ARROW1", "arrow"),
)

_BY_SUFFIX = {
    ".html": "html", ".htm": "html", ".xhtml": "html", ".svg": "svg", ".ipynb": "notebook",
    ".json": "json", ".csv": "csv", ".tsv": "csv", ".txt": "text", ".md": "text", ".log": "text",
    ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".parquet": "parquet", ".xlsx": "xlsx",
    ".pdf": "pdf", ".asc": "text", ".sig": "text",
}  # fmt: skip

_ELEMENT = re.compile(rb"<(?:\w{1,20}:)?(svg|html|head|body|script)\b", re.I)
_DOCTYPE = re.compile(rb"<!doctype\s+html\b", re.I)
_PROLOGUE = ((b"<!--", b"-->"), (b"<?", b"?>"), (b"<!", b">"))
"""What may stand before the first element, and how each ends."""

_TEXTS = frozenset(["html", "svg", "notebook", "json", "csv", "text"])
READABLE = _TEXTS | {"png", "jpeg", "parquet", "xlsx", "pdf"}


def tell_form(content: bytes) -> str:
    """Return what the bytes are: a form of `READABLE`, another known one, `text` or `unknown`."""
    for signature, form in _SIGNATURES:
        if content.startswith(signature):
            return _tell_zip(content) if form == "zip" else form
    if content[257:262] == b"ustar":
        return "archive"
    head = content[:4096].removeprefix(b"\xef\xbb\xbf")
    if b"\0" in head:
        return "unknown"
    page = _tell_page(head)
    if page:
        return page
    if head.lstrip()[:1] in (b"{", b"["):
        return "notebook" if b'"nbformat"' in content else "json"
    return "text"


def _tell_page(head: bytes) -> str:
    """Return "svg" or "html" where a file begins like one, else ""; each byte is passed once."""
    rest = head.lstrip()
    while not _DOCTYPE.match(rest):
        end = next((end for start, end in _PROLOGUE if rest.startswith(start)), b"")
        if not end:
            element = _ELEMENT.match(rest)
            return "" if element is None else "svg" if element[1].lower() == b"svg" else "html"
        closed = rest.find(end, 2)
        if end == b">" and 0 <= rest.find(b"[") < closed:
            end = b"]>"  # a document type with declarations of its own
            closed = rest.find(end)
        if closed < 0:
            break  # what begins like a page and does not tell of what is taken for one
        rest = rest[closed + len(end) :].lstrip()
    return "html"


def expected_form(name: str) -> str:
    """Return the form that a file's name promises, "unknown" where it promises none."""
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), "unknown")


def settle_form(name: str, content: bytes) -> tuple[str, bool]:
    """Return what to read a file as, and whether its bytes break the promise of its name.

    Text of any kind keeps to its name: a CSV file may begin like JSON, and a fragment of HTML
    like anything. But what begins like a page or a picture is read as one, whatever its name.
    """
    found, promised = tell_form(content), expected_form(name)
    if found == promised:
        return found, False
    if found in ("text", "unknown") and promised in _TEXTS:
        return promised, False
    if found in ("json", "notebook") and promised in ("csv", "text", "json", "notebook"):
        return promised if promised != "json" else found, False
    return found, True


def _tell_zip(content: bytes) -> str:
    return (
        "xlsx" if b"xl/workbook.xml" in content and b"[Content_Types].xml" in content else "archive"
    )

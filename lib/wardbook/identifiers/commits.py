"""What must not be committed: outputs of notebooks, data files, identifiers and secrets.

A notebook is committed as it would be before its first run, in the one form of
`wardbook.stripping`. What its author wrote is searched like every other file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from wardbook.artefacts.magic import tell_form
from wardbook.identifiers.allowances import Allowances
from wardbook.identifiers.context import Context
from wardbook.identifiers.finding import JUDGED_BY_PEOPLE, Certainty, Kind
from wardbook.identifiers.fragments import Fragment, Text, take_apart
from wardbook.identifiers.notebooks import (
    check_notebook,
    find_cell,
    is_notebook,
    labels_of,
    list_cell_lines,
    number_cells,
)
from wardbook.identifiers.searching import Located, scan_fragments
from wardbook.identifiers.unveiling import TooMuchPacked, unveil

DATA_FILE = re.compile(
    r"\.(?:parquet|feather|arrow|xlsx?|ods|rds|rdata|sav|dta|sas7bdat|pkl|pickle|npz|sqlite3?|db"
    r"|duckdb|mdb|dump|bak|dcm|hl7)\Z|(?:\A|/)(?:\.netrc|_netrc|\.pgpass|id_[a-z0-9]+|\.env)\Z"
    r"|(?:\A|/)executed\.ipynb\Z",
    re.I,
)
DATA_FORMS = frozenset(
    ["parquet", "archive", "xlsx", "ole", "pickle", "database", "hdf5", "numpy", "rdata", "arrow"]
)
"""Forms of data, and archives: nobody can say what is in one. See `wardbook.artefacts.magic`."""

PRINTED = re.compile(rb"[\x20-\x7e]{8,}")
OWN_ADDRESS = re.compile(r"^((?:author|committer|tagger) .*)<[^<>\n]*>( \d+ [+-]\d{4})$", re.M)


@dataclass(frozen=True, order=True)
class Objection:
    """One thing that must not be committed: where, and which message of topic `identifier`.

    `cell` is the number of a notebook's cell, 0 where it stands in none.
    """

    path: str
    line: int
    kind: str
    cell: int = 0


def check_files(
    files: Iterable[tuple[str, bytes]], allowances: Allowances, context: Context
) -> tuple[Objection, ...]:
    """Return what must not be committed of these files, given as (path, content)."""
    found = {
        one
        for path, content in files
        for one in _check_file(path, content, context)
        if not allowances.allow(one.path, one.kind)
    }
    return tuple(sorted(found))


def check_message(name: str, message: str, context: Context) -> tuple[Objection, ...]:
    """Return what must not stand in a commit's message; `name` says which commit.

    A name after a title is refused here: a message is read by everybody, for good.
    """
    places = _search(message, context, names=True)
    return tuple(sorted({Objection(name, line, kind) for line, kind in places}))


def check_object(name: str, content: str, context: Context) -> tuple[Objection, ...]:
    """Return what must not stand in a commit or a tag, given as git stores it.

    The address of its author is meant to be there.
    """
    return check_message(name, OWN_ADDRESS.sub(r"\1\2", content), context)


def check_link(path: str, target: str) -> tuple[Objection, ...]:
    """Return the objection to a symbolic link that leads out of the repository."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    leaves = place.startswith(("/", "..")) or ":" in target or "\\" in target
    return (Objection(path, 1, "link_outside"),) if leaves else ()


def _check_file(path: str, content: bytes, context: Context) -> Iterator[Objection]:
    if DATA_FILE.search(path) or tell_form(content) in DATA_FORMS:
        yield Objection(path, 1, "data_file")
    text = _read(content)
    notebook = is_notebook(path, text)
    for _, kind in _search(f"{path}\n{path.replace('_', ' ')}", context, names=notebook):
        yield Objection(path, 0, kind)
    number = number_cells(text if notebook else "")
    for line, kind in _check_content("a.ipynb" if notebook else path, content, text, context):
        yield Objection(path, line, kind, number(line))


def _check_content(
    name: str, content: bytes, text: str, context: Context
) -> Iterator[tuple[int, str]]:
    """Yield line and kind of what must not be committed of a file's content."""
    notebook = is_notebook(name, text)
    told: set[str] = set()
    for line, kind in _search(text, context, names=notebook):
        told.add(kind)
        yield line, kind
    if notebook:
        yield from check_notebook(text)
        for _, kind in _search(labels_of(text), context, names=True):
            yield 1, kind
    # What JSON escapes or a column's header tells is found only in what was taken apart.
    fragments = _unveil_all(take_apart(name, content))
    cells = list_cell_lines(text) if notebook else ()
    try:
        for one in _refused(scan_fragments(fragments, context=context), names=notebook):
            if one.kind not in told:
                yield one.place.row or find_cell(cells, one.place.cell) or one.place.line, one.kind
    except TooMuchPacked:
        yield 1, "packed"


def _unveil_all(fragments: Iterable[Fragment]) -> Iterator[Fragment]:
    """Yield fragments, and the other readings of each that is a notebook's text.

    In a notebook an escape of Python is escaped once more: only the cell's own text tells it.
    """
    for fragment in fragments:
        yield fragment
        if isinstance(fragment, Text) and fragment.cell:
            for _, reading in unveil(fragment.text):
                yield Text(reading, fragment.cell)


def _read(content: bytes) -> str:
    """Return a file's text; of what is no text, what somebody could read in it."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if b"\0" not in content:
        return content.decode("utf-8", errors="replace")
    return b"\n".join(PRINTED.findall(content.replace(b"\0", b""))).decode("ascii")


def _search(text: str, context: Context, *, names: bool) -> Iterator[tuple[int, str]]:
    """Yield line and kind of each identifier or secret in a text, however it is written."""
    told = set()
    try:
        for before, reading in chain([(0, text)], unveil(text)):
            for one in _refused(scan_fragments([Text(reading)], context=context), names=names):
                if before == 0 or one.kind not in told:
                    told.add(one.kind)
                    yield before + one.place.line, one.kind
    except TooMuchPacked:
        yield 1, "packed"


def _refused(found: Iterable[Located], *, names: bool) -> Iterator[Located]:
    for one in found:
        titled = names and one.kind is Kind.NAME
        sure = one.kind not in JUDGED_BY_PEOPLE and one.certainty is not Certainty.POSSIBLE
        if titled or sure:
            yield one

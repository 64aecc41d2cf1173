"""What stays of a cell: its kind, name, source, tags and its place among slides."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any

KINDS = ("code", "markdown", "raw")
SLIDES = ("slide", "subslide", "fragment", "skip", "notes", "-")
MADE_BY_A_RUN = ("injected-parameters", "papermill-error-cell-tag")
"""Tags of cells that papermill wrote: the values of a run, and what it says of a failed one."""

TAG = re.compile(r"[a-z][a-z0-9]*(?:[_.:-][a-z0-9]+)*")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
NUMBER = re.compile(r"(?:[0-9][_-]?){9}")
"""As many digits as a number of a person has, at least."""

LONGEST_TAG = 40


def is_made_by_a_run(cell: object) -> bool:
    """Whether papermill put this cell into the notebook."""
    return any(tag in MADE_BY_A_RUN for tag in _tags(_metadata(cell)))


def strip_cell(cell: object) -> dict[str, Any] | None:
    """Return kind, metadata and source of a cell, or None where it is no cell.

    The source is one text here. A code cell has the empty outputs that its format asks for.
    """
    if not isinstance(cell, Mapping) or cell.get("cell_type") not in KINDS:
        return None
    source = _join(cell.get("source", ""))
    if source is None:
        return None
    stripped = {
        "cell_type": cell["cell_type"],
        "metadata": _strip_metadata(_metadata(cell)),
        "source": source,
    }
    return stripped | ({"execution_count": None, "outputs": []} if _is_code(cell) else {})


def name_cell(cell: object, source: str, taken: Collection[str]) -> str:
    """Return a cell's own name, or one made of its source where it has none that may stay.

    The same notebook gets the same names; a cell keeps its made name when others move around it.
    """
    own = cell.get("id") if isinstance(cell, Mapping) else None
    if isinstance(own, str) and NAME.fullmatch(own) and not NUMBER.search(own) and own not in taken:
        return own
    number = 0
    while True:
        said = f"{number}\n{source}".encode("utf-8", "surrogatepass")
        made = f"c{hashlib.sha256(said).hexdigest()[:8]}"
        if made not in taken:
            return made
        number += 1


def _is_code(cell: Mapping[str, Any]) -> bool:
    return bool(cell["cell_type"] == "code")


def _join(source: object) -> str | None:
    given = source if isinstance(source, list) else [source]
    parts = [part for part in given if isinstance(part, str)]
    if len(parts) < len(given):
        return None
    return "".join(parts).replace("\r\n", "\n").replace("\r", "\n")


def _metadata(cell: object) -> Mapping[str, Any]:
    found = cell.get("metadata") if isinstance(cell, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _strip_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    tags = [tag for tag in _tags(metadata) if _is_a_label(tag)]
    if tags:
        kept["tags"] = list(dict.fromkeys(tags))
    slideshow = metadata.get("slideshow")
    kind = slideshow.get("slide_type") if isinstance(slideshow, Mapping) else None
    if kind in SLIDES:
        kept["slideshow"] = {"slide_type": kind}
    return kept


def _tags(metadata: Mapping[str, Any]) -> list[str]:
    tags = metadata.get("tags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _is_a_label(tag: str) -> bool:
    """Whether a tag is a word for a program, not a text that somebody wrote about somebody."""
    digits = sum(map(str.isdigit, tag))
    return len(tag) <= LONGEST_TAG and digits <= 4 and TAG.fullmatch(tag) is not None

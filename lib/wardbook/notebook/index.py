"""`outputs/index.json`: what a notebook has declared so far, rewritten whole at each declaration.

Any engine in any language may write it: a JSON list of `wardbook.domain.output.Output`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from wardbook.domain.output import Output, OutputKind
from wardbook.files import hash_file, write_atomically

INDEX = "index.json"


def read_index(outputs: Path) -> list[Output]:
    """Read the declared outputs in the order of their declaration; none where there is no index.

    Raises:
        ValueError: the index is not such a list.
    """
    try:
        raw = json.loads((outputs / INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    try:
        return [Output(**(entry | {"kind": OutputKind(entry["kind"])})) for entry in raw]
    except (TypeError, KeyError) as error:
        raise ValueError(f"{INDEX} is not a list of outputs ({error})") from None


def declare_output(
    outputs: Path,
    file: str,
    *,
    name: str,
    kind: OutputKind,
    title: str,
    caption: str,
    alternative: str = "",
    rows: int = 0,
) -> None:
    """Add the written `file` to the index; a second declaration of a name replaces the first."""
    path = outputs / file
    output = Output(
        name=name,
        kind=kind,
        file=file,
        sha256=hash_file(path),
        size=path.stat().st_size,
        title=title,
        caption=caption,
        alternative=alternative,
        rows=rows,
    )
    others = [other for other in read_index(outputs) if other.name != name]
    index = [asdict(entry) for entry in (*others, output)]
    write_atomically(outputs / INDEX, json.dumps(index, ensure_ascii=False, indent=1))

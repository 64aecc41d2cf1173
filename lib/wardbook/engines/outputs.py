"""The outputs that a notebook declared, verified before anybody relies on them."""

from __future__ import annotations

from pathlib import Path

from wardbook.domain.output import Output
from wardbook.files import hash_file
from wardbook.notebook.index import read_index


class OutputBroken(Exception):
    """An output is not what the notebook recorded; `name` is empty for the index itself."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def collect_outputs(outputs: Path) -> tuple[Output, ...]:
    """Return the recorded outputs of the folder, each a plain file in it with the recorded hash.

    Raises:
        OutputBroken: a file is missing, elsewhere, or was changed after it was recorded.
    """
    try:
        recorded = read_index(outputs)
    except ValueError:
        raise OutputBroken("") from None
    for output in recorded:
        path = outputs / output.file
        inside = path.parent == outputs and path.is_file() and not path.is_symlink()
        if not inside or hash_file(path) != output.sha256:
            raise OutputBroken(output.name)
    return tuple(recorded)

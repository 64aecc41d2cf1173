"""How much a reader may take in before it gives up: no file makes the platform hang or swell."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Bounds:
    """Limits of one file's reading.

    Args:
        file_bytes: of the file as it stands.
        text_bytes: of a file that is parsed as text: HTML, SVG, JSON, notebook, CSV.
        unfolded_bytes: what its compressed parts may come to together.
        members: parts of an archive, chunks of an image, objects of a PDF.
        depth: how deep elements, lists and objects may lie in each other.
        characters: of all text found.
        cells: of all tables and points found.
        pixels: of one image.
    """

    file_bytes: int = 100 * MIB
    text_bytes: int = 16 * MIB
    unfolded_bytes: int = 64 * MIB
    members: int = 20_000
    depth: int = 64
    characters: int = 64 * MIB
    cells: int = 1_000_000
    pixels: int = 40_000_000


class Unreadable(Exception):
    """A file that cannot be read wholly within the bounds; `code` is a problem's code.

    It never leaves this package: `read_artefact` turns it into a problem that refuses the file.
    """

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.place = place

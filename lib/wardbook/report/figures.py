"""What a page must know of a PNG file: that it is one, and its size."""

from __future__ import annotations

import struct

from wardbook.report.problem import ReportProblem

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_png_size(content: bytes, *, name: str) -> tuple[int, int]:
    """Return width and height in pixels, read from the header chunk (PNG specification, 11.2.1).

    Raises:
        ReportProblem: it is not a PNG file.
    """
    if not content.startswith(_SIGNATURE) or content[12:16] != b"IHDR" or len(content) < 24:
        raise ReportProblem(f"figure {name!r}: not a PNG file. Declare it with wb.figure.")
    width, height = struct.unpack(">II", content[16:24])
    return width, height

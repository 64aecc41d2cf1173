"""Two figures, pixel by pixel: what a viewer shows, whatever else the files hold."""

from __future__ import annotations

import io

from wardbook.reproduction.likeness import Comparison, Likeness


def compare_figures(output: str, before: bytes, after: bytes) -> Comparison:
    """Compare two raster images; transparency counts, metadata do not.

    The count of pixels stands under `pixels`; `sizes` are width and height where they differ.
    """
    from PIL import Image, ImageChops, UnidentifiedImageError

    if before == after:
        return Comparison(output, Likeness.BYTES)
    try:
        with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
            one, other = old.convert("RGBA"), new.convert("RGBA")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return Comparison(output, Likeness.DIFFERENT)
    if one.size != other.size:
        return Comparison(output, Likeness.DIFFERENT, sizes=(one.size, other.size))
    bands = ImageChops.difference(one, other).split()
    apart = bands[0]
    for band in bands[1:]:
        apart = ImageChops.lighter(apart, band)
    count = one.width * one.height - apart.histogram()[0]
    if not count:
        return Comparison(output, Likeness.PIXELS)
    return Comparison(output, Likeness.DIFFERENT, {"pixels": count})

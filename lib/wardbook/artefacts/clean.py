"""A picture rewritten with nothing in it but the picture."""

from __future__ import annotations

import io
import warnings

from wardbook.artefacts.bounds import Bounds
from wardbook.artefacts.read import read_artefact
from wardbook.errors import Refusal

_UNREADABLE = "picture {name!r}: not a PNG or JPEG that can be read. Save it again."


class PictureRefusal(Refusal):
    """A picture that cannot be cleaned: broken, too large, or of another kind."""


def clean_image(content: bytes, *, name: str, bounds: Bounds | None = None) -> bytes:
    """Return a PNG or JPEG without metadata, thumbnails and appended data.

    A picture that holds nothing else is returned as it is, octet for octet. Any other is decoded
    and its pixels written anew; a JPEG is turned as its Exif orientation says first.

    Raises:
        PictureRefusal: it is no PNG or JPEG, or cannot be read within the bounds.
    """
    suffix = "png" if content.startswith(b"\x89PNG") else "jpg"
    reading = read_artefact(f"{name}.{suffix}", content, bounds)
    codes = {problem.code for problem in reading.problems}
    if reading.form not in ("png", "jpeg") or codes - {
        "metadata",
        "appended",
        "embedded",
        "invisible_text",
    }:
        raise PictureRefusal(_UNREADABLE.format(name=name))
    if not codes:
        return content
    try:
        return _rewrite(content, reading.form)
    except (OSError, ValueError, SyntaxError):  # what Pillow raises of broken pixels
        raise PictureRefusal(_UNREADABLE.format(name=name)) from None


def _rewrite(content: bytes, form: str) -> bytes:
    from PIL import Image, ImageOps

    with (
        warnings.catch_warnings(),
        Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as opened,
    ):
        warnings.simplefilter("ignore")  # broken Exif data are told, and thrown away
        picture = ImageOps.exif_transpose(opened)
        # A new picture: what Pillow keeps beside the pixels (info, exif, text) stays behind.
        plain = Image.new(picture.mode, picture.size)
        plain.paste(picture)
        if picture.palette is not None:
            plain.putpalette(picture.palette)
        options = (
            {"transparency": opened.info["transparency"]} if "transparency" in opened.info else {}
        )
        target = io.BytesIO()
        if form == "png":
            plain.save(target, "PNG", **options)
        else:
            plain.save(target, "JPEG", quality=95)
    return target.getvalue()

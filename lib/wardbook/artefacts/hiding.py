"""Whether an element of HTML or SVG is there without being seen."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|(^|;|\s)opacity\s*:\s*0*\.?0+\s*(;|!|$|%)"
    r"|font-size\s*:\s*0*\.?[01]?(px|pt|em|rem|%)?\s*(;|!|$)"
    r"|(^|;|\s)(max-)?(width|height)\s*:\s*0*\.?0+(px|pt|em|rem|%)?\s*(;|!|$)"
    r"|text-indent\s*:\s*-\d{3,}|(left|top|right|bottom)\s*:\s*-\d{3,}|clip(-path)?\s*:"
    r"|transform\s*:[^;]*scale\w?\(\s*0|color\s*:\s*transparent|content-visibility\s*:\s*hidden",
    re.IGNORECASE,
)
_HIDING_ATTRIBUTES = {
    "display": ("none",),
    "visibility": ("hidden", "collapse"),
    "opacity": ("0", "0.0", "0%"),
    "fill-opacity": ("0", "0.0"),
    "font-size": ("0", "0px"),
}


def is_hidden(tag: str, attributes: Iterable[tuple[str, str | None]]) -> bool:
    """Tell whether its attributes or its own style keep an element from being seen."""
    given = {name: (value or "").strip().lower() for name, value in attributes}
    if "hidden" in given or (tag == "input" and given.get("type") == "hidden"):
        return True
    if _HIDING_STYLE.search(given.get("style", "")):
        return True
    return any(given.get(name) in values for name, values in _HIDING_ATTRIBUTES.items())

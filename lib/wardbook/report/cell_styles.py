"""How a notebook may colour the cells of a table: known properties with known values, no more.

No page allows inline styles, so each style becomes a class of the file `styles.css` that stands
beside the page. A style can neither fetch anything nor lay anything over the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_STYLES = 20_000
"""Declarations of one table; a page shows 120 rows."""

_COLOUR = re.compile(
    r"#[0-9a-f]{3,8}|(?!transparent)[a-z]{3,20}|(rgb|hsl)a?\([\d.,%\sdeg/]{1,40}\)", re.IGNORECASE
)
_INK = re.compile(r"(^|; )color:")
_VALUES: Mapping[str, re.Pattern[str]] = {
    "background-color": _COLOUR,
    "color": _COLOUR,
    "font-weight": re.compile(r"bold|bolder|normal|[1-9]00"),
    "font-style": re.compile(r"italic|normal"),
    "text-align": re.compile(r"left|right|center"),
    "text-decoration": re.compile(r"underline|line-through|none"),
}


@dataclass(frozen=True)
class CellStyle:
    """The style of one cell; row and column count from 0, `css` is made of known parts alone."""

    row: int
    column: int
    css: str


def parse_styles(raw: Any) -> tuple[CellStyle, ...]:
    """Return the styles of a display's mark: a list of `[row, column, [[property, value], …]]`.

    Properties that a table may not have are left out.

    Raises:
        ValueError, TypeError: it is not such a list.
    """
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > MOST_STYLES:
        raise ValueError("styles")
    return tuple(filter(lambda style: style.css, map(_parse_style, raw)))


def _parse_style(raw: Any) -> CellStyle:
    row, column, pairs = raw
    if type(row) is not int or type(column) is not int or row < 0 or column < 0:
        raise ValueError(row)
    known = [f"{name}: {value}" for name, value in pairs if _is_known(name, value)]
    return CellStyle(row, column, "; ".join(known))


def _is_known(name: Any, value: Any) -> bool:
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError(name)
    shape = _VALUES.get(name)
    return shape is not None and shape.fullmatch(value) is not None


def name_classes(styles: Sequence[Sequence[CellStyle]]) -> dict[str, str]:
    """Return the class of each distinct style of a report's tables: `cell-1`, `cell-2`, …"""
    distinct = dict.fromkeys(style.css for table in styles for style in table)
    return {css: f"cell-{number}" for number, css in enumerate(distinct, 1)}


def write_stylesheet(classes: Mapping[str, str]) -> str:
    """Return the style sheet with these classes."""
    # A colour of one scheme beside one of the other could not be read: a cell that has a background
    # has ink that stands out from it, unless the notebook says which.
    rules = []
    for css, name in classes.items():
        ground = re.search(r"background-color: ([^;]+)", css)
        ink = f"; color: {_ink_on(ground[1])}" if ground and not _INK.search(css) else ""
        rules.append(f".table :is(td, th).{name} {{ {css}{ink} }}\n")
    return "".join(rules)


def _ink_on(colour: str) -> str:
    """Return dark or light ink, whichever stands out (relative luminance, WCAG 2.2)."""
    if colour.startswith("#") and len(colour) in (7, 9):
        parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    elif colour.startswith("rgb"):
        parts = [min(255, round(float(part))) for part in re.findall(r"\d+\.?\d*", colour)[:3]]
    else:
        return "#1b2425"
    red, green, blue = (
        value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4
        for value in (*parts, 0, 0, 0)[:3]
    )
    return "#1b2425" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 else "#ffffff"

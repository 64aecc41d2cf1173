"""Python's regular expressions and case folding, said so that a browser understands the same.

Only the constructs that the gate uses are translated; a pattern with another is refused when the
page is made, so a rule never silently means something else in the browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

# From the longest to the shortest, for text patterns that are not ASCII only.
_UNICODE = {
    r"[^\W\d_]": r"[\p{L}\p{Nl}\p{No}]",
    r"[^\W_]": r"[\p{L}\p{N}]",
    r"\w": r"\p{L}\p{N}_",
    r"\d": r"\p{Nd}",
}
_ASCII = {r"\d": "0-9"}
_TOKEN = re.compile(
    r"\[\^\\W\\d_\]|\[\^\\W_\]|\\[A-Za-z]|\\(?P<mark>[\\.|(){}\[\]*+?/^$-])|\(\?(?![:=])|[\[\]]|."
)


def in_browser(pattern: re.Pattern[str]) -> dict[str, str]:
    """Return `form` and `flags` of a RegExp that matches whole texts as `pattern.fullmatch` does.

    The texts are in Unicode's form NFKC. Where case does not matter, `dotless` says that ı and İ
    count as i, which they do for Python and not for a browser.

    Raises:
        ValueError: the pattern uses what is not translated.
    """
    is_ascii = bool(pattern.flags & re.ASCII)
    folds = bool(pattern.flags & re.IGNORECASE)
    words = _ASCII if is_ascii else _UNICODE
    parts, in_class = [], False
    for part in (found.group() for found in _TOKEN.finditer(pattern.pattern)):
        if part in ("[", "]"):
            in_class = part == "["
        elif part in words:
            said = words[part]
            part = said if in_class or said.startswith("[") else f"[{said}]"
        elif part.startswith("(?") or re.fullmatch(r"\\[A-Za-z]", part):
            raise ValueError(f"{part!r} of the pattern {pattern.pattern!r} has no translation")
        parts.append(part)
    return {
        "form": f"^(?:{''.join(parts)})$",
        "flags": "isu" if folds else "su",
        "dotless": "i" if folds and not is_ascii else "",
    }


def folds_into(texts: Iterable[str]) -> Mapping[str, str]:
    """Return how characters fold that a browser's lower case leaves otherwise.

    Only those that can turn into a part of one of the `texts`, which are case-folded here.
    """
    letters = set("".join(texts).casefold())
    return {one: folded for one, folded in _odd_folds().items() if set(folded) <= letters}


@cache
def _odd_folds() -> dict[str, str]:
    # No script beyond has two cases.
    every = (chr(code) for code in range(0x80, 0x20000) if not 0xD800 <= code < 0xE000)
    return {one: one.casefold() for one in every if one.casefold() != one.lower()}

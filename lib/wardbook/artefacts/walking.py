"""Every text of a JSON value: keys, strings and, where asked, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wardbook.artefacts.bounds import Unreadable


def walk(value: Any, depth: int, place: str = "") -> Iterator[tuple[str, str | None, Any]]:
    """Yield place, key and value of everything in `value`, itself first; keys count from 1 in it.

    Raises:
        Unreadable: it is deeper than `depth`.
    """
    # A stack of our own: a recursion would end in Python's, at a depth that depends on the caller.
    waiting: list[tuple[str, str | None, Any, int]] = [(place, None, value, 0)]
    while waiting:
        here, key, found, level = waiting.pop()
        yield here, key, found
        if isinstance(found, dict | list) and level >= depth:
            raise Unreadable("too_deep", here)
        items = found.items() if isinstance(found, dict) else ()
        if isinstance(found, list):
            items = ((None, one) for one in found)  # type: ignore[assignment]
        inner = [
            (f"{here}/{number}", name, one, level + 1)
            for number, (name, one) in enumerate(items, 1)
        ]
        waiting.extend(reversed(inner))

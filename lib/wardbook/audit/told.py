"""What an entry may say: words of ours, accounts, digests and counts. All else is withheld.

The log leaves the secure side (heads, exports, reports) and is kept for years, so no text that a
person wrote gets in, nor anything that was read from data: what is not listed here is only named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/#~@+-]{0,159}")
_HEX = re.compile(r"[0-9A-Fa-f]{7,64}")
_ACCOUNT = re.compile(r"[\w.@+-]{1,64}")
_PERSON = re.compile(r"[\w.@+:-]{1,128}")
"""An account of Jira; on Cloud its name is an id with a colon."""
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([T ][0-9:.]+(Z|[+-]\d{2}:?\d{2})?)?")

_WORDS: Mapping[str, re.Pattern[str]] = {
    "account": _ACCOUNT,
    "approvals": _ACCOUNT,
    "authors": _ACCOUNT,
    "category": _CODE,
    "command": _CODE,
    "commit": _HEX,
    "digests": _HEX,
    "effect": _NAME,
    "failure": _CODE,
    "fingerprint": _HEX,
    "given": _MOMENT,
    "ground": _CODE,
    "host": _NAME,
    "kind": _CODE,
    "log": _HEX,
    "login": _ACCOUNT,
    "name": _NAME,
    "obstacles": _CODE,
    "outcome": _CODE,
    "output": _CODE,
    "outputs": _CODE,
    "period": _NAME,
    "person": _PERSON,
    "policy": _NAME,
    "proposed": _HEX,
    "reviewers": _ACCOUNT,
    "rules": _CODE,
    "run": _NAME,
    "sha256": _HEX,
    "standing": _NAME,
    "started": _MOMENT,
    "until": _MOMENT,
    "verdicts": _CODE,
}
_COUNTS = frozenset(
    {
        *("bytes", "causes", "count", "files", "needed", "revision", "rows"),
        *("seconds", "skipped", "texts"),
    }
)
_MOST = 5000


def tell_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be told of an event's details; `withheld` names what may not."""
    told = {name: value for name, value in details.items() if _is_safe(name, value)}
    withheld = sorted(_NAME_OF_DETAIL.sub("", str(name))[:40] for name in details.keys() - told)
    return told | ({"withheld": withheld} if withheld else {})


def tell_line(text: str, longest: int) -> str:
    """Return a text as one printable line; what is left out shows as `…`."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= longest else line[: longest - 1] + "…"


_NAME_OF_DETAIL = re.compile(r"[^a-z0-9_]")


def _is_safe(name: str, value: object) -> bool:
    parts = value if isinstance(value, list | tuple) else [value]
    if name in _COUNTS:
        return len(parts) <= _MOST and all(
            part is None or isinstance(part, bool | int | float) for part in parts
        )
    pattern = _WORDS.get(name)
    if pattern is None:
        return False
    return len(parts) <= _MOST and all(
        isinstance(part, str) and (not part or pattern.fullmatch(part)) for part in parts
    )

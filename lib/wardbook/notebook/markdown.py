"""Foreign values inside our own Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from wardbook.template.spec import TemplateProblem

# Every ASCII punctuation mark may be escaped in CommonMark (section 2.4), so all of them are.
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")
# Non-breaking spaces, which French numbers hold, are not among them.
_BREAKS = re.compile(r"\s+", re.ASCII)


def escape_markdown(value: str) -> str:
    """Return `value` as one line of Markdown that shows exactly its characters."""
    return _MARKS.sub(r"\\\1", _BREAKS.sub(" ", value))


class _QuotingFormatter(Formatter):
    """Format each value first (`{rate:.1f}`), then quote what came out."""

    def __init__(self, quote: Callable[[str], str]) -> None:
        self._quote = quote

    def format_field(self, value: Any, format_spec: str) -> str:
        return self._quote(format(value, format_spec))


def fill(
    texts: Mapping[str, str],
    key: str,
    values: Mapping[str, object],
    *,
    quote: Callable[[str], str],
) -> str:
    """Return the text `key` with its places filled, each value quoted by `quote`.

    Raises:
        TemplateProblem: there is no such text, or it has a place without a fitting value.
    """
    if key not in texts:
        raise TemplateProblem(f"texts.toml has no text {key!r} in this language. Add it there.")
    try:
        return _QuotingFormatter(quote).vformat(texts[key], (), values)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        reason = f"no value for {error}" if isinstance(error, KeyError) else "a place does not fit"
        raise TemplateProblem(
            f"texts.toml: text {key!r}: {reason}. Give each place its value by name."
        ) from None

"""Text that does nothing to a terminal or to a log.

What a ticket, a server or a file says may hold control characters, which move the cursor, rename
the window or paste into the shell, and marks that make text read as what it is not.
"""

from __future__ import annotations

import logging


def harmless(text: str) -> str:
    """Return a text with every character that a terminal acts on shown by its number."""
    return "".join(
        char if char.isprintable() or char in "\n\u00a0\u202f" else f"\\u{ord(char):04x}"
        for char in text
    )


class LogLine(logging.Formatter):
    """One line per message, whatever it quotes."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message."""
        return harmless(super().format(record)).replace("\n", "\\n")

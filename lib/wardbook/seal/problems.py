"""What the seal refuses, told in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from wardbook.errors import SealRefusal
from wardbook.messages import Language, say


class SealProblem(SealRefusal):
    """A key, signature, receipt or file that must not be trusted.

    Args:
        code: name of a message of the catalogue, topic `seal`, e.g. `key_expired`.
        details: what the message needs: fingerprints, file names, dates. Never a file's content.
    """

    def __init__(self, code: str, **details: str | int) -> None:
        self.code = code
        self.details: Mapping[str, str | int] = details
        super().__init__(code, *details.values())

    def tell(self, language: Language) -> str:
        """Return what happened and what to do next, in `language`."""
        return say(language, f"seal.{self.code}", **self.details)

    def __str__(self) -> str:
        return self.tell("en")

"""GitLab's refusals: a status and `{"message": …}` or `{"error": …}`."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Stop handling and answer so; nothing of the request takes effect."""

    def __init__(self, status: int, message: Any, *, word: str = "message") -> None:
        super().__init__(status, message)
        self.status = status
        self.body = {word: message}


def not_found(what: str = "") -> Refused:
    """Return `404 What Not Found`; without a name, what GitLab says of a missing row."""
    return Refused(404, f"404 {what} Not Found" if what else "404 Not found")


def forbidden(why: str = "") -> Refused:
    """Return a 403."""
    return Refused(403, f"403 Forbidden - {why}" if why else "403 Forbidden")


def unauthorized() -> Refused:
    """Return a 401."""
    return Refused(401, "401 Unauthorized")


def bad_parameter(text: str) -> Refused:
    """Return a 400 of the parameters' check, e.g. `title is missing`."""
    return Refused(400, text, word="error")


def invalid(**problems: list[str]) -> Refused:
    """Return a 400 of a model's check, e.g. `title=["can't be blank"]`."""
    return Refused(400, problems)

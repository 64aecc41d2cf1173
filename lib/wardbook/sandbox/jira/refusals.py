"""Jira's refusals: a status and a body `{"errorMessages": […], "errors": {…}}`."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """Stop handling and answer so; nothing of the request takes effect."""

    def __init__(
        self, status: int, *messages: str, fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, *messages)
        self.status = status
        self.messages = list(messages)
        self.fields = dict(fields or {})


def no_issue() -> Refused:
    """Return the refusal for a ticket that is not there."""
    return Refused(404, "Issue Does Not Exist")


def unsettable(field: str) -> str:
    """Return what Jira says of a field that the screen does not have."""
    return f"Field '{field}' cannot be set. It is not on the appropriate screen, or unknown."

"""The figures that a requester reads first, in the report's head and in the ticket's answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Headline:
    """One figure of a released table, in the reader's words.

    `value` is written as the reader's language writes it, unit included; `note` says of when or of
    whom it is, and may be empty. Both come from tables as they left, so nothing that was cut.
    """

    label: str
    value: str
    note: str

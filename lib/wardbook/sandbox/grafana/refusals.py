"""Grafana's refusals: a status and `{"message": …}`, sometimes with a `status` in words."""

from __future__ import annotations


class Refused(Exception):
    """Stop handling and answer so; nothing of the request takes effect."""

    def __init__(self, status: int, message: str, word: str = "") -> None:
        super().__init__(status, message)
        self.status = status
        self.body = {"message": message, **({"status": word} if word else {})}

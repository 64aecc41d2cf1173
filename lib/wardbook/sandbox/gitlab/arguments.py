"""What a request was given: its arguments, and how they are read."""

from __future__ import annotations

from typing import Any

from flask import request

from wardbook.sandbox.house import json_body
from wardbook.sandbox.store import Body


def arguments() -> Body:
    """Return the request's arguments: JSON body, form and query together."""
    return {**request.args.to_dict(), **request.form.to_dict(), **json_body()}


def is_true(value: Any) -> bool:
    """Read a boolean as Grape does."""
    return str(value).lower() in ("true", "1", "t")

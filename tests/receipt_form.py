"""What receipts and crates must hold to, for the tests that have real ones."""

from __future__ import annotations

import json
import re
import socket
import tempfile
from pathlib import Path
from typing import Any

import jsonschema

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((ROOT / "docs" / "receipt.schema.json").read_text(encoding="utf-8"))


def find_breaches(statement: Any) -> list[str]:
    """Return what of a receipt the documented schema does not know."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.json_path for error in validator.iter_errors(statement)]


def assert_documented(statement: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert find_breaches(statement) == []


def find_places(text: str, *folders: Path) -> list[str]:
    """Return what in a text says something of the machine that wrote it: folders, host, account."""
    telling = {str(folder.resolve()) for folder in (*folders, ROOT, Path.home())}
    telling |= {tempfile.gettempdir(), socket.gethostname()}
    found = [word for word in telling if len(word) > 3 and word in text]
    return found + re.findall(r"(?<![:/\w.])/(?:home|root|srv|tmp|var|usr|work)/\S*", text)


def assert_no_path(text: str, *folders: Path) -> None:
    assert find_places(text, *folders) == []

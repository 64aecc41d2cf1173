"""What hides a number from a search and not from a reader is seen through, in one pass."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from tests.planted_notebooks.plants import DISGUISES
from wardbook.identifiers.allowances import Allowances
from wardbook.identifiers.commits import check_files, check_message
from wardbook.identifiers.context import Context
from wardbook.identifiers.unveiling import (
    DEEPEST,
    LARGEST_UNPACKED,
    TooMuchPacked,
    unveil,
)

NIR = "NIR 2 84 07 75 123 456 07"
KEY = "née le 12/03/1954, jeton glpat-aB3dE5gH7jK9mN1pQ3sT"


@pytest.mark.parametrize("name", DISGUISES)
def test_each_disguise_is_seen_through(name: str) -> None:
    found = {one.kind for one in check_message("message", DISGUISES[name](NIR), Context())}
    assert found == {"nir"}
    found = {one.kind for one in check_message("message", DISGUISES[name](KEY), Context())}
    assert found == {"birth_date", "credential"}


@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguised_text_with_nobody_in_it_is_clean(name: str) -> None:
    text = DISGUISES[name]("12 408 séjours, médiane 4,2 jours en 2023")
    assert check_message("message", text, Context()) == ()


def test_a_reading_tells_the_line_that_it_begins_at() -> None:
    inner = base64.b64encode(b"hello world, hello").decode()
    assert list(unveil(f"a\nb {inner}\nc\nd {inner}\n")) == [
        (1, "hello world, hello"), (3, "hello world, hello"),
    ]  # fmt: skip


def test_layers_are_taken_off_as_deep_as_is_told_and_no_deeper() -> None:
    written = NIR
    for _ in range(DEEPEST):
        written = base64.b64encode(written.encode()).decode()
    assert NIR in {reading for _, reading in unveil(written)}
    deeper = base64.b64encode(written.encode()).decode()
    assert NIR not in {reading for _, reading in unveil(deeper)}


def _pack(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def test_what_is_packed_is_read_as_a_whole_or_refused() -> None:
    half = _pack(NIR.encode() + b" " * (LARGEST_UNPACKED // 2 - len(NIR)))
    assert _kinds(f"{half}; {half}") == {"nir"}
    assert _kinds(f"{half}; {half}; {_pack(KEY.encode())}") == {"nir", "packed"}
    assert _kinds(_pack(b"x" * (LARGEST_UNPACKED + 1))) == {"packed"}  # by itself, and by a cell's
    notebook = {"cells": [{"cell_type": "code", "metadata": {}, "source": "; ".join([half] * 3)}]}
    found = check_files([("n.ipynb", json.dumps(notebook).encode())], Allowances(), Context())
    assert "packed" in {one.kind for one in found}


def test_all_members_of_what_is_packed_are_read() -> None:
    members = zlib.compress(b"x" * 20) + zlib.compress(NIR.encode())
    assert _kinds(base64.b64encode(members).decode()) == {"nir"}


def test_what_only_begins_like_something_packed_is_read_as_it_stands() -> None:
    assert _kinds(base64.b64encode(f"x^2, {NIR}".encode()).decode()) == {"nir"}


def test_many_bombs_are_stopped_at_the_first() -> None:
    bomb = _pack(b"x" * 100 * LARGEST_UNPACKED)
    with pytest.raises(TooMuchPacked):
        next(unveil("\n\n".join([bomb] * 100)))


def _kinds(message: str) -> set[str]:
    return {one.kind for one in check_message("message", message, Context())}

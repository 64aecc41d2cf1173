"""What hides a number from a search and not from a reader is seen through, in one pass."""

from __future__ import annotations

import base64
import zlib

import pytest

from tests.planted_notebooks.plants import DISGUISES
from wardbook.identifiers.commits import check_message
from wardbook.identifiers.context import Context
from wardbook.identifiers.unveiling import DEEPEST, LARGEST_UNPACKED, unveil

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


def test_a_bomb_is_read_as_far_as_there_is_room_and_so_is_a_letter_that_is_cut() -> None:
    bomb = zlib.compress(b"x" + "é".encode() * LARGEST_UNPACKED)
    ((_, reading),) = unveil(base64.b64encode(bomb).decode(), depth=1)
    assert set(reading) == {"x", "é"}
    assert LARGEST_UNPACKED - 2 <= len(reading.encode()) <= LARGEST_UNPACKED

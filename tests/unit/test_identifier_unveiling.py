"""What hides a number from a search and not from a reader is seen through, in one pass."""

from __future__ import annotations

import base64

import pytest

from tests.planted_notebooks.plants import DISGUISES
from wardbook.identifiers.commits import check_message
from wardbook.identifiers.context import Context
from wardbook.identifiers.unveiling import unveil

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

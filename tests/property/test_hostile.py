"""Whatever a ticket says, nothing is executed and nothing changes; the naive ways show it would be.

The large form is `python -m tests.hostile`.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from r_side import require_r

from tests.hostile.runs import PLACES, Place
from tests.hostile.sinks import SINKS, Sink
from tests.hostile.texts import FAMILIES, TICKETS, fuzzed, hostile_texts

TEXTS = hostile_texts()


def test_there_are_as_many_different_tickets_as_promised() -> None:
    assert len(set(TEXTS)) == TICKETS == 300


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_no_ticket_does_harm_where_it_is_shown(sink: Sink) -> None:
    assert [(text, harm) for text in TEXTS if (harm := list(sink.ours(text)))] == []


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_the_naive_way_does_harm_there(sink: Sink) -> None:
    assert any(list(sink.naive(text)) for text in TEXTS)


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_no_fuzzed_text_does_harm_where_it_is_shown(sink: Sink) -> None:
    chance = random.Random(sink.name)
    texts = [fuzzed(chance) for _ in range(100)]
    assert [(text, harm) for text in texts if (harm := list(sink.ours(text)))] == []


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(one, marks=[pytest.mark.r] if one.family == "r" else [], id=one.name)
        for one in PLACES
    ],
)
def test_no_ticket_is_executed(place: Place, tmp_path: Path) -> None:
    if place.family == "r":
        require_r()
    slow = place.name.startswith("GnuPG")
    texts = [*FAMILIES["option"], *TEXTS[::20]] if slow else TEXTS
    assert place.ours(texts, tmp_path) == 0


@pytest.mark.parametrize(
    ("place", "number"),
    [
        pytest.param(
            one, number, marks=[pytest.mark.r] if one.family == "r" else [], id=way.__name__
        )
        for one in PLACES
        for number, way in enumerate(one.naive)
    ],
)
def test_the_naive_way_executes(place: Place, number: int, tmp_path: Path) -> None:
    if place.family == "r":
        require_r()
    assert place.naive[number](FAMILIES[place.family], tmp_path) > 0

"""The table of requests fits the terminal and shows a ticket's text as text."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from pipelines.cli.look import draw_journeys
from pipelines.journey import Journey

ADDRESS = "http://127.0.0.1:38749/reports/data-1/c6541cba1aa94e1b/"
STEPS = ("gate", "prepare", "run", "check", "release", "deliver", "answer")


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal_and_the_address_is_there(width: int) -> None:
    console = Console(width=width, record=True, file=StringIO())
    journey = Journey("DATA-1", "t", "[red]answered", (ADDRESS,), dict.fromkeys(STEPS, 12.3))
    console.print(draw_journeys([journey], width))
    text = console.export_text()
    assert all(len(line) <= width for line in text.splitlines())
    assert any(ADDRESS in line for line in text.splitlines()), "an address can be clicked whole"
    assert "[red]answered" in text
    assert "12.3" in text

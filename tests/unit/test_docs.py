"""The pages of docs/ that follow from the code are fresh, and every command is told."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))
import generate


@pytest.mark.parametrize("page", generate.PAGES)
def test_a_drawn_page_is_fresh(page: str, root: Path) -> None:
    assert (root / "docs" / page).read_text(encoding="utf-8") == generate.PAGES[page](), (
        "stale: run make docs"
    )


def test_every_command_says_what_it_does() -> None:
    contexts = list(generate.walk_commands())
    assert len(contexts) > 12
    for context in contexts:
        assert context.command.help, context.command_path
        for parameter in context.command.params:
            if isinstance(parameter, click.Option) and not parameter.multiple:
                assert parameter.help, (context.command_path, parameter.name)


def test_every_link_between_our_pages_leads_somewhere(root: Path) -> None:
    pages = [root / "README.md", *(root / "docs").rglob("*.md"), *root.glob("*/README.md")]
    assert len(pages) > 8
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:", "mailto:")):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_glossary_has_the_words_of_the_code(root: Path) -> None:
    glossary = (root / "docs" / "glossary.md").read_text(encoding="utf-8").lower()
    for word in (
        *("ticket", "request", "template", "gate", "run", "output", "check", "release"),
        *("deliverable", "receipt", "ledger", "intent", "effect", "claim", "tick"),
    ):
        assert f"**{word}**" in glossary, word

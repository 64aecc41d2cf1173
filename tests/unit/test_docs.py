"""The pages of docs/ that follow from the code are fresh, and every command is told."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))
import generate


def draw(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # A process of its own: click remembers how a command was last called.
    return subprocess.run(
        [sys.executable, folder / "docs" / "generate.py", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
    )


def test_the_drawn_pages_are_fresh(root: Path) -> None:
    done = draw("--check", folder=root)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_page_is_noticed(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "docs", tmp_path / "docs")
    page = tmp_path / "docs" / "states.md"
    page.write_text(page.read_text(encoding="utf-8").replace("received", "recieved"))
    done = draw("--check", folder=tmp_path)
    assert done.returncode == 1
    assert "states.md" in done.stdout


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

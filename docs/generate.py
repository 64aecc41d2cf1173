"""Draws the pages of docs/ that follow from the code: states, commands, settings, templates.

`make docs` writes them; a test fails when one is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from pipelines.cli.main import wardbook
from pipelines.cli.template import describe_template
from pipelines.sample_settings import SAMPLE
from wardbook.domain.states import MOVES, SETTLED, State
from wardbook.shipped import shipped_folder
from wardbook.template.spec import load_catalogue

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Drawn by `make docs`; do not edit by hand. -->\n"


def draw_states() -> str:
    """Draw the table of states as a diagram and as a table."""
    work = [move for move in MOVES if move.event != "ticket.edited"]
    lines = [
        "# States of a request",
        "",
        NOTE,
        "An edited ticket goes back to `received` from anywhere; that move is left out below.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> received",
        *(f"    {move.source} --> {move.target}: {move.event}" for move in work),
        *(f"    {state} --> [*]" for state in State if state in SETTLED),
        "```",
        "",
        "| from | to | who | event | notice to the requester | ticket |",
        "|---|---|---|---|---|---|",
    ]
    for move in MOVES:
        told = f"{move.notice or ''} | {move.ticket or ''}"
        lines.append(f"| {move.source} | {move.target} | {move.actor} | `{move.event}` | {told} |")
    return "\n".join(lines) + "\n"


def draw_commands() -> str:
    """Show the help of every command."""
    parts = ["# The command `wardbook`", "", NOTE]
    for context in walk_commands():
        title = f"## `{context.command_path}`" if context.parent else ""
        parts += [title, "", "```", context.get_help(), "```", ""]
    return "\n".join(parts)


def walk_commands(context: click.Context | None = None) -> Iterator[click.Context]:
    """Yield a context for the command line itself and for every command in it."""
    context = context or click.Context(
        wardbook, info_name="wardbook", terminal_width=92, **wardbook.context_settings
    )
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None:
                yield from walk_commands(click.Context(command, info_name=name, parent=context))


def draw_settings() -> str:
    """Show the settings file that `wardbook init` writes."""
    return "\n".join(
        [
            "# Settings",
            "",
            NOTE,
            "`wardbook init` writes this file; `wardbook doctor` says what is wrong with yours.",
            "An unknown or missing key is refused with what to write instead.",
            "",
            "```toml",
            SAMPLE.rstrip(),
            "```",
            "",
        ]
    )


def draw_templates() -> str:
    """Show what each template takes and leaves, with every column of its tables."""
    parts = ["# Templates", "", NOTE]
    for template in load_catalogue(shipped_folder("templates")).values():
        parts += [f"## {template.spec.title.en}", "", "```", describe_template(template), "```", ""]
    return "\n".join(parts)


PAGES: dict[str, Callable[[], str]] = {
    "states.md": draw_states,
    "commands.md": draw_commands,
    "settings.md": draw_settings,
    "templates.md": draw_templates,
}


def find_stale() -> list[str]:
    """Return the names of the pages that are not as they would be drawn now."""
    return [
        name for name, draw in PAGES.items() if (DOCS / name).read_text(encoding="utf-8") != draw()
    ]


def main() -> int:
    """Write every page, or say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if one is stale")
    wanted = parser.parse_args()
    if wanted.check:
        stale = find_stale()
        if stale:
            print("stale, run make docs:", ", ".join(stale))
        return 1 if stale else 0
    for name, draw in PAGES.items():
        (DOCS / name).write_text(draw(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

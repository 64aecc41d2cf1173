"""`wardbook site`: the static site of results and templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.main import Context
from pipelines.cli.terminal import catch_stop, wait_for_stop, working
from pipelines.house import House

if TYPE_CHECKING:
    from wardbook.pages.page import Target


@click.group()
def site() -> None:
    """Build or serve the site."""


@site.command("build")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Leave a copy of the whole site in this new folder, for GitLab Pages say.",
)
@click.option(
    "--target",
    type=click.Choice(["internal", "public"]),
    default="internal",
    show_default=True,
    help="Who reads the copy: the hospital, or everybody. `public` needs --out.",
)
@click.pass_obj
def build(context: Context, out: Path | None, target: Target) -> int:
    """Bring the whole site up to date: pages, lists, documentation, search.

    Tutorials are executed and every link is followed. What fails or leads nowhere is named, and no
    copy is left.
    """
    from pipelines.site import build_everything, copy_for

    if target == "public" and out is None:
        raise click.UsageError("--target public needs --out: it is a copy of a part of the site")
    with House(context.settings()) as house, working("Building the site"):
        folder = build_everything(house)
        if out is not None:
            copy_for(house, target, out)
    click.echo(f"Built {out or folder}")
    return 0


@site.command("serve")
@click.option("--port", default=8000, show_default=True, help="On this machine alone.")
@click.pass_obj
def serve(context: Context, port: int) -> int:
    """Serve the site on this machine, for a look, until stopped."""
    from wardbook.pages.serve import serve_site

    stop = catch_stop()
    with serve_site(context.settings().site.folder, port):
        click.echo(f"http://127.0.0.1:{port}/  (Ctrl-C stops)")
        wait_for_stop(stop)
    return 0

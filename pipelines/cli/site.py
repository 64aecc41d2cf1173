"""`wardbook site`: the static site of results and templates."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.main import Context
from pipelines.cli.terminal import catch_stop, wait_for_stop
from pipelines.house import House


@click.group()
def site() -> None:
    """Build or serve the site."""


@site.command("build")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Leave a copy of the whole site in this new folder, for GitLab Pages say.",
)
@click.pass_obj
def build(context: Context, out: Path | None) -> int:
    """Bring the front page, the catalogue and the lists up to date with the published reports."""
    from pipelines.site import rebuild_site
    from wardbook.pages.publish import copy_site

    with House(context.settings()) as house:
        folder = rebuild_site(house)
    if out is not None:
        copy_site(folder, out)
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

"""`wardbook sandbox`: a small hospital of one's own to try things on."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.terminal import catch_stop, wait_for_stop


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sandbox"),
    show_default=True,
    help="Where everything is kept.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with Santé publique France's hospital files; by default those of "
    "../shared/data/spf, or generated ones.",
)
def sandbox(folder: Path, data: Path | None) -> int:
    """Serve an embedded Jira and GitLab with people, projects, keys and data, until stopped.

    File a ticket in Jira's form as one of the people, let `wardbook serve` work on it with the
    settings that are printed, and follow it on both trackers' pages. The servers hold to the public
    contracts, so the real clients work on them; docs/sandbox.md says what they answer, how faults
    are switched on, and how to serve bare ones (`python -m wardbook.sandbox`).
    """
    from pipelines.demo.demo import opened_world
    from pipelines.demo.world import find_real_data

    stop = catch_stop()
    click.echo("Setting up …", err=True)
    with opened_world(folder, data or find_real_data()) as (world, servers, site):
        click.echo(f"Jira     {servers.jira_url}/create\nGitLab   {servers.gitlab_url}")
        click.echo(f"Site     {site.url}")
        click.echo(f"Work on it:  wardbook --settings {world.settings} serve --every 2")
        wait_for_stop(stop)
    return 0

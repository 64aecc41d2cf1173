"""`wardbook sandbox`: a Jira and a GitLab of one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where its state is kept.",
)
@click.option("--jira-port", default=0, help="0: the last one, or a free one.")
@click.option("--gitlab-port", default=0, help="0: the last one, or a free one.")
@click.option(
    "--flavour", type=click.Choice(["server", "cloud"]), default="server", help="Which Jira."
)
@click.option("--index-lag", default=0.0, help="Seconds by which Jira's search lags behind.")
def sandbox(folder: Path, jira_port: int, gitlab_port: int, flavour: str, index_lag: float) -> int:
    """Serve the embedded Jira and GitLab on this machine until stopped.

    They hold to the public contracts, so that the real clients work on them; docs/sandbox.md says
    what they answer and how faults are switched on.
    """
    from wardbook.sandbox import serve

    serve(
        folder,
        jira_port,
        gitlab_port,
        "cloud" if flavour == "cloud" else "server",
        index_lag,
        announce=click.echo,
    )
    return 0

"""`wardbook demo`: seven tickets on their way, on this machine alone."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from pipelines.cli.look import draw_journeys
from pipelines.cli.main import FAULT
from pipelines.cli.terminal import catch_stop, open_console, wait_for_stop
from pipelines.demo.narrator import News
from pipelines.demo.world import find_real_data


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where everything is kept; delete it to begin from nothing.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with Santé publique France's hospital files; by default those of "
    "../shared/data/spf, or generated ones.",
)
@click.option(
    "--stay/--no-stay",
    default=None,
    help="Keep the pages open at the end. [default: on a terminal]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def demo(folder: Path, data: Path | None, stay: bool | None, as_json: bool) -> int:
    """File seven tickets in an embedded Jira and lead them to their deliverables.

    read → gate → prepare → run → check → release → deliver → answer: a public report, a list of
    stays sealed to its requester, a refusal, a failure on broken data, hostile text, and a ward's
    metrics with their dashboard. No account and no server is needed. Once finished, the next call
    plays a new round.
    """
    from pipelines.demo.demo import opened_world, show_demo

    console = open_console(stderr=as_json)
    with opened_world(folder, data or find_real_data()) as (world, sandbox, site):
        console.print(f"Jira {sandbox.jira_url}   GitLab {sandbox.gitlab_url}   site {site.url}")
        shown = show_demo(world, sandbox, site, lambda news: _tell(console, news))
        if as_json:
            click.echo(json.dumps(asdict(shown), ensure_ascii=False, indent=1))
        else:
            console.print(draw_journeys(list(shown.journeys), console.width))
            for name, address in (
                ("Site", shown.site),
                ("Jira", shown.jira),
                ("GitLab", shown.gitlab),
            ):
                console.print(f"{name:<8} {address}")
        if not shown.finished:
            console.print("Not all tickets are settled. `wardbook status` says why.", style="red")
            return FAULT
        if stay or (stay is None and sys.stdout.isatty()):
            console.print("The pages stay open. Ctrl-C ends the demonstration.")
            wait_for_stop(catch_stop())
        elif not as_json:
            console.print(f"Look again: {sys.argv[0]} sandbox --dir {folder}")
    return 0


def _tell(console: Console, news: News) -> None:
    *before, last = news.trail or ("",)
    line = Text(f"{news.at[11:19]}  {news.key:<8} ")
    line.append("".join(f"{station} → " for station in before), style="dim")
    line.append(last, style="bold")
    line.append(f"   {news.event.partition('.')[2]}", style="italic")
    console.print(line)

"""`wardbook dashboards`: what Grafana shows of the unit's metrics."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from pipelines.cli.main import REFUSED, Context
from pipelines.house import House


@click.group()
def dashboards() -> None:
    """Check dashboards, write them as Grafana's files, or push them to it."""


@dashboards.command("check")
@click.pass_obj
def check(context: Context) -> int:
    """Ask the metrics' database every query of every dashboard; nothing is written."""
    from pipelines.dashboards import find_ready

    with House(context.settings()) as house:
        ready = find_ready(house)
    for board, _ in ready.boards:
        click.echo(f"{board.name}: {len(board.panels)} panels, {len(list(board.alerts()))} alerts")
    return _tell_held(ready.held)


@dashboards.command("build")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="A folder laid out as Grafana's `provisioning`.",
)
@click.pass_obj
def build(context: Context, out: Path) -> int:
    """Write data source, dashboards and alert rules as Grafana's provisioning files."""
    from pipelines.dashboards import write_provisioning

    with House(context.settings()) as house:
        files, held = write_provisioning(house, out)
    for file in files:
        click.echo(f"Wrote {file}")
    return _tell_held(held)


@dashboards.command("push")
@click.pass_obj
def push(context: Context) -> int:
    """Push dashboards and alert rules to Grafana; what is there already is left alone."""
    from pipelines.dashboards import push_dashboards

    with House(context.settings(), act=context.act) as house:
        pushed, held, left_over = push_dashboards(house)
    for one in pushed:
        click.echo(f"{one.board}: {one.dashboard}, {one.rules} alert rules written")
    for title in left_over:
        click.echo(f"Left over in Grafana, declared by no template any more: {title}", err=True)
    return _tell_held(held)


def _tell_held(held: Iterable[object]) -> int:
    told = [str(one) for one in held]
    for one in told:
        click.echo(f"Held: {one}", err=True)
    return REFUSED if told else 0

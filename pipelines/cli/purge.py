"""`wardbook purge`: what was kept long enough is deleted, provably."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from pipelines.cli.main import Context
from pipelines.house import House


@click.command()
@click.option("--dry-run", is_flag=True, help="Tell what would be deleted, and delete nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def purge(context: Context, dry_run: bool, as_json: bool) -> int:
    """Delete what is older than [retention] says: run folders, evidence, copies of texts.

    Of requests that are not settled or are under a legal hold nothing is deleted. The audit log
    keeps the digests: `wardbook audit purged FILE` tells of a copy that it was here and is gone.
    A purge that was cut off goes on at the next one.
    """
    from pipelines import purge as purging

    with House(context.settings(), act=None if dry_run else context.act) as house:
        found = purging.plan(house) if dry_run else purging.purge(house, context.act.account)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return 0
    for one in found:
        verb = f"kept ({one.refusal})" if one.refusal else "would go" if dry_run else "purged"
        click.echo(f"{one.request:<12} {one.category:<9} {one.name}: {verb}")
    if not found:
        click.echo("Nothing is older than the settings say.")
    return 0

"""`wardbook init` and `doctor`: set up a unit, and see what is missing."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from pipelines.cli.main import FAULT, REFUSED, Context
from pipelines.house import House
from pipelines.sample_settings import SAMPLE


@click.command()
@click.pass_obj
def init(context: Context) -> int:
    """Write a wardbook.toml to fill in, each key explained. Never overwrites one."""
    try:
        with context.file.open("x", encoding="utf-8") as file:
            file.write(SAMPLE)
    except FileExistsError:
        click.echo(f"{context.file} is there already; it was not touched.", err=True)
        return REFUSED
    click.echo(f"Wrote {context.file}. Fill it in, then run: wardbook doctor")
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_obj
def doctor(context: Context, as_json: bool) -> int:
    """Check every server, key, executor and data source, and say what to fix. Changes nothing.

    Exits with 3 when something is ill; a warning (WARN) stops nothing.
    """
    from pipelines.doctor import examine

    findings = []
    with House(context.settings()) as house:
        for finding in examine(house):
            findings.append(finding)
            if not as_json:
                word = "well" if finding.well else "ILL " if finding.grave else "WARN"
                click.echo(f"{word}  {finding.subject}")
                if not finding.well:
                    click.echo(f"      {finding.advice}")
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    ill = any(finding.grave and not finding.well for finding in findings)
    return FAULT if ill else 0

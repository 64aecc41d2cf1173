"""`wardbook sources`: the unit's data sources, and whether their data are ready."""

from __future__ import annotations

import json

import click

from pipelines.cli.main import REFUSED, Context
from pipelines.cli.terminal import working
from wardbook.settings import SourceSettings


@click.group()
def sources() -> None:
    """Look at the data sources: what each is, whose it is, who may use it, whether it is ready."""


@sources.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_obj
def list_sources(context: Context, as_json: bool) -> int:
    """List the sources of the settings."""
    found = {name: _describe(one) for name, one in context.settings().sources.items()}
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return 0
    for name, told in found.items():
        click.echo(f"{name}: " + "; ".join(f"{key} {value}" for key, value in told.items()))
    return 0


@sources.command("check")
@click.argument("name")
@click.pass_obj
def check_source(context: Context, name: str) -> int:
    """Look at the source NAME: whether it can be read, and its data if they are of a known kind.

    A database is opened and its form looked at; its data are looked at when a run asks for them.
    Exits with 1 when something would hold or stop a run.
    """
    from pipelines.sources import look_at_source
    from wardbook.domain.output import Verdict
    from wardbook.errors import WardbookError
    from wardbook.messages import say

    settings = context.settings()
    if name not in settings.sources:
        known = ", ".join(settings.sources) or "none"
        raise click.BadParameter(f"there is no source {name!r} in the settings; there are: {known}")
    try:
        with working(f"Looking at {name}"):
            findings = look_at_source(settings, name)
    except WardbookError as problem:
        click.echo(f"{name}: {problem}", err=True)
        return REFUSED
    for one in findings:
        click.echo(f"{one.verdict}: {say('en', f'data.{one.code}', **one.details)}")
    if not findings:
        click.echo(f"{name}: well")
    return REFUSED if any(one.verdict is not Verdict.PASS for one in findings) else 0


def _describe(source: SourceSettings) -> dict[str, str]:
    told = {
        "kind": source.kind,
        "at": str(source.path or source.address),
        "sensitivity": source.sensitivity,
        "owner": source.owner,
        "refresh": source.refresh,
        "purposes": ", ".join(source.purposes),
        "services": ", ".join(source.services) or "all",
    }
    return {key: value for key, value in told.items() if value}

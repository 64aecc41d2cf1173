"""`wardbook why`: would a request run at the next pass, and why or why not."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.main import REFUSED, Context

if TYPE_CHECKING:
    from pipelines.circumstances import Circumstances
    from pipelines.why import Decision


@click.command()
@click.argument("key", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def why(context: Context, key: str | None, as_json: bool) -> int:
    """Explain whether request KEY would run at the next pass; without KEY, every request.

    It names what changed since the last run: commit, parameters, template, data, packages. It reads
    the ledger, the data's stamps and the installed packages, writes nothing and asks no server:
    what happened there counts from the pass that reads it.
    """
    from pipelines.circumstances import Circumstances
    from pipelines.why import decide_run
    from wardbook.ledger.glance import glance

    settings = context.settings()
    seen = glance(settings.ledger, key)
    if key is not None and not seen.records:
        click.echo(f"{key} is not in the ledger. `wardbook why` lists what is.", err=True)
        return REFUSED
    circumstances = Circumstances(settings, lambda: datetime.now(UTC))
    decisions = [
        decide_run(record, circumstances, seen.waiting.get(record.key, ()))
        for record in seen.records
    ]
    if as_json:
        told = [_as_json(decision) for decision in decisions]
        click.echo(json.dumps(told if key is None else told[0], ensure_ascii=False))
    elif key is not None:
        _tell_whole(decisions[0], circumstances)
    else:
        for one in decisions:
            parts = ", ".join(dict.fromkeys(change.part for change in one.changes))
            click.echo(
                f"{one.key:<12} {one.runs:<8} {one.because}" + (f" [{parts}]" if parts else "")
            )
    return 0


def _as_json(decision: Decision) -> dict[str, Any]:
    told = {
        "key": decision.key,
        "state": decision.state,
        "runs": decision.runs,
        "step": decision.step,
        "because": decision.because,
        "run": decision.run,
    }
    return told | {"changes": [asdict(change) for change in decision.changes]}


def _tell_whole(decision: Decision, circumstances: Circumstances) -> None:
    from pipelines.why import tell_change
    from wardbook.domain.run import RunResult

    runs = {
        "yes": "would run at the next pass",
        "no": "would not run at the next pass",
        "unknown": "may run at the next pass",
    }
    click.echo(f"{decision.key} {runs[decision.runs]}. {decision.because}")
    if decision.run is not None:
        result = RunResult.read(circumstances.settings.unit.state / "runs" / decision.run)
        if result is not None:
            ended = f"failed: {result.failure.kind}" if result.failure else "with its outputs"
            click.echo(
                f"  last run {decision.run}: begun {result.started[:16].replace('T', ' ')} UTC, "
                f"{result.seconds:.1f} s, {ended}"
            )
    for change in decision.changes:
        for line in tell_change(change, circumstances.known_environment):
            click.echo(f"  changed since: {line}")
    if decision.run is not None and not decision.changes:
        click.echo("  nothing changed since")

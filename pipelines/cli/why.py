"""`wardbook why`: would a request run at the next pass, and why or why not."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.main import REFUSED, Context
from pipelines.cli.plain import harmless

if TYPE_CHECKING:
    from pipelines.circumstances import Circumstances
    from pipelines.why import Decision
    from wardbook.domain.record import Record
    from wardbook.settings import Settings


@click.command()
@click.argument("key", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def why(context: Context, key: str | None, as_json: bool) -> int:
    """Explain whether request KEY would run at the next pass; without KEY, every request.

    It names what changed since the last run: commit, parameters, template, data, packages. It reads
    the ledger, the data's stamps and the installed packages, and for one KEY its branch in GitLab.
    What else happened on a server counts from the pass that reads it. Nothing is moved.
    """
    with _without_collection():
        return _explain(context, key, as_json)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the collector from looking through ten thousand requests that are needed to the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _explain(context: Context, key: str | None, as_json: bool) -> int:
    from pipelines.circumstances import Circumstances
    from pipelines.why import decide_run
    from wardbook.ledger.glance import glance

    settings = context.settings()
    seen = glance(settings.ledger, key)
    if key is not None and not seen.records:
        click.echo(f"{key} is not in the ledger. `wardbook why` lists what is.", err=True)
        return REFUSED
    circumstances = Circumstances(settings, lambda: datetime.now(UTC))
    if key is None:
        decisions = [
            decide_run(record, circumstances, seen.waiting.get(record.key, ()))
            for record in seen.records
        ]
    else:
        record, parameters = _read_branch(settings, seen.records[0])
        waiting = seen.waiting.get(key, ())
        decisions = [decide_run(record, circumstances, waiting, parameters)]
    if as_json:
        told = [_as_json(decision, circumstances) for decision in decisions]
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


def _read_branch(settings: Settings, record: Record) -> tuple[Record, Mapping[str, str] | None]:
    """Return the request with its branch's head as it is, and the digests of its parameters."""
    from pipelines.steps.prepare import branch_of, folder_of
    from requests_sync.gitlab_port import GitLabPort
    from wardbook.domain.made_from import digest_parameters
    from wardbook.errors import ForeignFault

    project = record.links.project
    if record.work.made_from is None or project is None:
        return record, None
    try:
        gitlab = GitLabPort(settings.gitlab)
        head = gitlab.branch_head(project, branch_of(record.key))
        if head is None:
            return record, None
        texts = gitlab.file(project, f"{folder_of(record.key)}/parameters.json", head)
    except ForeignFault as fault:
        click.echo(harmless(f"Its branch counts as it was last read. {fault}"), err=True)
        return record, None
    seen = replace(record, review=replace(record.review, head=head))
    return seen, digest_parameters(texts)


def _as_json(decision: Decision, circumstances: Circumstances) -> dict[str, Any]:
    from pipelines.why import tell_change

    known = circumstances.known_environment
    return {
        "key": decision.key,
        "state": decision.state,
        "runs": decision.runs,
        "step": decision.step,
        "because": decision.because,
        "run": decision.run,
        "changes": [
            {"part": change.part, "name": change.name, "told": list(tell_change(change, known))}
            for change in decision.changes
        ],
    }


def _tell_whole(decision: Decision, circumstances: Circumstances) -> None:
    from pipelines.why import tell_change
    from wardbook.domain.run import RunResult

    runs = {
        "yes": "would run at the next pass",
        "no": "would not run at the next pass",
        "unknown": "may run at the next pass",
    }
    click.echo(harmless(f"{decision.key} {runs[decision.runs]}. {decision.because}"))
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
            click.echo(harmless(f"  changed since: {line}"))
    if decision.run is not None and not decision.changes:
        click.echo("  nothing changed since")

"""`wardbook tick`, `serve` and `retry`: the passes of the story."""

from __future__ import annotations

import json
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from pipelines.cli.main import FAULT, REFUSED, Context
from pipelines.cli.plain import harmless
from pipelines.cli.terminal import catch_stop, working
from pipelines.dashboards import refresh_grafana
from pipelines.house import House
from pipelines.rerun import is_bound_to_recur
from pipelines.site import refresh_site
from pipelines.story import Pass, tick_until_quiet
from pipelines.story import tick as tick_once
from wardbook.domain.record import Record
from wardbook.domain.states import State

if TYPE_CHECKING:
    from pipelines.prometheus import MetricsServer

SETTLING = 2.0
"""Seconds between a webhook and its pass: one for a burst, and Jira's index is up to date."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what happened as JSON.")
@click.pass_obj
def tick(context: Context, as_json: bool) -> int:
    """Look at everything once, and lead each request as far as it can go now.

    Runs that are handed to this machine are waited for; runs on a cluster are left to it. With
    nothing to do it reads one page of tickets and writes nothing. For cron or a GitLab schedule.
    """
    with House(context.settings(), act=context.act) as house:
        with working("Looking at tickets and requests"):
            done = tick_until_quiet(house)
            refresh_site(house, done)
            refresh_grafana(house, done)
        tell_pass(done, as_json=as_json)
    return FAULT if done.faults else 0


@click.command()
@click.option("--every", default=30.0, show_default=True, help="Seconds between two passes.")
@click.pass_obj
def serve(context: Context, every: float) -> int:
    """Repeat the pass until stopped (Ctrl-C or SIGTERM). A pass that fails is repeated as well.

    Where the settings have a section [webhooks], Jira and GitLab can wake it earlier; with a
    section [prometheus], it answers at /metrics.
    """
    stop, wake = catch_stop(), threading.Event()
    with (
        House(context.settings(), act=context.act) as house,
        _listening(house, wake),
        _answering(house) as metrics,
    ):
        click.echo(f"Serving {house.settings.unit.name}: a pass every {every:g} s.", err=True)
        while not stop.is_set():
            wake.clear()  # before the pass looks: what is called meanwhile wakes the next one
            done = tick_once(house)
            refresh_site(house, done)
            refresh_grafana(house, done)
            tell_pass(done, as_json=False)
            if metrics is not None:
                metrics.note_pass(house.now(), len(done.faults))
            _wait(house, stop, wake, every)
    return 0


def _answering(house: House) -> AbstractContextManager[MetricsServer | None]:
    """Answer Prometheus, if the unit wants it."""
    if house.settings.prometheus is None:
        return nullcontext()
    from pipelines.prometheus import MetricsServer

    return MetricsServer(house, house.settings.prometheus)


def _listening(house: House, wake: threading.Event) -> AbstractContextManager[object]:
    """Let webhooks set `wake`, if the unit wants them."""
    if house.settings.webhooks is None:
        return nullcontext()
    from requests_sync.webhooks.receiver import Receiver

    return Receiver(house.settings.webhooks, wake, house.now)


def _wait(house: House, stop: threading.Event, wake: threading.Event, seconds: float) -> None:
    """Sleep until the next pass is due, a run of ours ends or a webhook wakes us."""
    steps = max(1, round(seconds))
    for _ in range(steps):
        if stop.is_set():
            return
        if wake.is_set():
            stop.wait(min(SETTLING, seconds))
            return
        if not house.executor_started:
            stop.wait(seconds / steps)
        elif house.executor.wait(timeout=seconds / steps):
            return


@click.command()
@click.argument("key")
@click.option("--force", is_flag=True, help="Also when it was answered, or nothing has changed.")
@click.option("--reason", help="Why it is forced; the request's history keeps it.")
@click.pass_obj
def retry(context: Context, key: str, force: bool, reason: str | None) -> int:
    """Run request KEY again that failed or was not released. The next pass does it.

    Refused where nothing changed and it would come to the same: `wardbook why KEY` says what did.
    With --force and a --reason it runs all the same, one that was answered as well. The folder of
    the earlier run stays.
    """
    from pipelines.steps.run import force_request, mend_request

    if force and not reason:
        raise click.UsageError("--force needs a --reason, for the request's history")
    with House(context.settings(), act=context.act) as house, house.ledger.claim(key) as mine:
        record = house.ledger.record(key) if mine else None
        refusal = _refuse_retry(house, record, force=force)
        if record is None or refusal is not None:
            click.echo(f"{key} is not to be retried: {refusal}", err=True)
            return REFUSED
        if reason and force:
            force_request(house, record, context.act.account, reason)
        else:
            mend_request(house, record)
    click.echo(f"{key} runs again at the next pass.")
    return 0


def _refuse_retry(house: House, record: Record | None, *, force: bool) -> str | None:
    """Say why a request is not run again at somebody's word, or None where it is."""
    if record is None:
        return "it is unknown, or being worked on."
    failed = {State.FAILED, State.REJECTED}
    if record.purged:
        return "what its ticket said was purged here. File a new ticket, or edit this one."
    if force:
        return None if record.state in failed | {State.ANSWERED} else f"it is {record.state}."
    if record.state is State.ANSWERED:
        return (
            "it is answered. To run it all the same: "
            f"wardbook retry {record.key} --force --reason …"
        )
    if record.state not in failed:
        return f"it is {record.state}."
    failure = record.work.failure
    same = record.work.made_from is not None and not house.circumstances.changes_since(record)
    if same and (failure is None or is_bound_to_recur(failure.kind)):
        come = "be refused" if failure is None else f"fail in the same way ({failure.kind})"
        return (
            f"nothing has changed since, so it would {come} again. Mend its branch or its data, or "
            f"run it all the same: wardbook retry {record.key} --force --reason …"
        )
    return None


def tell_pass(done: Pass, *, as_json: bool) -> None:
    """Say what a pass came to."""
    if as_json:
        click.echo(json.dumps({"moved": done.moved, "faults": done.faults}, ensure_ascii=False))
        return
    for key in dict.fromkeys(done.moved):
        click.echo(f"{key}: {done.moved.count(key)} step(s)")
    for key, fault in done.faults.items():
        click.echo(harmless(f"{key}: {fault}"), err=True)

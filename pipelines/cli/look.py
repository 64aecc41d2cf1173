"""`wardbook status` and `show`: what stands where, and why."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pipelines.cli.main import REFUSED, Context
from pipelines.cli.terminal import open_console
from pipelines.house import House
from pipelines.journey import Journey, journey_of
from pipelines.resources import tell_resources


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def status(context: Context, as_json: bool) -> int:
    """Show every request, its state, what is stuck, and the tickets that cannot be read.

    Exits with 1 when something is stuck or unreadable.
    """
    stuck: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    with House(context.settings()) as house:
        journeys = [journey_of(house, record) for record in house.ledger.records()]
        stuck = [
            {"request": key, "effect": intent.key, "error": intent.error, "tries": intent.attempts}
            for key, intent in house.ledger.stuck_intents()
        ]
        refused = [
            {"request": key, "what": f"{twin.kind}:{twin.theirs}", "reason": twin.skipped}
            for key, twin in house.ledger.skipped_twins()
        ]
        letters = [asdict(letter) for letter in house.ledger.dead_letters()]
    if as_json:
        told = {
            "requests": [asdict(j) for j in journeys],
            "stuck": stuck,
            "not_copied": refused,
            "unreadable": letters,
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        console = open_console()
        console.print(draw_journeys(journeys, console.width))
        for one in stuck:
            console.print(Text(f"stuck: {one['effect']}: {one['error']}", style="red"))
        for one in refused:
            line = f"not copied: {one['request']} {one['what']}: {one['reason']}"
            console.print(Text(line, style="yellow"))
        for letter in letters:
            line = f"unreadable: {letter['ticket_key']}: {letter['reason']}"
            console.print(Text(line, style="red"))
    return REFUSED if stuck or letters else 0


def draw_journeys(journeys: list[Journey], width: int) -> Group:
    """Draw one line per request: state, the seconds that each step took, the deliverable.

    On a terminal narrower than 110 the addresses stand below the table, where they are not folded.
    """
    steps = list(dict.fromkeys(step for journey in journeys for step in journey.seconds))
    narrow = width < 110
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    for title in ("ticket", "state"):
        table.add_column(title, no_wrap=True)
    for step in steps:
        table.add_column(step, justify="right", no_wrap=True)
    if not narrow:
        table.add_column("where the deliverable is", overflow="fold")
    below = []
    for journey in journeys:
        times = [f"{journey.seconds[s]:.1f}" if s in journey.seconds else "" for s in steps]
        cells = [journey.key, journey.state, *times]
        if not narrow:
            cells.append("\n".join(journey.addresses) or "—")
        # Text, not markup: what a ticket says must not colour a terminal.
        table.add_row(*map(Text, cells))
        below += [Text(f" {journey.key}  {address}") for address in journey.addresses if narrow]
    return Group(table, Text(" (seconds for each step)"), *below)


@click.command()
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def show(context: Context, key: str, as_json: bool) -> int:
    """Show all about request KEY: parameters, run, checks, deliverables, history.

    "not made" are effects that a tracker did not let us make: a status that its workflow does not
    offer, an attachment that it does not take.
    """
    with House(context.settings()) as house:
        record = house.ledger.record(key)
        if record is None:
            click.echo(f"{key} is not in the ledger. `wardbook status` lists what is.", err=True)
            return REFUSED
        events = [asdict(event) for event in house.ledger.events(key)]
        skipped = dict(house.ledger.skipped_effects(key))
    told: dict[str, Any] = {
        "key": record.key,
        "state": record.state.value,
        "revision": record.revision,
        "request": asdict(record.request) if record.request else None,
        "work": asdict(record.work),
        "resources": tell_resources([event["detail"] for event in events]),
        "links": asdict(record.links),
        "not made": skipped,
        "events": events,
    }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return 0
    console = open_console()
    for name in ("state", "revision", "request", "work", "resources", "links", "not made"):
        console.print(Text(f"{name}: ", style="bold"), Text(_pretty(told[name])), sep="", end="\n")
    for event in events:
        console.print(Text(f"{event['at']}  {event['event']:<20} {event['actor']}"))
    return 0


def _pretty(value: object) -> str:
    if isinstance(value, dict):
        return "\n  " + "\n  ".join(
            f"{k}: {v}" for k, v in value.items() if v not in (None, (), "")
        )
    return str(value)

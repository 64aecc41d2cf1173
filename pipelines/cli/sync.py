"""`wardbook sync` and `drift`: both sides brought to agree, and compared whole."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pipelines.cli.main import FAULT, REFUSED, Context
from pipelines.cli.passes import tell_pass
from pipelines.cli.plain import harmless
from pipelines.cli.terminal import open_console, working
from pipelines.house import House

_DRIFT = {
    "missing": "not copied",
    "differs": "copied, but reads otherwise",
    "left_over": "its original is gone",
    "double": "copied twice",
    "gone": "no longer there",
    "orphan": "an open issue whose ticket is not there: close it by hand",
    "fields": "title, text, labels or due date differ",
    "assign": "another analyst",
    "state": "label or open/closed differ",
    "by_hand": "opened or closed by hand: the next pass follows",
    "remote_link": "the ticket does not link to the issue",
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
@click.option("--workers", type=click.IntRange(1, 64), help="Requests at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print what happened as JSON.")
@click.pass_obj
def sync(context: Context, dry_run: bool, workers: int | None, as_json: bool) -> int:
    """Bring Jira and GitLab to agree, without running any notebook.

    Reads what changed on either side, passes new tickets through the gate, files issues, copies
    comments, attachments and links, and follows what people closed or opened. `wardbook tick` does
    this too, and then leads requests on. With --dry-run the pass is made on a copy of the ledger:
    both trackers are read, nothing is written to them.
    """
    settings = context.settings()
    if workers is not None:
        changed = settings.sync.model_copy(update={"workers": workers})
        settings = settings.model_copy(update={"sync": changed})
    with House(settings, act=None if dry_run else context.act) as house:
        if dry_run:
            return _rehearse(house, as_json=as_json)
        from pipelines.story import sync as sync_once

        with working("Bringing Jira and GitLab to agree"):
            done = sync_once(house)
    tell_pass(done, as_json=as_json)
    return FAULT if done.faults else 0


def _rehearse(house: House, *, as_json: bool) -> int:
    from pipelines.rehearsal import rehearse

    with working("Rehearsing"):
        done, planned = rehearse(house)
    if as_json:
        told = {"would": [asdict(one) for one in planned], "faults": done.faults}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        for one in planned:
            click.echo(f"{one.request}: {one.kind} ({one.part})")
        kinds = Counter(one.kind for one in planned)
        summary = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common())
        click.echo(f"Would be done: {summary or 'nothing'}.")
        for place, fault in done.faults.items():
            click.echo(harmless(f"{place}: {fault}"), err=True)
    return FAULT if done.faults else 0


@click.command()
@click.argument("keys", nargs=-1)
@click.option("--repair", is_flag=True, help="Bring what differs to agree.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def drift(context: Context, keys: tuple[str, ...], repair: bool, as_json: bool) -> int:
    """Compare both sides whole, for all requests or for KEYS, and list what differs.

    Reads every comment, note, link and field of each request, so it takes a few calls for each:
    for a night, or after a restored backup. Exits with 1 while something differs.
    """
    from pipelines.drift import find_drift

    act = context.act if repair else None
    with House(context.settings(), act=act) as house, working("Comparing Jira and GitLab"):
        found = list(find_drift(house, keys, repair=repair))
    rows = [
        {
            "request": one.request,
            "what": one.difference.what,
            "about": one.difference.about,
            "repaired": one.repaired,
        }
        for one in found
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    elif rows:
        table = Table(box=SIMPLE_HEAD, header_style="bold")
        for title in ("request", "what", "about", "repaired"):
            table.add_column(title)
        for row in rows:
            cells = [row["request"], _DRIFT[str(row["what"])], row["about"]]
            table.add_row(*(Text(str(cell)) for cell in cells), "yes" if row["repaired"] else "no")
        open_console().print(table)
    else:
        click.echo("Both sides agree.")
    return REFUSED if any(not row["repaired"] for row in rows) else 0

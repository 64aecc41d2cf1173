"""`wardbook review` and `approvals`: what waits for a person, and what stands approved."""

from __future__ import annotations

import webbrowser
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pipelines.cli.main import REFUSED, Context
from pipelines.cli.terminal import open_console
from pipelines.house import House

if TYPE_CHECKING:
    from wardbook.domain.record import Record
    from wardbook.settings import StandingApproval


@click.command()
@click.argument("key")
@click.option("--open", "opened", is_flag=True, help="Open the page in a browser.")
@click.pass_obj
def review(context: Context, key: str, opened: bool) -> int:
    """Show the evidence of request KEY: where its page stands, and whose approval counts.

    The page is on the secure side and shows data; approving is done in GitLab. Exits with 1 where
    there is no evidence.
    """
    from pipelines.evidence_page import page_of
    from wardbook.files import hash_file
    from wardbook.review.approving import find_refusal, is_approved, judge_approvals

    with House(context.settings(), act=context.act) as house:
        record = house.ledger.record(key)
        page = page_of(house.run_folder(str(record.work.run))) if record else None
        if record is None or page is None or not page.exists():
            click.echo(f"{key} has no evidence to show. `wardbook status` says where it stands.")
            return REFUSED
        house.note_fact("evidence.shown", key, run=record.work.run, sha256=hash_file(page))
        panel = house.circumstances.panel_of(record)
        judged, refusal = judge_approvals(record, panel), find_refusal(record, panel)
        enough = is_approved(record, panel)
    click.echo(f"{key} is {record.state}; run {record.work.run}")
    click.echo(f"  evidence  {page}")
    if record.links.merge_request_url:
        click.echo(f"  decide    {record.links.merge_request_url}")
    click.echo(f"  needed    {panel.needed} of {', '.join(panel.members) or 'nobody'}")
    for one in judged:
        told = f"does not count: {one.why_not}" if one.why_not else "counts"
        click.echo(f"  approved  {one.approval.username}: {told}")
    if refusal is not None:
        click.echo(f"  refused   {refusal.username or 'the merge request was closed'}")
    if enough and refusal is None:
        click.echo("  enough    the next pass releases it")
    if opened:
        webbrowser.open(page.as_uri())
    return 0


@click.command()
@click.option("--grant", "key", metavar="KEY", help="Print the approval of this request as it is.")
@click.option("--reviewer", "reviewers", multiple=True, help="Who gives it; once for each.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Its last day.")
@click.pass_obj
def approvals(
    context: Context, key: str | None, reviewers: tuple[str, ...], until: datetime | None
) -> int:
    """List the standing approvals: who gave them, until when, which requests leave on them.

    With --grant, print what is to stand in the settings for a request whose run was reviewed. It is
    given by whoever has that change of the settings approved. Exits with 1 when one does not hold.
    """
    with House(context.settings(), act=context.act if key else None) as house:
        if key is not None:
            return _print_grant(house, key, reviewers, until)
        return _list_approvals(house)


def _print_grant(house: House, key: str, reviewers: tuple[str, ...], until: datetime | None) -> int:
    from wardbook.review.approving import are_enough, plain_name
    from wardbook.review.standing import parts_of_record

    record = house.ledger.record(key)
    template = house.templates.get(record.request.template) if record and record.request else None
    parts = parts_of_record(record, template) if record and template else None
    if record is None or parts is None or not reviewers or until is None:
        click.echo(
            f"{key}: an approval stands on a run, with --reviewer and --until YYYY-MM-DD.", err=True
        )
        return REFUSED
    panel = house.circumstances.panel_of(record)
    able = [one for one in reviewers if plain_name(one) not in panel.requester]
    if not are_enough(able, panel):
        click.echo(
            f"{key}: {', '.join(reviewers)} may not let it out. It takes {panel.needed} of "
            f"{', '.join(panel.members)}, one of them a reviewer, none of them who asked for it.",
            err=True,
        )
        return REFUSED
    house.note_fact(
        "standing.drafted",
        key,
        run=record.work.run,
        reviewers=reviewers,
        until=until.date().isoformat(),
    )
    names = ", ".join(f'"{one}"' for one in dict.fromkeys(reviewers))
    click.echo(f"[standing_approvals.{key}]\nreviewers = [{names}]\nuntil = {until.date()}")
    for name, digest in asdict(parts).items():
        click.echo(f'{name} = "{digest}"')
    return 0


def _list_approvals(house: House) -> int:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    for title in ("stands for", "given by", "until", "days left", "request", "holds"):
        table.add_column(title, overflow="fold")
    records, troubled = house.ledger.records(), False
    for name, standing in house.settings.standing_approvals.items():
        left = str((standing.until - house.today).days)
        cells = [name, ", ".join(standing.reviewers), str(standing.until), left]
        lines = [
            (record.key, _tell_obstacles(house, record, standing))
            for record in records
            if _is_about(house, name, record)
        ]
        for key, told in lines or [("—", _tell_end(house, standing))]:
            troubled = troubled or told != "yes"
            table.add_row(*map(Text, [*cells, key, told]))
    open_console().print(table)
    return REFUSED if troubled else 0


def _is_about(house: House, name: str, record: Record) -> bool:
    from wardbook.review.standing import find_standing

    found = find_standing(house.settings.standing_approvals, record)
    return found is not None and found[0] == name and record.work.run is not None


def _tell_obstacles(house: House, record: Record, standing: StandingApproval) -> str:
    from wardbook.review.standing import find_obstacles, parts_of_record

    template = house.templates.get(record.request.template) if record.request else None
    parts = parts_of_record(record, template) if template else None
    panel = house.circumstances.panel_of(record)
    obstacles = find_obstacles(standing, record, parts, panel, house.today)
    return "no: " + ", ".join(obstacles) if obstacles else _tell_end(house, standing)


def _tell_end(house: House, standing: StandingApproval) -> str:
    if standing.revoked:
        return "no: revoked"
    return "yes" if house.today <= standing.until else "no: expired"

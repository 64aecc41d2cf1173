"""`wardbook keys`: whose keys are trusted, and what was sealed to keys that no longer are."""

from __future__ import annotations

import json
from collections.abc import Callable

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pipelines.cli.main import REFUSED, Context
from pipelines.cli.terminal import open_console, working
from pipelines.house import House

_Decision = Callable[[Context, str, str, str], int]


@click.group()
def keys() -> None:
    """Say whose keys may be sealed to.

    \b
    A key is confirmed by somebody who compared its fingerprint with its owner, by telephone or in
    person, and who is not the owner. docs/sealing.md says how.
    """


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_obj
def list_keys(context: Context, as_json: bool) -> int:
    """List the keys that are pinned in the settings, and those that the ledger knows."""
    from wardbook.domain.pinned import grouped

    with House(context.settings()) as house:
        rows = [
            {"person": person, "fingerprint": key, "trust": "settings", "since": "", "by": ""}
            for person, key in sorted(house.settings.seal.recipients.items())
        ]
        rows += [
            {
                "person": key.person,
                "fingerprint": key.fingerprint,
                "trust": key.trust.value,
                "since": (key.decided_at or key.proposed_at)[:16],
                "by": key.decided_by,
            }
            for key in house.ledger.all_keys()
        ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for title in ("person", "trust", "since", "by", "fingerprint"):
        table.add_column(title)
    for row in rows:
        told = [row[name] for name in ("person", "trust", "since", "by")]
        table.add_row(*map(Text, told), Text(grouped(row["fingerprint"])))
    open_console().print(table)
    return 0


@keys.command()
@click.argument("person")
@click.pass_obj
def show(context: Context, person: str) -> int:
    """Show what GitLab lists for PERSON now, each key judged; exits with 1 if none can be used."""
    from pipelines.keys import read_listing
    from pipelines.recipients import pinned_key
    from wardbook.domain.pinned import grouped
    from wardbook.seal.files import printable

    with House(context.settings()) as house:
        listing = read_listing(house, person)
        trust = {key.fingerprint: key.trust.value for key in house.ledger.keys_of(person)}
        pinned = pinned_key(house, person)
    for key in listing.keys:
        facts, known = key.facts, trust.get(key.fingerprint, "unknown")
        click.echo(grouped(key.fingerprint))
        click.echo(f"  trust     {'pinned' if key.fingerprint == pinned else known}")
        click.echo(f"  kind      {facts.algorithm}, {facts.bits} bits")
        click.echo(f"  expires   {facts.expires.date() if facts.expires else 'never'}")
        for user_id in facts.user_ids:
            click.echo(f"  name      {printable(user_id)} (proves nothing)")
        if key.problem is not None:
            click.echo(f"  refused   {key.problem}")
    for problem in listing.unreadable:
        click.echo(f"A block that is not used: {problem}")
    if not listing.keys and not listing.unreadable:
        click.echo(f"GitLab lists no key for {printable(person)}.")
    click.echo(
        "\nTo compare: call the person at a number from the hospital's directory; they run\n"
        "`gpg --fingerprint` and read the 40 digits aloud from their own screen."
    )
    return 0 if listing.sound else REFUSED


def _decides(command: _Decision) -> Callable[..., int]:
    """Give a decision its arguments: whose key, which, and who decides."""
    by = click.option("--by", required=True, help="Your own account; it must be an approver's.")
    whose, which = click.argument("person"), click.argument("fingerprint")
    return whose(which(by(click.pass_obj(command))))


@keys.command()
@_decides
def confirm(context: Context, person: str, fingerprint: str, by: str) -> int:
    """Pin FINGERPRINT, all 40 digits, as PERSON's key, after comparing it with that person.

    \b
    wardbook keys confirm yhaddad "0123 4567 …" --by rfaure
    """
    from pipelines.keys import confirm_key
    from wardbook.seal import Fingerprint

    with House(context.settings(), act=context.act) as house:
        confirm_key(house, person, Fingerprint(fingerprint), by)
    click.echo(f"Confirmed. What waits for {person} goes on with the next tick.")
    click.echo(f"Where an earlier key is no longer to be used: wardbook keys reseal {person}")
    return 0


@keys.command()
@_decides
def reject(context: Context, person: str, fingerprint: str, by: str) -> int:
    """Write down that FINGERPRINT is not PERSON's key: it is not proposed again."""
    from pipelines.keys import reject_key
    from wardbook.seal import Fingerprint

    with House(context.settings(), act=context.act) as house:
        reject_key(house, person, Fingerprint(fingerprint), by)
    click.echo("Rejected. Nothing is sealed to it.")
    return 0


@keys.command()
@_decides
def revoke(context: Context, person: str, fingerprint: str, by: str) -> int:
    """Never seal to FINGERPRINT again for PERSON: it was lost, stolen, or is not theirs."""
    from pipelines.keys import revoke_key
    from wardbook.seal import Fingerprint

    with House(context.settings(), act=context.act) as house:
        revoke_key(house, person, Fingerprint(fingerprint), by)
    click.echo(f"Revoked. What is sealed to it stays so until: wardbook keys reseal {person}")
    return 0


@keys.command()
@click.argument("person")
@click.pass_obj
def reseal(context: Context, person: str) -> int:
    """Seal again, to PERSON's present key, whatever on the share is sealed to another of theirs.

    May be stopped and started again. Exits with 1 where something could not be sealed again.
    """
    from pipelines.reseal import reseal_for

    failed = 0
    with House(context.settings(), act=context.act) as house, working("Sealing again"):
        for done in reseal_for(house, person):
            click.echo(f"{done.request} {done.output}: {done.told}")
            failed += not done.well
    return REFUSED if failed else 0

"""`wardbook audit`: the log of who did what, its proof, and the access review."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pipelines.cli.main import REFUSED, Context
from pipelines.cli.terminal import open_console
from pipelines.house import House
from wardbook.messages import LANGUAGES, Language

if TYPE_CHECKING:
    from wardbook.audit.entry import Entry
    from wardbook.audit.head import Head
    from wardbook.audit.sheet import Sheet


@click.group()
def audit() -> None:
    """Look at the log of who did what to which request, prove it, review accesses."""


@audit.command("show")
@click.argument("key", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, one entry per line.")
@click.pass_obj
def show(context: Context, key: str | None, as_json: bool) -> int:
    """Show the log, or its entries about request KEY."""
    with House(context.settings()) as house:
        entries = house.ledger.audit_entries(key)
    if as_json:
        for entry in entries:
            click.echo(entry.to_line())
        return 0
    console = open_console()
    for entry in entries:
        told = ", ".join(f"{name} {_short(value)}" for name, value in entry.told.items())
        line = f"{entry.sequence:>6}  {entry.at[:19]}  {entry.actor:<14} {entry.request:<10} "
        console.print(Text(f"{line}{entry.event:<20} {told}"), soft_wrap=True)
    return 0


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} of them" if len(value) > 3 else " ".join(map(str, value))
    text = str(value)
    return text[:12] + "…" if len(text) == 64 else text


@audit.command("export")
@click.option("--out", type=click.Path(path_type=Path), help="A new file.  [default: the terminal]")
@click.pass_obj
def export(context: Context, out: Path | None) -> int:
    """Write the whole log, one entry per line, in the form that `verify --export` reads."""
    with House(context.settings()) as house:
        lines = "".join(f"{entry.to_line()}\n" for entry in house.ledger.audit_entries())
    if out is None:
        click.echo(lines, nl=False)
        return 0
    with out.open("x", encoding="utf-8") as file:
        file.write(lines)
    click.echo(f"Wrote {out}")
    return 0


@audit.command("verify")
@click.option(
    "--heads",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of signed heads.  [default: that of the settings]",
)
@click.option(
    "--export",
    "exported",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An export, in the place of the ledger: then no settings are needed.",
)
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The unit's public key (armoured), where the settings are not at hand.",
)
@click.option("--fingerprint", help="The unit's 40-digit fingerprint, as the unit told you itself.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_obj
def verify(
    context: Context,
    heads: Path | None,
    exported: Path | None,
    key_file: Path | None,
    fingerprint: str | None,
    as_json: bool,
) -> int:
    """Find every edit, deletion, reordering, insertion and truncation of the log.

    Needs no network. With the signed heads that were copied elsewhere it also finds a log that
    somebody wrote anew or whose end was cut off. Of what was purged it looks whether it is gone.
    Exits with 1 when anything is not as it was written.

    \b
    wardbook audit verify
    wardbook audit verify --export log.jsonl --heads heads --key unit.asc --fingerprint 0123…
    """
    from wardbook.audit.check import find_flaws, read_export

    left: list[str] = []
    if exported is not None:
        with exported.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            entries: Sequence[Entry | None] = list(read_export(file))
    else:
        from pipelines.purge import find_left

        with House(context.settings()) as house:
            entries = house.ledger.audit_entries()
            flawless = next(find_flaws(entries), None) is None
            left = [f"{one.category} {one.name}" for one in find_left(house)] if flawless else []
        heads = heads or context.settings().audit.heads
    known = _read_heads(context, heads, key_file, fingerprint)
    found = [str(flaw) for flaw in find_flaws(entries, known)]
    found += [f"{name}: the log says that it was purged, and it is there" for name in left]
    if as_json:
        told = {"entries": len(entries), "heads": len(known), "found": found}
        click.echo(json.dumps(told, indent=1))
        return REFUSED if found else 0
    for one in found[:50]:
        click.echo(one, err=True)
    if found:
        click.echo(f"Not as it was written: {len(found)} finding(s).", err=True)
        return REFUSED
    proof = f"{len(known)} signed head(s), the last of entry {known[-1].sequence}" if known else ""
    click.echo(f"Good: {len(entries)} entries as written; {proof or 'no signed head was at hand'}.")
    if not known:
        click.echo("Without a head nobody can tell a log that was written anew whole.", err=True)
    return 0


def _read_heads(
    context: Context, folder: Path | None, key_file: Path | None, fingerprint: str | None
) -> list[Head]:
    from wardbook.audit.head import read_heads
    from wardbook.seal import Fingerprint, Keyring

    if folder is None or not folder.exists():
        return []
    if key_file is None:
        seal = context.settings().seal
        fingerprint = fingerprint or seal.signer
        with Keyring(seal.home) as keyring:
            public_key = keyring.export_public(Fingerprint(fingerprint))
    else:
        public_key = key_file.read_text(encoding="utf-8", errors="replace")
    return read_heads(folder, public_key, Fingerprint(fingerprint) if fingerprint else None)


@audit.command("seal")
@click.pass_obj
def seal(context: Context) -> int:
    """Sign the log's head now and copy it to where [audit] says; each pass does so once a day."""
    from pipelines.audit_heads import seal_log

    with House(context.settings(), act=context.act) as house:
        head = seal_log(house)
    click.echo(f"Signed entry {head.sequence} ({head.digest[:16]}…).")
    return 0


@audit.command("purged")
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def purged(context: Context, file: Path | None, as_json: bool) -> int:
    """List what was purged; with FILE, tell whether that very file was here, and when it went.

    Exits with 1 where FILE was not.
    """
    from pipelines.purge import list_purged
    from wardbook.files import hash_file

    digest = hash_file(file) if file is not None else None
    with House(context.settings()) as house:
        found = [one for one in list_purged(house) if digest is None or digest in one.digests]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        for one in found:
            end = "" if one.done else " (not finished: run `wardbook purge`)"
            click.echo(
                f"{one.at[:19]}  {one.request:<10} {one.category:<9} {one.name}: "
                f"{len(one.digests)} digest(s), by {one.by}{end}"
            )
        if not found:
            click.echo(
                "Nothing was purged." if digest is None else "That file was not purged here."
            )
    return REFUSED if file is not None and not found else 0


@audit.command("review")
@click.option("--months", default=12, show_default=True, help="How far back approvals are listed.")
@click.option("--html", type=click.Path(path_type=Path), help="Write an HTML page to this file.")
@click.option("--csv", "as_csv", type=click.Path(path_type=Path), help="Write CSV to this file.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), help="Of the report.  [default: the unit's]"
)
@click.pass_obj
def review(
    context: Context,
    months: int,
    html: Path | None,
    as_csv: Path | None,
    language: Language | None,
) -> int:
    """Report on accesses: who may approve, who holds keys, who approved what, what is unused.

    On the terminal, unless --html or --csv is given.
    """
    from pipelines.access import review_access

    with House(context.settings()) as house:
        sheet = review_access(house, months, language or house.settings.unit.language)
    written: tuple[tuple[Path | None, Literal["html", "csv"]], ...] = (
        (html, "html"),
        (as_csv, "csv"),
    )
    for file, form in written:
        if file is not None:
            content = sheet.to_html() if form == "html" else sheet.to_csv()
            file.write_text(content, encoding="utf-8-sig" if form == "csv" else "utf-8")
            click.echo(f"Wrote {file}")
    if html is None and as_csv is None:
        _print_sheet(sheet)
    return 0


def _print_sheet(sheet: Sheet) -> None:
    console = open_console()
    console.print(Text(sheet.title, style="bold"))
    console.print(Text(sheet.intro))
    for section in sheet.sections:
        console.print(Text(f"\n{section.title}", style="bold"))
        table = Table(box=SIMPLE_HEAD)
        for column in section.columns:
            table.add_column(Text(column))
        for row in section.rows:
            table.add_row(*map(Text, row))
        console.print(table if section.rows else Text(" —"))

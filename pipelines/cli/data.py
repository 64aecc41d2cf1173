"""`wardbook data`: synthetic stand-ins of the unit's sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from pipelines.cli.main import REFUSED, Context

if TYPE_CHECKING:
    from pipelines.twins import Progress as Told


@click.group()
def data() -> None:
    """Make stand-ins of data: rows that nobody is behind, for writing and sharing notebooks."""


@data.command("twin")
@click.argument("source")
@click.option("--kind", "kinds", multiple=True, help="Only this kind of data; may be repeated.")
@click.option("--rows", type=click.IntRange(1, 100_000_000), help="At most so many rows of each.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=1,
    show_default=True,
    help="Another one makes other rows of the same figures.",
)
@click.option(
    *("-p", "--parameter", "parameters"),
    multiple=True,
    metavar="NAME=VALUE",
    help="Of a database: what a template asks of it, where it is not the template's default.",
)
@click.option("--check", is_flag=True, help="Only tell whether the twins still fit.")
@click.pass_obj
def twin(
    context: Context,
    source: str,
    kinds: tuple[str, ...],
    rows: int | None,
    seed: int,
    parameters: tuple[str, ...],
    check: bool,
) -> int:
    """Make a synthetic stand-in of SOURCE, a source of the settings.

    \b
    TWINS/SOURCE.KIND.csv or .parquet   the rows, in the source's own form
    TWINS/SOURCE.KIND.twin.json         all that left the source, to be read

    Only figures that a released table could show leave the source: of enough persons, rounded, by
    the unit's disclosure policy. Identifiers, names and free texts are invented. docs/twins.md says
    what that protects and what it does not. A database gets a twin of each kind that a template
    asks of it. Exits with 1 when none was made, or with --check when one does not fit any more.

    \b
    wardbook data twin stays
    wardbook data twin warehouse --kind blood-tubes --rows 10000
    wardbook data twin warehouse --kind laboratory-values -p outcome=N17
    """
    from pipelines.cli.run import split_pairs
    from pipelines.house import House
    from pipelines.twins import MadeTwin, check_twins, make_twins

    asked = split_pairs(parameters)
    with House(context.settings(), act=context.act) as house:
        if check:
            states = check_twins(house, source, kinds)
            for state in states:
                click.echo(f"{source}.{state.kind}: {state.text}")
            return 0 if all(state.current for state in states) else REFUSED
        with _bar() as progress:
            made = make_twins(
                house, source, kinds, rows=rows, seed=seed, asked=asked, progress=progress
            )
    for one in made:
        if isinstance(one, MadeTwin):
            click.echo(f"{one.file}: {one.rows:,} rows")
        else:
            click.echo(f"{source}.{one.kind}: not made: {one.reason}", err=True)
    return 0 if any(isinstance(one, MadeTwin) for one in made) else REFUSED


@contextmanager
def _bar() -> Iterator[Told]:
    """Yield what is told how far it is; shows a bar on a terminal, else one line for each kind."""
    console = Console(stderr=True)
    tasks: dict[str, TaskID] = {}
    if not console.is_terminal:

        def tell(kind: str, done: int, total: int) -> None:
            del done, total
            if kind not in tasks:
                tasks[kind] = TaskID(0)
                click.echo(f"Making a twin of {kind} …", err=True)

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:

        def move(kind: str, done: int, total: int) -> None:
            if kind not in tasks:
                tasks[kind] = progress.add_task(kind, total=1.0)
            progress.update(tasks[kind], completed=done / max(total, 1))

        yield move

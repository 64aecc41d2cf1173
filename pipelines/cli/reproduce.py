"""`wardbook reproduce`: is what was delivered what its receipt says it was made from?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.main import DIFFERENT, REFUSED, Context
from pipelines.cli.terminal import working
from pipelines.house import House
from wardbook.messages import LANGUAGES, Language, say

if TYPE_CHECKING:
    from pipelines.reproduction.again import Again
    from pipelines.reproduction.ingredients import Ingredients
    from wardbook.reproduction.likeness import Comparison
    from wardbook.template.spec import Template

_MOST_PACKAGES = 20


@click.command()
@click.argument("key")
@click.option(
    "--edition", default="", help="The first digits of its name.  [default: the last delivered]"
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="NAME=PATH",
    help="A copy of a source as it was, where the unit's own file has moved on.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-9,
    show_default=True,
    help="By how much fractions in tables may differ.",
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), help="Of what is told.  [default: the unit's]"
)
@click.option("--json", "as_json", is_flag=True, help="Print what came out as JSON.")
@click.pass_obj
def reproduce(
    context: Context,
    key: str,
    edition: str,
    sources: tuple[str, ...],
    tolerance: float,
    language: Language | None,
    as_json: bool,
) -> int:
    """Make an edition of request KEY once more from its receipt, and compare.

    The commit, template, parameters and data are those that the receipt names, by digest; the run
    goes on in state/reproductions and nothing is published. No value is printed: the cells that
    differ stand in differences.csv there. The audit log tells of it.

    Exits with 0 when every output is the same (its bytes, its table within the tolerance, its
    pixels), with 4 when one is not, with 1 when the edition cannot be made again because something
    that it was made from is gone or changed, or because the run failed.

    \b
    wardbook reproduce DATA-7
    wardbook reproduce DATA-7 --edition 3f9a --source hospital=backup/2026-03.csv
    """
    from pipelines.cli.run import split_pairs
    from pipelines.reproduction.again import run_again
    from pipelines.reproduction.editions import NotReproducible, find_delivered
    from pipelines.reproduction.ingredients import gather
    from wardbook.engines.failures import describe_failure
    from wardbook.seal import SealProblem

    given = {name: Path(path) for name, path in split_pairs(sources).items()}
    with House(context.settings(), act=context.act) as house:
        language = language or house.settings.unit.language
        try:
            with working(say(language, "reproduce.verifying", key=key)):
                delivered = find_delivered(house, key, edition)
            with working(say(language, "reproduce.gathering")):
                parts = gather(house, delivered.record, delivered.receipt, given)
        except (NotReproducible, SealProblem) as refusal:
            click.echo(refusal.tell(language), err=True)
            return REFUSED
        told: dict[str, Any] = {
            "key": key,
            "edition": delivered.receipt.edition,
            "lost": [asdict(one) for one in parts.lost],
            "packages": None if parts.packages is None else [asdict(p) for p in parts.packages],
        }
        again, run = None, delivered.receipt.run.key
        if not parts.lost:
            house.note_fact("reproduction.begun", key, run=run)
            with working(say(language, "reproduce.running", edition=delivered.receipt.edition)):
                again = run_again(house, delivered, parts, tolerance=tolerance)
            told |= {
                "folder": str(again.folder),
                "failure": asdict(again.failure) if again.failure else None,
                "outputs": [_safe(one) for one in again.comparisons],
            }
        house.note_fact("reproduction.done", key, run=run, outcome=_outcome(again))
        if as_json:
            click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            for line in (*_tell_parts(parts, language), *_tell_outputs(again, parts, language)):
                click.echo(line)
        if again is None:
            return REFUSED
        if again.failure is not None:
            words = describe_failure(again.failure, language)
            click.echo(
                "\n".join(filter(None, (words.cause, words.place, words.next_step))), err=True
            )
            return REFUSED
        return 0 if all(one.is_same for one in again.comparisons) else DIFFERENT


def _outcome(again: Again | None) -> str:
    """Say for the audit log what came of it."""
    if again is None:
        return "lost"
    if again.failure is not None:
        return "failed"
    return "same" if all(one.is_same for one in again.comparisons) else "different"


def _safe(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison without the values that differ."""
    told = asdict(comparison)
    del told["differences"], told["header"]
    return told


def _tell_parts(parts: Ingredients, language: Language) -> Iterator[str]:
    for one in parts.lost:
        yield say(language, f"reproduce.{one.why}", name=one.name, digest=one.digest[:16])
    if parts.packages is None:
        yield say(language, "reproduce.environment_unknown")
        return
    if parts.packages:
        yield say(language, "reproduce.environment_differs", count=len(parts.packages))
    for package in parts.packages[:_MOST_PACKAGES]:
        yield f"  {package.name}: {package.before or '—'} → {package.now or '—'}"
    if len(parts.packages) > _MOST_PACKAGES:
        yield "  …"


def _tell_outputs(again: Again | None, parts: Ingredients, language: Language) -> Iterator[str]:
    if again is None or again.failure is not None or parts.template is None:
        return
    for one in again.comparisons:
        word = say(language, f"reproduce.is_{one.likeness}")
        yield f"{one.output}: {word}"
        yield from (f"  {line}" for line in _tell_places(one, parts.template, language))
    if any(one.differences for one in again.comparisons):
        yield say(language, "reproduce.values_in", file=again.folder / "differences.csv")
    same = all(one.is_same for one in again.comparisons)
    yield say(language, "reproduce.same" if same else "reproduce.not_same")


def _tell_places(one: Comparison, template: Template, language: Language) -> Iterator[str]:
    if one.sizes:
        (a, b), (c, d) = one.sizes
        yield say(language, "reproduce.sizes", before=f"{a} × {b}", again=f"{c} × {d}")
    if one.reordered:
        yield say(language, "reproduce.reordered")
    if "pixels" in one.places:
        yield say(language, "reproduce.pixels", count=one.places["pixels"])
        return
    columns = template.spec.outputs[one.output].columns
    for place, count in one.places.items():
        number = int(place)
        if not columns:
            yield say(language, "reproduce.piece", number=number)
        else:
            # A header may hold anything; only a name that the template declares is printed.
            name = one.header[number - 1] if number <= len(one.header) else "?"
            yield say(
                language,
                "reproduce.cells",
                column=number,
                name=name if name in columns else "?",
                count=count,
                row=one.first_rows[place],
            )

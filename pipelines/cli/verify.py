"""`wardbook verify`: is this deliverable what the unit signed?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.main import REFUSED, Context
from pipelines.house import read_clock
from wardbook.messages import LANGUAGES, Language, say

if TYPE_CHECKING:
    from wardbook.seal import Fingerprint, History, Verification


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The unit's public key (armoured), where the settings are not at hand.",
)
@click.option("--fingerprint", help="The unit's 40-digit fingerprint, as the unit told you itself.")
@click.option(
    "--history", is_flag=True, help="Also check the editions beside it, and that none is missing."
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), help="Of what is told.  [default: that of LANG]"
)
@click.option(
    "--crate",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the receipt as an RO-Crate, to this new file (ro-crate-metadata.json).",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was checked as JSON.")
@click.pass_obj
def verify(
    context: Context,
    target: Path,
    key_file: Path | None,
    fingerprint: str | None,
    history: bool,
    language: Language | None,
    crate: Path | None,
    as_json: bool,
) -> int:
    """Check TARGET (a deliverable's folder, a file in it, a sealed file, a receipt), to the byte.

    Needs no network and no settings: only the unit's public key. Exits with 0 when everything is as
    signed, with 1 when anything is not: then it says what, and what to do.

    \b
    wardbook verify public/reports/data-1/…
    wardbook verify stays.csv.gpg --key unit.asc --fingerprint 0123…
    wardbook verify public/reports/data-1/3f9a… --history
    """
    from wardbook.seal import SealProblem, trace, write_crate
    from wardbook.seal import verify as verify_deliverable

    language = language or language_of(context.environ)
    try:
        public_key, signer = _find_key(context, key_file, fingerprint)
        given: dict[str, Any] = {
            "public_key": public_key,
            "fingerprint": signer,
            "now": read_clock(),
        }
        found = verify_deliverable(target, **given)
        editions = trace(target, **given) if history else None
    except SealProblem as problem:
        click.echo(problem.tell(language), err=True)
        return REFUSED
    if crate is not None:
        if crate.exists():
            raise click.BadParameter(f"{crate} exists already", param_hint="--crate")
        crate.write_bytes(write_crate(found.receipt))
    if as_json:
        click.echo(json.dumps(_as_data(found, editions), ensure_ascii=False, indent=1))
    else:
        for line in (*_tell(found, language), *_tell_history(editions, language)):
            click.echo(line)
    return REFUSED if editions and editions.problems else 0


def language_of(environ: Mapping[str, str]) -> Language:
    """Return the language in which a person without settings reads: that of the environment."""
    wanted = (environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "fr" if next(filter(None, wanted), "").startswith("fr") else "en"


def _find_key(
    context: Context, key_file: Path | None, fingerprint: str | None
) -> tuple[str, Fingerprint | None]:
    from wardbook.seal import Fingerprint, Keyring, SealProblem

    if key_file is not None:
        text = key_file.read_text(encoding="utf-8", errors="replace")
        return text, Fingerprint(fingerprint) if fingerprint else None
    if not context.file.exists():
        raise SealProblem("no_public_key")
    seal = context.settings().seal
    signer = Fingerprint(fingerprint or seal.signer)
    with Keyring(seal.home) as keyring:
        return keyring.export_public(signer), signer


def _as_data(found: Verification, editions: History | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ticket": found.ticket,
        "output": found.output,
        "edition": found.receipt.edition,
        "files": {subject.name: subject.sha256 for subject in found.files},
        "signer": str(found.signer),
        "signed_at": found.signed_at.isoformat(),
        "released_by": [approval.by for approval in found.approvals],
    }
    if editions is not None:
        told["editions"] = [
            {"edition": one.name, "problem": one.problem.code if one.problem else None}
            for one in editions.editions
        ]
        told["earlier"] = editions.earlier.run if editions.earlier else None
    return told


def _tell(found: Verification, language: Language) -> Iterator[str]:
    yield say(
        language,
        "verify.good",
        output=found.output,
        ticket=found.ticket,
        edition=found.receipt.edition,
        count=len(found.files),
    )
    yield say(language, "verify.signed", at=_moment(found.signed_at), signer=found.signer)
    people = ", ".join(dict.fromkeys(approval.by for approval in found.approvals))
    yield say(language, "verify.released", people=people)
    for subject in found.files:
        yield f"  {subject.sha256[:16]}…  {subject.name}"


def _tell_history(editions: History | None, language: Language) -> Iterator[str]:
    if editions is None:
        return
    yield say(language, "verify.history", count=len(editions.editions))
    for one in editions.editions:
        if one.problem is not None:
            yield f"  {one.name}  {one.problem.tell(language)}"
        elif one.found is not None:
            started = _moment(one.found.receipt.run.started)
            yield "  " + say(language, "verify.edition", edition=one.name, started=started)
    if editions.earlier is not None:
        edition = editions.earlier.run.rpartition("-")[2]
        yield say(language, "verify.earlier", edition=edition)


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")

"""`wardbook verify`: is this deliverable what the unit signed?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.cli.main import Context
from pipelines.house import read_clock


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The unit's public key (armoured), where the settings are not at hand.",
)
@click.option("--fingerprint", help="The unit's 40-digit fingerprint, as the unit told you itself.")
@click.option("--json", "as_json", is_flag=True, help="Print what was checked as JSON.")
@click.pass_obj
def verify(
    context: Context, target: Path, key_file: Path | None, fingerprint: str | None, as_json: bool
) -> int:
    """Check TARGET (a deliverable's folder, a file in it, a sealed file, a receipt), to the byte.

    Needs no network: only the unit's public key. Exits with 1 when anything is not as signed.

    \b
    wardbook verify public/reports/data-1/…
    wardbook verify stays.csv.gpg --key unit.asc --fingerprint 0123…
    """
    from wardbook.seal import Fingerprint, Keyring
    from wardbook.seal import verify as verify_deliverable

    if key_file is None:
        seal = context.settings().seal
        fingerprint = fingerprint or seal.signer
        with Keyring(seal.home) as keyring:
            public_key = keyring.export_public(Fingerprint(fingerprint))
    else:
        public_key = key_file.read_text(encoding="utf-8", errors="replace")
    found = verify_deliverable(
        target,
        public_key=public_key,
        fingerprint=Fingerprint(fingerprint) if fingerprint else None,
        now=read_clock(),
    )
    told = {
        "ticket": found.ticket,
        "output": found.output,
        "files": {subject.name: subject.sha256 for subject in found.files},
        "signer": str(found.signer),
        "signed_at": found.signed_at.isoformat(),
        "released_by": [approval.by for approval in found.approvals],
    }
    if as_json:
        click.echo(json.dumps(told, indent=1))
        return 0
    click.echo(f"Good: {found.output} of {found.ticket}, {len(found.files)} file(s) as signed.")
    click.echo(f"  signed    {told['signed_at']} by {found.signer}")
    click.echo(f"  released  by {', '.join(approval.by for approval in found.approvals)}")
    for name, digest in told["files"].items():  # type: ignore[attr-defined]
        click.echo(f"  {digest[:16]}…  {name}")
    return 0

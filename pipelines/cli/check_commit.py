"""`wardbook check-commit`: no outputs, identifiers or secrets in a commit."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.main import REFUSED, Context
from wardbook.shipped import shipped_folder

if TYPE_CHECKING:
    from wardbook.identifiers.commits import Objection
    from wardbook.identifiers.context import Context as Known

HOOKS = ("pre-commit",)


@click.command("check-commit")
@click.argument("revisions", required=False)
@click.option("--staged", is_flag=True, help="Check what the next commit would hold.")
@click.option("--pre-receive", is_flag=True, help="Check a push; git's lines come on stdin.")
@click.option("--install", is_flag=True, help="Install the hook in this repository's clone.")
@click.pass_obj
def check_commit(
    context: Context, revisions: str | None, staged: bool, pre_receive: bool, install: bool
) -> int:
    """Refuse commits with outputs, identifiers or secrets; REVISIONS as in main..HEAD.

    What may stay is listed with its reason in .wardbook-allow.toml.

    \b
    wardbook check-commit --install          once in each clone: then git asks by itself
    wardbook check-commit --staged           before a commit
    wardbook check-commit origin/main..HEAD  before a merge
    """
    from wardbook.identifiers.allowances import FILE, read_allowances
    from wardbook.identifiers.commits import check_files, check_message
    from wardbook.identifiers.repository import Range, Repository, read_received

    if sum((bool(revisions), staged, pre_receive, install)) != 1:
        raise click.UsageError("Give one of REVISIONS, --staged, --pre-receive and --install.")
    if revisions is not None and revisions.startswith("-"):
        raise click.UsageError(f"{revisions!r} is no range of revisions.")
    repository = Repository(Path.cwd())
    if install:
        return _install(repository.hooks_folder())
    known = _know_site(context)
    if staged:
        allowances = read_allowances(repository.read(f":{FILE}"))
        return _tell(check_files(repository.staged_files(), allowances, known))
    if pre_receive:
        # The pushed commits cannot allow themselves: what stands on the server's branch counts.
        allowed_by, wanted = "HEAD", read_received(sys.stdin.read().splitlines())
    else:
        allowed_by, wanted = str(revisions).rpartition("..")[2] or "HEAD", Range((str(revisions),))
    if not wanted.revisions:
        return 0
    allowances = read_allowances(repository.read(f"{allowed_by}:{FILE}"))
    found = list(check_files(repository.new_files(wanted), allowances, known))
    for name, message in repository.messages(wanted):
        found += check_message(f"commit {name}", message, known)
    return _tell(found)


def _know_site(context: Context) -> Known:
    """Return what the unit's settings say of its numbers, or the defaults without settings."""
    from wardbook.identifiers.context import Context as Known
    from wardbook.identifiers.site import SitePatterns

    if not context.file.exists():
        return Known()
    site = context.settings().identifiers
    return Known(site=SitePatterns(site.ipp, site.nda), shown=frozenset(site.shown))


def _tell(found: Sequence[Objection]) -> int:
    from wardbook.messages import say

    for one in found:
        place = f"{one.path}:{one.line}" if one.line else one.path
        click.echo(f"{place}: {say('en', f'identifier.commit_{one.kind}')}", err=True)
    if found:
        click.echo(f"\n{say('en', 'identifier.commit_refused', count=len(found))}", err=True)
    return REFUSED if found else 0


def _install(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name in HOOKS:
        target = folder / name
        if target.exists() and "wardbook" not in target.read_text(encoding="utf-8"):
            click.echo(f"{target} is there already. Call `wardbook check-commit --staged` in it.")
            return REFUSED
        shutil.copyfile(shipped_folder("hooks") / name, target)
        target.chmod(0o755)
        click.echo(f"Installed {target}.")
    return 0

"""`wardbook check-commit`: no outputs, identifiers or secrets in a commit."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.main import REFUSED, Context

if TYPE_CHECKING:
    from wardbook.identifiers.commits import Objection
    from wardbook.identifiers.context import Context as Known

REQUEST = re.compile(r"(?:\A|refs/heads/)request/")


@click.command("check-commit")
@click.argument("revisions", required=False)
@click.option("--staged", is_flag=True, help="Check what the next commit would hold.")
@click.option(
    "--message",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check the next commit's message, in this file.",
)
@click.option("--pre-push", is_flag=True, help="Check what is sent; git's lines come on stdin.")
@click.option("--pre-receive", is_flag=True, help="Check a push; git's lines come on stdin.")
@click.option(
    "--install",
    is_flag=True,
    help="Set up this clone: hooks, the filter of notebooks, readable diffs.",
)
@click.pass_obj
def check_commit(
    context: Context,
    revisions: str | None,
    staged: bool,
    message: Path | None,
    pre_push: bool,
    pre_receive: bool,
    install: bool,
) -> int:
    """Refuse commits with outputs, identifiers or secrets; REVISIONS as in main..HEAD.

    What may stay is listed with its reason in .wardbook-allow.toml.

    \b
    wardbook check-commit --install          once in each clone: then git asks by itself
    wardbook check-commit --staged           before a commit
    wardbook check-commit origin/main..HEAD  before a merge
    """
    from wardbook.identifiers.allowances import FILE, read_allowances
    from wardbook.identifiers.commits import check_message
    from wardbook.identifiers.committing import check_range, check_staged
    from wardbook.identifiers.repository import Range, Repository, read_pushed

    if sum(map(bool, (revisions, staged, message, pre_push, pre_receive, install))) != 1:
        raise click.UsageError(
            "Give one of REVISIONS, --staged, --message, --pre-push, --pre-receive and --install."
        )
    if revisions is not None and revisions.startswith("-"):
        raise click.UsageError(f"{revisions!r} is no range of revisions.")
    repository = Repository(Path.cwd())
    if install:
        return _install(Path.cwd())
    known = _know_site(context)
    if message:
        text = message.read_text(encoding="utf-8", errors="replace")
        return _tell(check_message("message", text, known))
    if staged:
        allowances = read_allowances(repository.read(f":{FILE}"))
        return _tell(check_staged(repository, allowances, known))
    if pre_receive:
        # The pushed commits cannot allow themselves: what stands on the server's branch counts.
        allowed_by, wanted = "HEAD", read_pushed(sys.stdin.read().splitlines(), "--all")
    elif pre_push:
        wanted = read_pushed(sys.stdin.read().splitlines(), "--remotes")
        allowed_by = wanted.revisions[-1] if wanted.revisions else "HEAD"
    else:
        # The name of a branch is public from the moment that it is pushed; a CI tells it.
        name = context.environ.get("CI_COMMIT_REF_NAME") or repository.branch()
        wanted = Range((str(revisions),), names=(name,))
        first, _, last = str(revisions).rpartition("..")
        # A request's branch runs before anybody reviews it: it cannot allow itself either.
        allowed_by = (first.rstrip(".") if REQUEST.search(name) else last) or "HEAD"
    if not wanted.revisions:
        return 0
    allowances = read_allowances(repository.read(f"{allowed_by}:{FILE}"))
    return _tell(check_range(repository, wanted, allowances, known))


def _know_site(context: Context) -> Known:
    """Return what the unit's settings say of its numbers, or the defaults without settings."""
    from wardbook.identifiers.context import Context as Known
    from wardbook.identifiers.site import SitePatterns

    if not context.file.exists():
        return Known()
    site = context.settings().identifiers
    return Known(site=SitePatterns(site.ipp, site.nda), shown=frozenset(site.shown))


def _tell(found: Sequence[Objection]) -> int:
    from wardbook.identifiers.masking import mask_safely
    from wardbook.messages import say

    for one in found:
        # A log of CI is read by many: a file's name is told without the number that is in it.
        path = mask_safely(one.path)
        place = f"{path}:{one.line}" if one.line else path
        place += f" (cell {one.cell})" if one.cell else ""
        click.echo(f"{place}: {say('en', f'identifier.commit_{one.kind}')}", err=True)
    if found:
        click.echo(f"\n{say('en', 'identifier.commit_refused', count=len(found))}", err=True)
    return REFUSED if found else 0


def _install(folder: Path) -> int:
    from wardbook.stripping.clone import set_up_clone

    set_up_clone(folder)
    click.echo("This clone is set up: git strips notebooks and asks before commits and pushes.")
    return 0

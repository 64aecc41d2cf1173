"""`wardbook notebook`: notebooks as git may hold them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from pipelines.cli.main import REFUSED
from wardbook.errors import Refusal

MANY = 20
"""From so many files on, a bar shows how far it is."""


@click.group()
def notebook() -> None:
    """Strip and compare notebooks: in git they are as before their first run."""


@notebook.command("strip")
@click.argument("files", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where something would.")
def strip(files: tuple[str, ...], check: bool) -> int:
    """Bring notebooks to git's one form, in place; `-` strips from stdin to stdout.

    Outputs, execution counts, attachments, states of widgets, parameters that a run put in, and
    all metadata but tags, types of slides and the kernel's name go. What is no notebook is told
    and stays as it is.

    \b
    wardbook notebook strip notebooks/*.ipynb
    wardbook notebook strip - <run.ipynb >clean.ipynb
    """
    if files == ("-",):
        text = sys.stdin.buffer.read()
        sys.stdout.buffer.write(_strip(text, "stdin").encode())
        return 0
    failed = False
    for name in _tell_progress(files):
        try:
            changed = _strip_file(Path(name), write=not check)
        except Refusal as error:
            click.echo(str(error), err=True)
            failed = True
            continue
        if changed:
            click.echo(f"{name}: {'would be stripped' if check else 'stripped'}")
            failed = failed or check
    return REFUSED if failed else 0


@notebook.command("diff")
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def diff(old: Path, new: Path) -> int:
    """Show how two notebooks differ in what their authors wrote; exits with 1 where they do.

    `git diff` shows the same in a clone that `wardbook check-commit --install` set up.
    """
    from difflib import unified_diff

    from pipelines.cli.plain import harmless
    from wardbook.stripping.readable import tell_notebook

    before, after = (
        tell_notebook(_strip(file.read_bytes(), str(file))).splitlines() for file in (old, new)
    )
    lines = list(unified_diff(before, after, str(old), str(new), lineterm=""))
    for line in lines:
        click.echo(harmless(line))
    return REFUSED if lines else 0


def _strip_file(file: Path, *, write: bool) -> bool:
    """Strip one file in place; return whether that changes it."""
    from wardbook.files import write_atomically

    try:
        content = file.read_bytes()
        mode = file.stat().st_mode & 0o777
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}. Look at the name and at your rights.") from None
    stripped = _strip(content, str(file)).encode()
    if stripped == content:
        return False
    if write:
        try:
            write_atomically(file.resolve(), stripped, mode=mode)
        except OSError as error:
            raise Refusal(
                f"{file} was not stripped and is as it was: {error.strerror}. Make room, or look "
                "at your rights."
            ) from None
    return True


def _strip(content: bytes, name: str) -> str:
    from wardbook.stripping.git_filter import explain
    from wardbook.stripping.notebook import NoNotebook, strip_notebook

    try:
        return strip_notebook(content.decode("utf-8"))
    except (NoNotebook, UnicodeDecodeError) as error:
        raise Refusal(f"{name}: {explain(error)}") from None


def _tell_progress(files: tuple[str, ...]) -> Iterator[str]:
    if len(files) < MANY or not sys.stderr.isatty():
        yield from files
        return
    bar: Iterable[str]
    with click.progressbar(files, label="Notebooks", file=sys.stderr) as bar:
        yield from bar

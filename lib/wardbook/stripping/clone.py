"""Sets up a clone so that no notebook is committed with more than its source.

Everything is written into the clone's own folder `.git`, with whole paths: it holds in a terminal,
in JupyterLab and in an editor, whatever their PATH is.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import wardbook
from wardbook.errors import EnvironmentFault, Refusal
from wardbook.files import write_atomically
from wardbook.shipped import shipped_folder

HOOKS = ("pre-commit", "pre-merge-commit", "commit-msg", "pre-push")
THEIRS = ".theirs"
"""Ends the name of a hook that stood there before: ours calls it."""

OURS = "wardbook.program"
"""Stands in each of our hooks, and is the entry of git's configuration that they read."""

DRIVER = "wardbook"


def set_up_clone(folder: Path) -> None:
    """Set up a clone: the filter of notebooks, readable diffs, merges, the hooks before commits.

    Called again it changes nothing; called by another installation of Wardbook it turns the clone
    to that one. Somebody else's hook is called by ours, not replaced.

    Raises:
        Refusal: `folder` is not in a clone.
        EnvironmentFault: git is missing.
    """
    settings = dict(_choose_settings())
    for name, value in settings.items():
        if _read(folder, name) != value:
            _ask(folder, "config", "--local", name, value)
    merges = f"merge.{DRIVER}.driver" in settings
    _set_attributes(_find(folder, "info/attributes"), merges=merges)
    _install_hooks(folder)


def _choose_settings() -> Iterator[tuple[str, str]]:
    library = Path(wardbook.__file__).resolve().parent.parent
    start = (
        f"import sys; sys.path.insert(0, {str(library)!r}); "
        "from wardbook.stripping.git_filter import main; sys.exit(main(sys.argv[1:]))"
    )
    quick = shlex.join([sys.executable, "-I", "-S", "-c", start])
    yield f"filter.{DRIVER}.clean", f"{quick.replace('%', '%%')} clean %f"
    # Without it git would take a required filter for broken when it writes a file.
    yield f"filter.{DRIVER}.smudge", shutil.which("cat") or "/bin/cat"
    yield f"filter.{DRIVER}.required", "true"
    yield f"diff.{DRIVER}.textconv", f"{quick} textconv"
    merge = Path(sys.executable).with_name("git-nbmergedriver")
    if merge.exists() and importlib.util.find_spec("nbdime"):
        yield f"merge.{DRIVER}.name", "nbdime, cell by cell"
        yield f"merge.{DRIVER}.driver", f"{shlex.quote(str(merge))} merge %O %A %B %L %P"
    # In a source tree the command line stands beside lib/, in an installation beside the library.
    paths = library if (library / "pipelines").is_dir() else f"{library}:{library.parent}"
    whole = ["/usr/bin/env", f"PYTHONPATH={paths}", sys.executable, "-m", "pipelines.cli"]
    yield OURS, shlex.join(whole)


def _set_attributes(file: Path, *, merges: bool) -> None:
    line = f"*.ipynb text eol=lf filter={DRIVER} diff={DRIVER}"
    line += f" merge={DRIVER}" if merges else ""
    present = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    # The last line of this file counts most: it stands above the repository's own attributes.
    wanted = [*(one for one in present if f"filter={DRIVER} " not in one), line]
    if present != wanted:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, "\n".join(wanted) + "\n", mode=0o644)


def _install_hooks(folder: Path) -> None:
    common = _resolve(folder, _ask(folder, "rev-parse", "--git-common-dir"))
    used, own = _find(folder, "hooks"), common / "hooks"
    own.mkdir(parents=True, exist_ok=True)
    if used != own:
        # Hooks for all repositories, or kept in the work tree: others' clones are not ours to
        # change. This clone gets its own folder, from which theirs are still called.
        _link_theirs(used, own)
        _ask(folder, "config", "--local", "core.hooksPath", str(own))
    for name in HOOKS:
        _install_hook(own / name, (shipped_folder("hooks") / name).read_bytes())


def _link_theirs(used: Path, own: Path) -> None:
    for hook in sorted(used.iterdir()) if used.is_dir() else ():
        if not os.access(hook, os.X_OK) or hook.suffix == ".sample" or hook.is_dir():
            continue
        target = own / (f"{hook.name}{THEIRS}" if hook.name in HOOKS else hook.name)
        if not target.exists() and OURS.encode() not in hook.read_bytes():
            target.symlink_to(hook)


def _install_hook(target: Path, content: bytes) -> None:
    if target.exists():
        present = target.read_bytes()
        if present == content and os.access(target, os.X_OK):
            return
        if OURS.encode() not in present and b"wardbook check-commit" not in present:
            target.rename(target.with_name(f"{target.name}{THEIRS}"))
    write_atomically(target, content, mode=0o755)


def _find(folder: Path, name: str) -> Path:
    return _resolve(folder, _ask(folder, "rev-parse", "--git-path", name))


def _resolve(folder: Path, told: str) -> Path:
    return (folder / told).resolve()


def _read(folder: Path, name: str) -> str | None:
    try:
        return _ask(folder, "config", "--local", "--get", name)
    except Refusal:
        return None


def _ask(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise EnvironmentFault("git is not installed: apt-get install git") from None
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise Refusal(f"{folder} was not set up: git {arguments[0]}: {(told or ['failed'])[-1]}")
    return done.stdout.strip()

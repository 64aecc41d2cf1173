"""Templates as they were: each version's files, kept once by their digest on the secure side."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from wardbook.template.spec import Template, TemplateProblem, load_template


def keep_template(folder: Path, template: Template) -> None:
    """Copy a template's files to `folder/DIGEST/NAME`, unless they stand there.

    Files that change while they are copied are not kept under a digest that is not theirs: the
    next run keeps them.
    """
    if (folder / template.digest).is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as part:
        copy = Path(part) / "kept" / template.spec.name
        shutil.copytree(template.folder, copy, ignore=shutil.ignore_patterns(".*", "__*", "tests"))
        if Template(copy, template.spec).digest == template.digest:
            with suppress(OSError):  # another process was quicker: what it kept is the same
                copy.parent.rename(folder / template.digest)


def find_template(folder: Path, name: str, digest: str) -> Template | None:
    """Return the template that was kept under this digest; None if it is gone or was changed."""
    try:
        found = load_template(folder / digest / name)
    except TemplateProblem:
        return None
    return found if found.digest == digest else None

"""Copies of the site for its two kinds of readers: the hospital, and everybody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wardbook.domain.output import Sensitivity
from wardbook.pages.build import DOCS
from wardbook.pages.publish import copy_files, is_shown, lock_site
from wardbook.report.card import read_card
from wardbook.report.folder import list_files, whole_folder

_FOR_ALL = ("assets", DOCS)
"""Folders without a word about a report or a request."""


def copy_public(public: Path, destination: Path, finish: Callable[[Path], None]) -> None:
    """Copy to the new folder `destination` what everybody may see, wholly or not at all.

    Taken over are public editions, assets and documentation, and nothing else: every page about
    them is made anew by `finish`, which gets the unfinished copy, from what is there.

    Raises:
        ReportProblem: `destination` exists, the site holds something that is no plain file, or an
            edition has no index card.
    """
    with lock_site(public):
        editions = [
            folder
            for folder in sorted(public.glob("reports/*/*"))
            if folder.is_dir()
            and not folder.name.startswith(".")
            and read_card(folder).sensitivity is Sensitivity.PUBLIC
        ]
        taken = [*editions, *(public / name for name in _FOR_ALL if (public / name).is_dir())]
        names = [
            name
            for folder in taken
            for file in list_files(folder)
            if is_shown(Path(name := (folder / file).relative_to(public).as_posix()))
        ]
        with whole_folder(destination) as part:
            copy_files(public, names, part)
            finish(part)
            for name in list_files(part):
                if not is_shown(Path(name)):
                    (part / name).unlink()

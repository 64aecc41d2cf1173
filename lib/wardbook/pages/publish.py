"""A staged report folder becomes a part of the site, once."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wardbook.domain.output import Sensitivity
from wardbook.files import hash_file
from wardbook.pages.address import edition_folder
from wardbook.report.card import CARD, read_card
from wardbook.report.folder import PART, list_files, whole_folder
from wardbook.report.policy import APACHE_FILE
from wardbook.report.problem import ReportProblem

NEEDED = ("index.html", CARD, "receipt.json")


def publish_report(public: Path, staged: Path, slug: str, edition: str) -> Path:
    """Copy a staged report to `public/reports/<slug>/<edition>`, wholly or not at all.

    The same content published again changes nothing. The staged folder stays: it is its owner's.

    Returns:
        The folder of the published edition.

    Raises:
        ReportProblem: the edition stands already with other content, the report is sensitive, a
            needed file is missing, or a name cannot be part of an address.
    """
    folder = edition_folder(public, slug, edition)
    files = list_files(staged)
    for name in NEEDED:
        if name not in files:
            raise ReportProblem(f"{staged / name}: missing. Render and sign the report first.")
    if read_card(staged).sensitivity is Sensitivity.SENSITIVE:
        raise ReportProblem(
            f"{slug}/{edition}: a sensitive report never goes on the site. Seal it for the share."
        )
    with lock_site(public):
        _sweep(folder.parent)
        if not folder.is_dir():
            _copy(staged, files, folder)
        elif not _same_content(staged, files, folder):
            raise ReportProblem(
                f"{slug}/{edition}: published already with other content. Publish a new edition."
            )
    return folder


def copy_site(public: Path, destination: Path) -> None:
    """Copy the site to the new folder `destination`, wholly or not at all.

    Hidden files stay, but for the headers that Apache sends.

    Raises:
        ReportProblem: `destination` exists, or the site holds something that is no plain file.
    """
    with lock_site(public):
        shown = [name for name in list_files(public) if is_shown(Path(name))]
        _copy(public, shown, destination)


@contextmanager
def lock_site(public: Path) -> Iterator[None]:
    """Let one process at a time write below `public`, which is made if it is missing."""
    public.mkdir(parents=True, exist_ok=True)
    with (public / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_shown(name: Path) -> bool:
    """Tell whether a file of the site is for readers: none that is hidden, but Apache's headers."""
    hidden = [part for part in name.parts if part.startswith(".")]
    return not hidden or (hidden == [name.name] == [APACHE_FILE] and name.parts[0] != "reports")


def _sweep(folder: Path) -> None:
    """Remove what a killed process left; under the lock nobody else is at work here."""
    for part in folder.glob(f".*{PART}"):
        shutil.rmtree(part)


def copy_files(source: Path, names: Iterable[str], destination: Path) -> None:
    """Copy files below one folder into another, readable by a web server of another account."""
    destination.chmod(0o755)
    for name in names:
        target = destination / name
        target.parent.mkdir(mode=0o755, exist_ok=True, parents=True)
        shutil.copyfile(source / name, target)
        target.chmod(0o644)


def _copy(staged: Path, files: list[str], folder: Path) -> None:
    with whole_folder(folder) as part:
        copy_files(staged, files, part)


def _same_content(staged: Path, files: list[str], folder: Path) -> bool:
    return list_files(folder) == files and all(
        hash_file(staged / name) == hash_file(folder / name) for name in files
    )

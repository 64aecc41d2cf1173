"""The published reports, as the lists of the site show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from wardbook.report.card import ReportCard, read_card


@dataclass(frozen=True)
class Edition:
    """One published edition; `address` is relative to the site's root."""

    address: str
    card: ReportCard


@dataclass(frozen=True)
class Result:
    """A report with its editions, newest first."""

    editions: tuple[Edition, ...]

    @property
    def latest(self) -> Edition:
        """The edition that a list shows."""
        return self.editions[0]


def read_results(public: Path) -> tuple[Result, ...]:
    """Return every published report, newest first.

    Raises:
        ReportProblem: the index card of an edition is missing or broken.
    """
    folders = filter(_is_edition, public.glob("reports/*/*"))
    by_slug = groupby(sorted(folders), key=lambda folder: folder.parent)
    results = (Result(_read_all(some)) for _, some in by_slug)
    return tuple(sorted(results, key=lambda result: _age(result.latest), reverse=True))


def read_editions(public: Path, slug: str) -> tuple[Edition, ...]:
    """Return the published editions of one report, newest first; none if it has none.

    Raises:
        ReportProblem: the index card of one is missing or broken.
    """
    return _read_all(filter(_is_edition, public.glob(f"reports/{slug}/*")))


def _read_edition(folder: Path) -> Edition:
    address = f"reports/{folder.parent.name}/{folder.name}"
    return Edition(address, read_card(folder))


def _is_edition(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith(".")


def _read_all(folders: Iterable[Path]) -> tuple[Edition, ...]:
    return tuple(sorted(map(_read_edition, folders), key=_age, reverse=True))


def _age(edition: Edition) -> tuple[float, str]:
    return edition.card.started.timestamp(), edition.address

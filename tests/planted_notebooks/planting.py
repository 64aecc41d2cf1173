"""Draws the cases: which plant stands in which corner of which notebook, and which way it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from random import Random

from tests.planted_notebooks import corners, files
from tests.planted_notebooks.plants import (
    DISGUISES,
    KINDS,
    SHORT,
    Plant,
    make_plant,
    make_stranger,
)

ANALYST, UNHOOKED, UNFILTERED, PLUMBED = "analyst", "no hooks", "no filter", "plumbing"
BYPASSES = (UNHOOKED, UNFILTERED, PLUMBED)
RECORDS = ("message", "author", "branch", "tag", "tag's message", "note", "link", "header")
"""What a commit brings beside its files."""

WRITTEN_DISGUISES = {name: make for name, make in DISGUISES.items() if name != "hex escapes"}
MADE, WRITTEN, BROKEN, RECORD, CLEAN = "made", "written", "file", "record", "clean"


@dataclass
class Case:
    """One file, and what is planted in it.

    `group` tells what is expected on the analyst's way: `made` is stripped, `written` and `file`
    are refused, a `record` stands beside the file.
    """

    number: int
    way: str
    group: str
    corner: str
    path: str
    content: bytes
    plants: list[Plant] = field(default_factory=list)
    disguise: str = "plain"

    @property
    def mark(self) -> str:
        return f"n{self.number:04}"


Corner = tuple[str, str]


def list_corners() -> list[Corner]:
    """Return every corner with its group."""
    return [
        *((MADE, name) for name in (*corners.MADE, *files.PARSED)),
        *((WRITTEN, name) for name in (*corners.WRITTEN, *files.NAMED)),
        *((BROKEN, name) for name in files.REFUSED),
        *((RECORD, name) for name in RECORDS),
    ]


def draw_cases(random: Random, count: int) -> Iterator[Case]:
    """Yield that many cases, each with one plant: nothing but its own corner gives it away.

    Corners, disguises and ways come in turn, so each is drawn before one is drawn again.
    """
    listed = list_corners()
    random.shuffle(listed)
    disguises, bypasses = cycle(DISGUISES), cycle(BYPASSES)
    for number, corner in enumerate(islice(cycle(listed), count)):
        way = ANALYST if (number + number // len(listed)) % 2 == 0 else next(bypasses)
        yield make_case(random, number, corner, random.choice(KINDS), next(disguises), way)


def draw_small(random: Random, shared: int) -> Iterator[Case]:
    """Yield cases with all corners: `shared` notebooks with all that is stripped, others alone."""
    listed = list_corners()
    made = list(corners.MADE)
    alone = [one for one in listed if one[0] != MADE or one[1] in files.PARSED]
    kinds, disguises, bypasses = cycle(KINDS), cycle(DISGUISES), cycle(BYPASSES)
    for number in range(shared):
        notebook, plants = corners.run_notebook(random), []
        for name in made[number::shared]:
            fitting = _choose_kinds(MADE, name) or (next(kinds),)
            plants.append(make_plant(random, fitting[0]))
            corners.MADE[name](notebook, plants[-1].text)
        yield Case(number, ANALYST, MADE, "several", _path(number), corners.write(notebook), plants)
    for number, corner in enumerate(alone, start=shared):
        by_hooks = corner[1] in ("message", "branch") if corner[0] == RECORD else number % 2
        way = ANALYST if by_hooks else next(bypasses)
        yield make_case(random, number, corner, next(kinds), next(disguises), way)


def draw_clean(random: Random, count: int) -> Iterator[Case]:
    """Yield run notebooks of the same shapes with nobody in them."""
    said = cycle(CLEAN_TEXTS)
    listed = [*corners.MADE, *(name for name in corners.WRITTEN if name not in corners.UNFIT)]
    for number, name in enumerate(islice(cycle(listed), count)):
        notebook = corners.run_notebook(random)
        plant = {**corners.MADE, **corners.WRITTEN}[name]
        text = "Python 3.11 (unité)" if name in corners.SMALL else next(said)
        plant(notebook, text)
        yield Case(number, ANALYST, CLEAN, name, _path(number), corners.write(notebook))


CLEAN_TEXTS = (
    "12 408 séjours, 2023-01-01 au 2023-12-31",
    "la médiane est de 4,2 jours (IC 95 % : 3,9 à 4,6)",
    "unité 3421, service de médecine interne",
    "password = os.environ['GITLAB_TOKEN']",
    "CIM-10 J18.9, GHM 04M053, CCAM YYYY600",
    "graine 20240607, version 1.12.3, hash 9f86d081884c7d65",
    "LOINC 2951-2 ; kaliémie 4,1 mmol/L ; horodatage 1718000000000",
    "data/hospital.duckdb, table stays, colonne birth_year",
    "https://gitlab.hopital.example/unit/wardbook/-/issues/12",
    "écrire à unit@example.org, poste 4012",
    "selon Martin et al. (2019), doi:10.1000/182, p. 1203-1214",
    "âge de 0 à 17 ans, naissances de 2010 à 2015",
)
"""What stands in notebooks of such a unit and looks a little like what is looked for."""


def _path(number: int, name: str = ".ipynb") -> str:
    return f"n{number:04}{name}"


def make_case(
    random: Random, number: int, corner: Corner, kind: str, disguise: str, way: str
) -> Case:
    """Make one case; a corner that cannot hold a kind or a disguise gets another of its own."""
    group, name = corner
    notebook = corners.run_notebook(random)
    kinds = _choose_kinds(group, name)
    if kinds:
        kind, disguise = random.choice(kinds), "plain"
    if name in files.REFUSED and kind in ("name", "birth_date"):
        kind = "nir"
    plant = make_plant(random, kind)
    if group == MADE and kind == "name":
        plant = make_stranger(random)
    if group != WRITTEN or name in ("linked file in the text",):
        disguise = "plain"
    if disguise == "hex escapes" or name in ("JSON in a string", "source in halves"):
        disguise = disguise if _fits_latin(plant.text) and "halves" not in name else "plain"
    text = DISGUISES[disguise](plant.text)
    path, content = _path(number), b""
    files_of: dict[str, Callable[..., files.Made]] = {
        **files.PARSED,
        **files.REFUSED,
        **files.NAMED,
    }
    if name in files_of:
        suffix, content = files_of[name](notebook, text)
        path = _path(number, suffix)
    elif group == RECORD:
        content = corners.write(notebook)
    else:
        {**corners.MADE, **corners.WRITTEN}[name](notebook, text)
        content = corners.write(notebook)
    return Case(number, way, group, name, path, content, [plant], disguise)


def _choose_kinds(group: str, name: str) -> tuple[str, ...]:
    """Return the kinds that alone fit into a corner, () where every kind does."""
    if name in corners.SMALL or name in files.NAMED or group == RECORD:
        return SHORT
    if name in ("execution count", "output's execution count"):
        return ("ipp",)
    return corners.FITTING.get(name, ())


def _fits_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True

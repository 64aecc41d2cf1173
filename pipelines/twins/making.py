"""Making twins: the source is counted, judged, and never looked at again."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.house import House
from pipelines.twins.choosing import (
    TwinRefusal,
    kinds_of,
    policy_for,
    require_known,
    require_source,
    tell_why_not,
)
from pipelines.twins.places import FORMS, about_of, place_of
from pipelines.twins.reading import day_of, read_source, state_of
from wardbook.errors import EnvironmentFault, Refusal
from wardbook.files import hash_file, write_atomically
from wardbook.twin.plans import find_plan

if TYPE_CHECKING:
    import pandas as pd

    from wardbook.twin.marginals import Marginals
    from wardbook.twin.roles import Plan
    from wardbook.twin.writing import Form

Progress = Callable[[str, int, int], None]
"""Is told of which kind how much is done, of how much."""


@dataclass(frozen=True)
class MadeTwin:
    """One twin that was made."""

    kind: str
    file: Path
    rows: int
    persons: int


@dataclass(frozen=True)
class NotMade:
    """A kind of which none was made, and why."""

    kind: str
    reason: str


def make_twins(
    house: House,
    source: str,
    kinds: Sequence[str] = (),
    *,
    rows: int | None = None,
    seed: int = 1,
    asked: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> tuple[MadeTwin | NotMade, ...]:
    """Make the twins of a source: of its kind, or of those that templates ask of a database.

    Args:
        house: the unit.
        source: a name of its settings.
        kinds: only these.
        rows: of each twin, at most; as many as the source has, rounded, where nobody says.
        seed: the same one makes the same rows of the same marginals.
        asked: texts of parameters for a database's views, in place of the templates' defaults.
        progress: is told how far it is.

    Raises:
        TwinRefusal: the source needs none, is open to nobody, has not this kind, or is not asked
            such parameters.
        ForeignFault: a database could not be read.
        EnvironmentFault: the twins' folder cannot be written.
    """
    settings = require_source(house, source)
    made: list[MadeTwin | NotMade] = []
    wanted = kinds_of(house, source, settings, kinds)
    require_known(source, settings, wanted, asked or {})
    for kind in wanted:
        try:
            made.append(_make_one(house, source, kind, rows, seed, asked or {}, progress))
        except Refusal as refusal:
            made.append(NotMade(kind, str(refusal)))
    return tuple(made)


def _make_one(
    house: House,
    source: str,
    kind: str,
    rows: int | None,
    seed: int,
    asked: Mapping[str, str],
    progress: Progress | None,
) -> MadeTwin:
    from wardbook.twin.drawing import draw_twin
    from wardbook.twin.writing import write_twin

    plan = find_plan(kind)
    if plan is None:
        raise TwinRefusal(tell_why_not(kind))
    with read_source(house, source, kind, asked) as (file, version):
        marginals = _gather(house, plan, source, file, version, progress)
    wanted = rows or marginals.rows
    told = marginals.to_json()
    _refuse_identifiers(house, told)
    form: Form = "parquet" if file.suffix == ".parquet" else "csv"
    place = place_of(house.settings, source, kind, form)
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".twin-") as scratch:
            drawn = Path(scratch) / place.name
            count = write_twin(
                plan.dataset,
                _watch(draw_twin(plan, marginals, wanted, seed), kind, wanted, progress),
                drawn,
                form,
            )
            digest = hash_file(drawn)
            # First noted, then shown: a fact without a twin does no harm.
            house.note_fact(
                "twin.made",
                name=source,
                kind=kind,
                rows=count,
                sha256=digest,
                policy=f"{marginals.policy[0]}/{marginals.policy[1]}",
            )
            _put_in_place(drawn, place)
        about = {"twin": {"file": place.name, "rows": count, "seed": seed, "sha256": digest}}
        text = json.dumps(json.loads(told) | about, ensure_ascii=False, indent=1) + "\n"
        write_atomically(about_of(place), text, mode=0o644)
    except OSError as error:
        raise EnvironmentFault(
            f"{place.parent} cannot be written ({error.strerror or error}). Check the rights and "
            "the room there; an earlier twin still stands."
        ) from error
    for other in FORMS:  # a source that was a CSV file may be a Parquet file now
        if other != form:
            place_of(house.settings, source, kind, other).unlink(missing_ok=True)
    return MadeTwin(kind, place, count, marginals.persons)


def _gather(
    house: House, plan: Plan, source: str, file: Path, version: str, progress: Progress | None
) -> Marginals:
    from wardbook.identifiers.context import Context
    from wardbook.identifiers.site import SitePatterns
    from wardbook.twin.gathering import gather_marginals
    from wardbook.twin.loading import load_source, open_working

    known = house.settings.identifiers
    with tempfile.TemporaryDirectory(dir=state_of(house), prefix="twin-") as scratch:
        connection = open_working(Path(scratch))
        try:
            load_source(connection, plan, file)
            return gather_marginals(
                connection,
                plan,
                policy_for(house, house.settings.sources[source]),
                source=source,
                made=house.today,
                source_date="" if version else day_of(file, house),
                source_version=version,
                context=Context(site=SitePatterns(known.ipp, known.nda)),
                told=lambda done, total: (
                    progress(plan.dataset.name, done, 2 * total) if progress else None
                ),
            )
        finally:
            connection.close()


def _refuse_identifiers(house: House, told: str) -> None:
    """Stand between the marginals and their file, as before every output.

    Raises:
        TwinRefusal: something in them looks like an identifier.
    """
    from wardbook.identifiers.context import Context
    from wardbook.identifiers.searching import scan_content
    from wardbook.identifiers.site import SitePatterns

    known = house.settings.identifiers
    context = Context(site=SitePatterns(known.ipp, known.nda), shown=frozenset(known.shown))
    found = scan_content("marginals.json", told.encode(), context=context)
    if found:
        kinds = ", ".join(sorted({str(one.kind) for one in found}))
        raise TwinRefusal(
            f"its figures hold what looks like an identifier ({kinds}). Nothing was written; see "
            "which of its codes are such."
        )


def _watch(
    parts: Iterator[pd.DataFrame], kind: str, wanted: int, progress: Progress | None
) -> Iterator[pd.DataFrame]:
    drawn = 0
    for part in parts:
        drawn += len(part)
        yield part
        if progress:
            progress(kind, wanted + drawn, 2 * wanted)


def _put_in_place(drawn: Path, place: Path) -> None:
    """Put a whole file where an earlier one may stand, for everybody to read."""
    with drawn.open("rb") as file:
        os.fsync(file.fileno())
    drawn.chmod(0o644)
    drawn.replace(place)

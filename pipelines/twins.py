"""Twins of the unit's sources: made of what may leave them, and found by who works with them.

    TWINS/SOURCE.KIND.csv or .parquet   the rows; nobody is behind them
    TWINS/SOURCE.KIND.twin.json         all that left the source, for the data-protection officer

The source is read on the secure side, into a folder that is gone afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.house import House
from pipelines.sources import warehouse_of
from wardbook.datasets.finding import Expected
from wardbook.disclosure import Policy, choose_policy
from wardbook.domain.output import Sensitivity
from wardbook.errors import DataProblem, EnvironmentFault, Refusal
from wardbook.files import hash_file, write_atomically
from wardbook.omop.views import find_view, has_view
from wardbook.settings import Settings, SourceSettings
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import TemplateSpec
from wardbook.twin.plans import find_plan
from wardbook.warehouse.apart import ask_version, draw_sources
from wardbook.warehouse.order import Draw

if TYPE_CHECKING:
    import pandas as pd

    from wardbook.twin.marginals import Marginals
    from wardbook.twin.roles import Plan
    from wardbook.twin.writing import Form

FORMS: tuple[Form, ...] = ("csv", "parquet")
_FIRST, _LAST = {"date": "1990-01-01"}, {"date": "2099-12-31"}
"""What a view that asks for days is asked for a twin."""
Progress = Callable[[str, int, int], None]
"""Is told of which kind how much is done, of how much."""


class TwinRefusal(Refusal):
    """No twin can be made as asked; the message says why."""


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


@dataclass(frozen=True)
class TwinState:
    """How a twin stands to its source: one sentence, and whether it still fits."""

    kind: str
    current: bool
    text: str


def find_twin(settings: Settings, source: str, kind: str) -> Path | None:
    """Return the file of a source's twin of a kind; None where none was made."""
    files = (_place(settings, source, kind, form) for form in FORMS)
    return next((file for file in files if file.is_file()), None)


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
        TwinRefusal: the source needs none, is open to nobody, or has not this kind.
        ForeignFault: a database could not be read.
        EnvironmentFault: the twins' folder cannot be written.
    """
    settings = _require_source(house, source)
    made: list[MadeTwin | NotMade] = []
    for kind in _kinds_of(house, source, settings, kinds):
        try:
            made.append(_make_one(house, source, kind, rows, seed, asked or {}, progress))
        except (DataProblem, Refusal) as refusal:
            made.append(NotMade(kind, str(refusal)))
    return tuple(made)


def check_twins(house: House, source: str, kinds: Sequence[str] = ()) -> tuple[TwinState, ...]:
    """Tell of each twin of a source whether the source changed since: its date and its rows.

    Raises:
        TwinRefusal, ForeignFault: as `make_twins`.
    """
    settings = _require_source(house, source)
    found = []
    for kind in _kinds_of(house, source, settings, kinds):
        file = find_twin(house.settings, source, kind)
        if file is None:
            found.append(TwinState(kind, False, "has no twin yet"))
        else:
            found.append(_compare(house, source, kind, file))
    return tuple(found)


def _require_source(house: House, source: str) -> SourceSettings:
    settings = house.settings.sources.get(source)
    if settings is None:
        known = ", ".join(house.settings.sources) or "none"
        raise TwinRefusal(f"There is no source {source!r} in the settings, only: {known}.")
    if settings.sensitivity is Sensitivity.PUBLIC:
        raise TwinRefusal(f"{source} is public and needs no twin: use it as it is.")
    if settings.services and not set(settings.services) & set(house.settings.services):
        raise TwinRefusal(
            f"{source} is open to no service of the settings, so nobody needs a twin of it. "
            "Mend `services` of the source."
        )
    return settings


def _kinds_of(
    house: House, source: str, settings: SourceSettings, asked: Sequence[str]
) -> tuple[str, ...]:
    if settings.is_database:
        wanted = {s.kind for t in house.templates.values() for s in t.spec.sources.values()}
        there = tuple(sorted(kind for kind in wanted if has_view(kind)))
    else:
        there = (settings.kind,)
    for kind in asked:
        if kind not in there and not (settings.is_database and has_view(kind)):
            raise TwinRefusal(
                f"{source} has no data of the kind {kind!r}, only {', '.join(there)}."
            )
    return tuple(asked) or there


def _place(settings: Settings, source: str, kind: str, form: str) -> Path:
    return settings.bench.twins / f"{source}.{kind}.{form}"


# --- one twin -------------------------------------------------------------------------------------


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
        raise TwinRefusal(_why_no_plan(kind))
    with _read_source(house, source, kind, asked) as (file, version):
        marginals = _gather(house, plan, source, file, version, progress)
    wanted = rows or marginals.rows
    told = marginals.to_json()
    _refuse_identifiers(house, told)
    form: Form = "parquet" if file.suffix == ".parquet" else "csv"
    place = _place(house.settings, source, kind, form)
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
        write_atomically(_about(place), text, mode=0o644)
    except OSError as error:
        raise EnvironmentFault(
            f"{place.parent} cannot be written ({error.strerror or error}). Check the rights and "
            "the room there; an earlier twin still stands."
        ) from error
    for other in FORMS:  # a source that was a CSV file may be a Parquet file now
        if other != form:
            _place(house.settings, source, kind, other).unlink(missing_ok=True)
    return MadeTwin(kind, place, count, marginals.persons)


def _why_no_plan(kind: str) -> str:
    if kind == "ward-beds":
        return "it tells of no person: no twin is needed."
    if kind == "cohort-persons":
        return "it is made of each request's own criteria: a twin of one fits no other."
    return "nothing says how its columns could be made; see docs/twins.md."


def _gather(
    house: House, plan: Plan, source: str, file: Path, version: str, progress: Progress | None
) -> Marginals:
    from wardbook.identifiers.context import Context
    from wardbook.identifiers.site import SitePatterns
    from wardbook.twin.gathering import gather_marginals
    from wardbook.twin.loading import load_source, open_working

    known = house.settings.identifiers
    with tempfile.TemporaryDirectory(dir=_state(house), prefix="twin-") as scratch:
        connection = open_working(Path(scratch))
        try:
            load_source(connection, plan, file)
            return gather_marginals(
                connection,
                plan,
                _policy_for(house, house.settings.sources[source]),
                source=source,
                made=house.today,
                source_date="" if version else _day_of(file, house),
                source_version=version,
                context=Context(site=SitePatterns(known.ipp, known.nda)),
                told=lambda done, total: (
                    progress(plan.dataset.name, done, 2 * total) if progress else None
                ),
            )
        finally:
            connection.close()


@contextmanager
def _read_source(
    house: House, source: str, kind: str, asked: Mapping[str, str]
) -> Iterator[tuple[Path, str]]:
    """Yield a source's file and, where it was extracted of a database for us, the version of that.

    Raises:
        DataProblem: it is not there, or the database changed while it was read.
    """
    settings = house.settings.sources[source]
    if settings.path is not None:
        if not settings.path.is_file():
            raise DataProblem("file_missing", file=settings.path.name)
        yield settings.path, ""
        return
    version = _version_of(source, settings, kind)
    with tempfile.TemporaryDirectory(dir=_state(house), prefix="twin-") as scratch:
        file = Path(scratch) / f"{kind}.parquet"
        now = house.now().astimezone(house.zone).replace(tzinfo=None)
        values = _values_for(house, kind, asked)
        draw = Draw(source, kind, file, Expected(now), values, warehouse_of(settings))
        (drawn,) = draw_sources([draw], settings.minutes * 60)
        if drawn.problem is not None:
            raise drawn.problem
        if _version_of(source, settings, kind) != version:
            raise DataProblem("source_changed", file=source)
        yield file, version


def _version_of(source: str, settings: SourceSettings, kind: str) -> str:
    told = ask_version(source, warehouse_of(settings), kind, settings.minutes * 60)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _values_for(house: House, kind: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what the view of a kind is asked: all days, and the defaults of a template's own."""
    view = find_view(kind)
    spec = next(one for one in _specs_with(house, kind))
    texts = {name: text for name, text in asked.items() if name in spec.parameters}
    typed, _ = type_parameters(spec, texts)
    days = {"start": _FIRST, "end": _LAST}
    return {
        name: typed.get(name) if typed.get(name) is not None else days.get(name)
        for name in (view.PARAMETERS if view else ())
    }


def _specs_with(house: House, kind: str) -> Iterator[TemplateSpec]:
    for template in house.templates.values():
        if any(source.kind == kind for source in template.spec.sources.values()):
            yield template.spec


def _policy_for(house: House, settings: SourceSettings) -> Policy:
    """Return the strictest policy of the unit and of the services that may use a source."""
    asked = {
        f"services.{name}.policy": service.policy
        for name, service in house.settings.services.items()
        if settings.is_open_to(None, name)
    }
    return choose_policy(house.policies, house.settings.disclosure.policy, asked)


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


def _about(place: Path) -> Path:
    return place.with_name(place.name.removesuffix(place.suffix) + ".twin.json")


def _state(house: House) -> Path:
    state = house.settings.unit.state
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    return state


def _day_of(file: Path, house: House) -> str:
    return datetime.fromtimestamp(file.stat().st_mtime, house.zone).date().isoformat()


# --- whether it still fits ------------------------------------------------------------------------


def _compare(house: House, source: str, kind: str, file: Path) -> TwinState:
    from wardbook.twin.marginals import Marginals

    try:
        text = _about(file).read_text(encoding="utf-8")
        marginals, about = Marginals.from_json(text), json.loads(text)["twin"]
    except (OSError, ValueError, KeyError, Refusal):
        return TwinState(kind, False, "what it was made of cannot be read; make it again")
    if hash_file(file) != about["sha256"]:
        return TwinState(kind, False, "is not the file that was made; make it again")
    settings = house.settings.sources[source]
    made = f"made on {marginals.made}"
    if settings.path is None:
        is_same = _version_of(source, settings, kind) == marginals.source_version
        told = "the database was not loaded since" if is_same else "the database was loaded since"
        return TwinState(kind, is_same, f"{made}; {told}")
    if not settings.path.is_file():
        return TwinState(kind, False, f"{made}; the source's file is not there any more")
    rows = _count_rows(house, source, kind)
    day = _day_of(settings.path, house)
    changes = [
        f"its file is of {day}, then of {marginals.source_date}"
        if day != marginals.source_date
        else "",
        f"it has about {rows} rows, then {marginals.rows}" if rows != marginals.rows else "",
    ]
    told = " and ".join(filter(None, changes))
    return TwinState(kind, not told, f"{made}; " + (told or "the source did not change since"))


def _count_rows(house: House, source: str, kind: str) -> int:
    """Return a source's rows as they may be told."""
    from wardbook.twin.judging import round_rows
    from wardbook.twin.loading import load_source, open_working

    settings = house.settings.sources[source]
    plan = find_plan(kind)
    if plan is None or settings.path is None:
        return 0
    with tempfile.TemporaryDirectory(dir=_state(house), prefix="twin-") as scratch:
        connection = open_working(Path(scratch))
        try:
            load_source(connection, plan, settings.path)
            row = connection.execute("SELECT count(*) FROM t").fetchone()
        finally:
            connection.close()
    return round_rows(int(row[0]) if row else 0, _policy_for(house, settings))

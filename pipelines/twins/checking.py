"""Whether a twin still fits its source."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.house import House
from pipelines.twins.choosing import kinds_of, policy_for, require_source, tell_why_not
from pipelines.twins.places import about_of, find_twin
from pipelines.twins.reading import day_of, state_of, version_of
from wardbook.errors import Refusal
from wardbook.files import hash_file
from wardbook.settings import SourceSettings
from wardbook.twin.plans import find_plan, has_plan

if TYPE_CHECKING:
    from wardbook.twin.marginals import Marginals


@dataclass(frozen=True)
class TwinState:
    """How a twin stands to its source: one sentence, and whether it still fits."""

    kind: str
    current: bool
    text: str


def check_twins(house: House, source: str, kinds: Sequence[str] = ()) -> tuple[TwinState, ...]:
    """Tell of each twin of a source whether it still fits: the source, the rules, our columns.

    Kinds of which no twin can be made are left out where none is named.

    Raises:
        TwinRefusal, ForeignFault: as `make_twins`.
    """
    settings = require_source(house, source)
    found = []
    for kind in kinds_of(house, source, settings, kinds):
        if not has_plan(kind):
            if kinds or not settings.is_database:
                found.append(TwinState(kind, False, f"has no twin: {tell_why_not(kind)}"))
            continue
        file = find_twin(house.settings, source, kind)
        if file is None:
            found.append(TwinState(kind, False, "has no twin yet"))
        else:
            found.append(_compare(house, source, kind, file))
    return tuple(found)


def _compare(house: House, source: str, kind: str, file: Path) -> TwinState:
    from wardbook.twin.marginals import Marginals

    try:
        text = about_of(file).read_text(encoding="utf-8")
        marginals, about = Marginals.from_json(text), json.loads(text)["twin"]
    except (OSError, ValueError, KeyError, Refusal):
        return TwinState(kind, False, "what it was made of cannot be read; make it again")
    if hash_file(file) != about["sha256"]:
        return TwinState(kind, False, "is not the file that was made; make it again")
    settings = house.settings.sources[source]
    made = f"made on {marginals.made}"
    changes = [
        *_changed_rules(house, settings, marginals),
        *_changed_data(house, source, marginals),
    ]
    same = "the source did not change since"
    return TwinState(kind, not changes, f"{made}; {' and '.join(changes) or same}")


def _changed_rules(house: House, settings: SourceSettings, marginals: Marginals) -> Iterator[str]:
    if policy_for(house, settings).digest != marginals.policy[2]:
        yield f"the disclosure policy was {marginals.policy[0]} {marginals.policy[1]}, not today's"
    plan = find_plan(marginals.kind)
    if plan is None or set(plan.told) != set(marginals.columns):
        yield "data of this kind had other columns"


def _changed_data(house: House, source: str, marginals: Marginals) -> Iterator[str]:
    settings = house.settings.sources[source]
    if settings.path is None:
        if version_of(source, settings, marginals.kind) != marginals.source_version:
            yield "the database was loaded since"
        return
    if not settings.path.is_file():
        yield "the source's file is not there any more"
        return
    day = day_of(settings.path, house)
    if day != marginals.source_date:
        yield f"its file is of {day}, then of {marginals.source_date}"
    persons = _count_persons(house, settings, marginals.kind)
    if persons != marginals.persons:
        yield f"it has about {persons} persons, then {marginals.persons}"


def _count_persons(house: House, settings: SourceSettings, kind: str) -> int:
    """Return a file's persons as they may be told."""
    from wardbook.twin.judging import round_rows
    from wardbook.twin.loading import load_source, open_working

    plan = find_plan(kind)
    if plan is None or settings.path is None:
        return 0
    with tempfile.TemporaryDirectory(dir=state_of(house), prefix="twin-") as scratch:
        connection = open_working(Path(scratch))
        try:
            load_source(connection, plan, settings.path)
            (found,) = connection.table("t").unique(f'"{plan.person}"').count("*").fetchall()
        finally:
            connection.close()
    return round_rows(int(found[0]), policy_for(house, settings))

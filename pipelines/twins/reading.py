"""A source as a file of the secure side, which is gone afterwards."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.house import House
from pipelines.sources import warehouse_of
from pipelines.twins.choosing import TwinRefusal
from wardbook.datasets.finding import Expected
from wardbook.errors import DataProblem
from wardbook.omop.views import find_view
from wardbook.settings import SourceSettings
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import TemplateSpec
from wardbook.warehouse.apart import ask_version, draw_sources
from wardbook.warehouse.order import Draw

_FIRST, _LAST = {"date": "1990-01-01"}, {"date": "2099-12-31"}
"""What a view that asks for days is asked for a twin."""


@contextmanager
def read_source(
    house: House, source: str, kind: str, asked: Mapping[str, str]
) -> Iterator[tuple[Path, str]]:
    """Yield a source's file and, where it was extracted of a database for us, the version of that.

    Raises:
        DataProblem: it is not there, or the database changed while it was read.
        TwinRefusal: a value that is asked of a view is none.
    """
    settings = house.settings.sources[source]
    if settings.path is not None:
        if not settings.path.is_file():
            raise DataProblem("file_missing", file=settings.path.name)
        yield settings.path, ""
        return
    values = _values_for(house, kind, asked)
    version = version_of(source, settings, kind)
    with tempfile.TemporaryDirectory(dir=state_of(house), prefix="twin-") as scratch:
        file = Path(scratch) / f"{kind}.parquet"
        now = house.now().astimezone(house.zone).replace(tzinfo=None)
        draw = Draw(source, kind, file, Expected(now), values, warehouse_of(settings))
        (drawn,) = draw_sources([draw], settings.minutes * 60)
        if drawn.problem is not None:
            raise drawn.problem
        if _digest_of(drawn.version) != version:
            raise DataProblem("source_changed", file=source)
        yield file, version


def version_of(source: str, settings: SourceSettings, kind: str) -> str:
    """Return which load of a database a kind is made of, as a digest.

    Raises:
        DataProblem, ForeignFault: it could not be asked.
    """
    told = ask_version(source, warehouse_of(settings), kind, settings.minutes * 60)
    return _digest_of(told)


def _digest_of(version: str) -> str:
    return hashlib.sha256(version.encode()).hexdigest()[:16]


def _values_for(house: House, kind: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what the view of a kind is asked: all days, and the defaults of a template's own."""
    view = find_view(kind)
    spec = next(_specs_with(house, kind), None)
    typed: dict[str, Any] = {}
    if spec:
        texts = {name: text for name, text in asked.items() if name in spec.parameters}
        typed, problems = type_parameters(spec, texts)
        for wrong in problems:
            if wrong.name in texts:
                raise TwinRefusal(
                    f"-p {wrong.name}: the template {spec.name} takes no such value; an example is "
                    f"{spec.parameters[wrong.name].example!r}."
                )
    days = {"start": _FIRST, "end": _LAST}
    return {
        name: typed.get(name) if typed.get(name) is not None else days.get(name)
        for name in (view.PARAMETERS if view else ())
    }


def _specs_with(house: House, kind: str) -> Iterator[TemplateSpec]:
    for template in house.templates.values():
        if any(source.kind == kind for source in template.spec.sources.values()):
            yield template.spec


def state_of(house: House) -> Path:
    """Return the folder of the secure side."""
    state = house.settings.unit.state
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    return state


def day_of(file: Path, house: House) -> str:
    """Return the day of a file, where the unit is."""
    return datetime.fromtimestamp(file.stat().st_mtime, house.zone).date().isoformat()

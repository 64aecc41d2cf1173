"""What a kernel or a trial of the bench is about: a request that lies on the desk, or a try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pipelines.bench.desk import BenchRefusal, Place
from pipelines.bench.tries import find_record
from pipelines.house import House
from pipelines.steps.period import add_period_values, period_to_run
from pipelines.steps.run import read_parameters
from wardbook.domain.output import Sensitivity
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.messages import say
from wardbook.template.spec import Template

Data = Literal["real", "twin"]
"""Which data are read: the hospital's, or synthetic stand-ins of all that is not public."""


@dataclass(frozen=True)
class Subject:
    """A request or a try, as it stands on the disk now.

    `texts` are the parameters with those that follow from the `period`; `values` are None where
    they do not fit the template.
    """

    house: House
    place: Place
    record: Record
    request: Request
    template: Template
    period: str
    texts: bytes

    @cached_property
    def values(self) -> dict[str, Any] | None:
        """The parameters, typed."""
        return read_parameters(self.template, self.texts)

    @property
    def notebook(self) -> Path:
        """The notebook on the disk."""
        return self.place.folder / self.template.spec.notebook

    def allowed(self, data: Data) -> Data:
        """Return which data may be read: never the hospital's once the legal basis is over."""
        return "twin" if is_expired(self.request, self.house.today) else data

    def chosen(self, data: Data) -> tuple[dict[str, str], dict[str, str]]:
        """Return the sources that are read themselves, and those of which a twin is."""
        data = self.allowed(data)
        real: dict[str, str] = {}
        twins: dict[str, str] = {}
        for name, source in self.request.sources.items():
            settings = self.house.settings.sources.get(source)
            is_public = settings is not None and settings.sensitivity is Sensitivity.PUBLIC
            (real if data == "real" or is_public else twins)[name] = source
        return real, twins

    def reading(self, names: Mapping[str, str]) -> Request:
        """Return the request as if it had these sources alone."""
        return replace(self.request, sources=names)


def is_expired(request: Request, today: date) -> bool:
    """Tell whether the legal basis of a request is over; its last day still counts."""
    return date.fromisoformat(request.expires) < today


def subject_of(house: House, place: Place, record: Record | None) -> Subject:
    """Read what lies on the desk; without a record, what the ledger or the try's files say of it.

    Raises:
        BenchRefusal: it is unknown, its files are gone, or its template is not there.
    """
    language = place.desk.language
    record = record or find_record(house, place)
    request = record.request
    template = house.templates.get(request.template) if request else None
    if request is None or template is None:
        raise BenchRefusal(say(language, "bench.no_template", key=place.key))
    try:
        on_disk = (place.folder / "parameters.json").read_bytes()
    except OSError:
        raise BenchRefusal(say(language, "bench.trial_no_files", key=place.key)) from None
    period = period_to_run(house, record)
    texts = add_period_values(house, record, period, on_disk) or b""
    return Subject(house, place, record, request, template, period, texts)

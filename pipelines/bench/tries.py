"""Tries: a template on the bench without a ticket, on public data or on stand-ins.

A try lies in `FOLDER/try/NAME-n/` as a request lies on its branch: the notebook, `parameters.json`
and `request.json`. It is in no git repository and can never be submitted. Its key is `try-NAME-n`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.bench.desk import KEY, BenchRefusal, Desk, Place
from pipelines.bench.launcher import HasTwin, NoParameter, usable_sources, write_texts
from pipelines.house import House
from pipelines.steps.prepare import request_files
from wardbook.domain.record import Links, Problem, Record, Review, Work
from wardbook.domain.request import Request
from wardbook.domain.states import State
from wardbook.domain.ticket import Person, Ticket
from wardbook.files import write_atomically
from wardbook.messages import Language, say
from wardbook.settings import Settings
from wardbook.template.parameters import shorten, type_parameters
from wardbook.template.spec import Template

TRY = re.compile(r"try-(?P<template>[a-z][a-z0-9_]{0,47})-(?P<number>[1-9][0-9]{0,3})")
FOLDER = "try"
_FOR_EVER = "9999-12-31"
_MOST = 10_000


class Unknown(BenchRefusal):
    """Nothing of that name is there."""


@dataclass(frozen=True)
class Misfit:
    """One thing to mend: where it is, and what is wrong; in a form, `path` is the parameter."""

    path: str
    text: str
    line: int | None = None


class ParametersRefused(BenchRefusal):
    """The values of a form do not fit the template; `places` says which, and why."""

    def __init__(self, message: str, places: tuple[Misfit, ...]) -> None:
        super().__init__(message)
        self.places = places


class TryPlace(Place):
    """Where a try lies: a folder of its own, which is no clone."""

    @property
    def clone(self) -> Path:
        """The try's folder."""
        return self.desk.folder / FOLDER / self.key.removeprefix("try-")

    @property
    def branch(self) -> str:
        """None: a try is in no repository."""
        return ""

    @property
    def folder(self) -> Path:
        """The try's folder."""
        return self.clone


def find_place(desk: Desk, key: str) -> Place:
    """Return where a request or a try lies.

    Raises:
        Unknown: it is the key of neither.
    """
    if KEY.fullmatch(key):
        return desk.place(key)
    if TRY.fullmatch(key):
        return TryPlace(desk, key)
    raise Unknown(say(desk.language, "bench.no_request", key=shorten(key)[:40]))


def find_record(house: House, place: Place) -> Record:
    """Return what is known of a request; of a try, what its files say.

    Raises:
        Unknown: the ledger does not know it, or the try's folder is gone.
        BenchRefusal: the try's files are not what they were.
    """
    if isinstance(place, TryPlace):
        return _record_of_try(house, place)
    record = house.ledger.record(place.key)
    if record is None:
        raise Unknown(say(place.desk.language, "bench.card_unknown", key=place.key))
    return record


def known(record: Record) -> Record | None:
    """Return what the ledger knows of it: nothing of a try."""
    return None if TRY.fullmatch(record.key) else record


def make_try(
    house: House, desk: Desk, template: str, values: Mapping[str, Any], has_twin: HasTwin
) -> str:
    """Lay out a template with the values of its form; returns the new try's key.

    Raises:
        Unknown: there is no such template.
        ParametersRefused: values do not fit; nothing was written.
        BenchRefusal: a source has neither public data nor a stand-in.
    """
    language = desk.language
    found = house.templates.get(template)
    if found is None:
        raise Unknown(say(language, "bench.launch_no_template", name=shorten(template)))
    texts = _read_values(found, values, language)
    sources = _choose_sources(found, house.settings, language, has_twin)
    place = _take_folder(desk, found)
    request = _request_of(found, place.key, texts, sources, language, house.settings)
    for file, content in request_files(found, request).items():
        write_atomically(place.folder / Path(file).name, content)
    return place.key


def _read_values(
    template: Template, values: Mapping[str, Any], language: Language
) -> dict[str, str]:
    try:
        texts = write_texts(values)
    except NoParameter as wrong:
        name = shorten(str(wrong))
        misfit = Misfit(name, say(language, "bench.launch_no_value", name=name))
        raise _refuse((misfit,), language) from None
    _, problems = type_parameters(template.spec, texts)
    if problems:
        raise _refuse([Misfit(one.name, _explain(one, language)) for one in problems], language)
    return texts


def _refuse(misfits: Sequence[Misfit], language: Language) -> ParametersRefused:
    message = say(language, "bench.launch_misfit", count=len(misfits))
    return ParametersRefused(message, tuple(misfits))


def _explain(problem: Problem, language: Language) -> str:
    parts = [say(language, f"gate.{problem.code}", name=problem.name, found=problem.found)]
    if problem.example:
        parts.append(say(language, "gate.example", example=problem.example))
    return " ".join(parts)


def _choose_sources(
    template: Template, settings: Settings, language: Language, has_twin: HasTwin
) -> dict[str, str]:
    chosen = {}
    for name, source in template.spec.sources.items():
        usable = usable_sources(source, settings, has_twin)
        if usable:
            chosen[name] = usable[0]
        elif source.required:
            label = source.label.in_language(language)
            raise BenchRefusal(say(language, "bench.launch_no_data", label=label))
    return chosen


def _take_folder(desk: Desk, template: Template) -> TryPlace:
    for number in range(1, _MOST):
        place = TryPlace(desk, f"try-{template.spec.name}-{number}")
        try:
            place.folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            continue
        return place
    raise BenchRefusal(say(desk.language, "bench.launch_too_many", folder=FOLDER))


def _record_of_try(house: House, place: TryPlace) -> Record:
    language = place.desk.language
    if not place.folder.is_dir():
        raise Unknown(say(language, "bench.card_unknown", key=place.key))
    try:
        about = json.loads((place.folder / "request.json").read_text(encoding="utf-8"))
        raw = json.loads((place.folder / "parameters.json").read_text(encoding="utf-8"))
        template = house.templates[about["template"]]
        texts = {str(name): str(text) for name, text in raw.items()}
        sources = {str(name): str(source) for name, source in about["sources"].items()}
        spoken: Language = "fr" if about["language"] == "fr" else "en"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BenchRefusal(say(language, "bench.launch_broken", key=place.key)) from None
    request = _request_of(template, place.key, texts, sources, spoken, house.settings)
    return _record_of(request)


def _request_of(
    template: Template,
    key: str,
    texts: Mapping[str, str],
    sources: Mapping[str, str],
    language: Language,
    settings: Settings,
) -> Request:
    """Return the request that a try stands for; nobody asked for it, so nobody signed it.

    Its service is the unit's first: rules that are stricter for one service are told of a request.
    """
    return Request(
        key=key,
        title=template.spec.title.in_language(language),
        question=template.spec.question.in_language(language),
        service=next(iter(settings.services), ""),
        requester="",
        requester_name="",
        purpose=template.spec.purposes[0],
        legal_basis="",
        reference="",
        expires=_FOR_EVER,
        approver=Person("", ""),
        template=template.spec.name,
        parameters=texts,
        sources=sources,
        language=language,
    )


def _record_of(request: Request) -> Record:
    ticket = Ticket(
        key=request.key,
        id="",
        updated="",
        status="",
        summary=request.title,
        description=request.question,
        components=(),
        reporter=Person("", ""),
        purpose="",
        legal_basis="",
        reference="",
        expires="",
        approver=None,
        template=request.template,
        parameters="",
        language=request.language,
    )
    return Record(
        key=request.key,
        state=State.PREPARED,
        revision=1,
        known_before=False,
        ticket=ticket,
        asked="",
        gated="",
        request=request,
        links=Links(),
        work=Work(),
        review=Review(),
        changed_at="",
    )

"""What the analyst's kernels are given: the values of a run, on the hospital's data or on twins.

`place.session` is laid out like a run's folder, by the same functions as production's runs, so
`wardbook` behaves in JupyterLab as it does there. A source that may not be read, or cannot, is not
in it; why not is told in one sentence, and the others are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from pipelines.bench.desk import BenchRefusal, Place
from pipelines.bench.out_of_room import telling_no_room
from pipelines.bench.subject import Data, Subject, subject_of
from pipelines.bench.tries import TryPlace
from pipelines.house import House
from pipelines.run_spec import describe_run
from pipelines.sources import Ready, make_ready
from wardbook.domain.made_from import MadeFrom, SourceVersion, digest_parameters
from wardbook.domain.record import Record
from wardbook.domain.run import Failure, FailureKind, RunSpec, SourceFile
from wardbook.engines.failures import describe_failure
from wardbook.engines.fork_server import find_caches
from wardbook.engines.scratch import begin_afresh
from wardbook.errors import WardbookError
from wardbook.files import hash_file, write_atomically
from wardbook.messages import say

CHOICE = "bench.json"
LAID_OUT = "laid-out"
"""Of what a whole session was laid out: it is the first thing that goes and the last that comes."""


@dataclass(frozen=True)
class Session:
    """What was laid out: the data in use, and a sentence for all that is missing.

    `refused` has the sentences about sources by the template's name of the source.
    """

    data: Data
    problems: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """What a run of a subject reads: its sources, made ready, and which of them are twins."""

    ready: Ready
    made: MadeFrom
    twins: tuple[str, ...] = ()


def lay_out_session(house: House, place: Place, record: Record | None, data: Data) -> Session:
    """Lay out `place.session` for kernels that start from now on.

    Where nothing has changed since it was laid out, it stands as it is, with its outputs.

    Raises:
        BenchRefusal: there is no notebook to work on, or the disk is full.
        EnvironmentFault: a database's driver is not installed.
    """
    subject = subject_of(house, place, record)
    data = subject.allowed(data)
    wanted = _digest_wanted(subject, data)
    if _read(place.session / LAID_OUT) == wanted:
        return Session(data, ())
    problems = []
    if subject.values is None:
        told = describe_failure(Failure(FailureKind.REQUEST_BROKEN), place.desk.language)
        problems.append(f"{told.cause} {told.next_step}")
    if data == "real":  # before they are read: no data without the fact
        house.note_fact("bench.opened", place.key, kind=data)
    given, refused = _find_sources(subject, data)
    spec = describe(f"session-{place.key.lower()}", subject, given)
    with telling_no_room(place.desk):
        place.session.mkdir(parents=True, exist_ok=True, mode=0o700)
        (place.session / LAID_OUT).unlink(missing_ok=True)
        begin_afresh(place.session, find_caches())
        spec.write(place.session)
        if not problems and not refused:  # what is missing may be there the next time
            write_atomically(place.session / LAID_OUT, wanted)
    return Session(data, (*problems, *refused.values()), refused)


def is_laid_out(place: Place) -> bool:
    """Tell whether a whole session lies there; a kernel that starts looks whether it still fits."""
    return (place.session / LAID_OUT).is_file()


def choose_data(house: House, place: Place, record: Record | None, data: Data) -> bool:
    """Keep which data are read from now on; True where kernels have to be restarted for it.

    Raises:
        BenchRefusal: a source has no twin, or a try asks for the hospital's data.
    """
    language = place.desk.language
    subject = subject_of(house, place, record)
    if data == "twin":
        missing = [one for one in subject.chosen("twin")[1].items() if not _twin_of(subject, *one)]
        if missing:
            names = ", ".join(source for _, source in missing)
            raise BenchRefusal(say(language, "bench.trial_no_twin", sources=names))
    elif isinstance(place, TryPlace):
        raise BenchRefusal(say(language, "bench.trial_try_is_twin"))
    if data == data_of(place):
        return False
    _keep_choice(place, data)
    lay_out_session(house, place, record, data)
    return True


def data_of(place: Place) -> Data:
    """Return which data are read; where nobody chose, twins if all that is not public has one.

    Raises:
        BenchRefusal: nobody chose, and what lies there says nothing of its sources.
    """
    try:
        kept = json.loads((place.private / CHOICE).read_text(encoding="utf-8"))["data"]
        return cast(Data, kept)
    except (OSError, ValueError, KeyError):
        pass
    if isinstance(place, TryPlace):
        return "twin"
    with place.desk.open_house() as house:
        subject = subject_of(house, place, None)
        twins = subject.chosen("twin")[1].items()
        has_all = all(_twin_of(subject, *one) for one in twins)
        choice: Data = "twin" if twins and has_all else "real"
    _keep_choice(place, choice)
    return choice


def _keep_choice(place: Place, data: Data) -> None:
    with telling_no_room(place.desk):
        place.private.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(place.private / CHOICE, json.dumps({"data": data}))


# --- for sessions and trials alike ----------------------------------------------------------------


def describe(key: str, subject: Subject, given: Given) -> RunSpec:
    """Return what a run of this subject is asked, as production asks it."""
    return describe_run(
        key,
        subject.place.key,
        subject.template,
        subject.request.language,
        subject.values or {},
        given.ready.files,
        period=subject.period,
        open_to=subject.house.settings.unit.open_to,
        twins=given.twins,
    )


def make_given(subject: Subject, data: Data, only: str | None = None) -> Given:
    """Make all sources of a subject ready, or one of them; a failure is that of production.

    Raises:
        ForeignFault: a database could not be reached or failed.
        EnvironmentFault: a driver is not installed.
    """
    real, twins = subject.chosen(data)
    if only is not None:
        real = {name: source for name, source in real.items() if name == only}
        twins = {name: source for name, source in twins.items() if name == only}
    request, house = subject.reading(real), subject.house
    made = house.circumstances.made_from(request, "", digest_parameters(subject.texts))
    stand_ins: dict[str, SourceFile] = {}
    for name, source in twins.items():
        twin = _twin_of(subject, name, source)
        if twin is None:
            missing = Failure(
                FailureKind.DATA_PROBLEM, problem="file_missing", details={"file": source}
            )
            return Given(Ready({}, failure=missing), made)
        stand_ins[name] = _describe_twin(subject, source, twin)
    ready = make_ready(house, request, subject.template, made, subject.values or {}, 0)
    if ready.failure is not None:
        return Given(ready, made)
    versions = {
        name: SourceVersion(twins[name], file.path, file.size, file.mtime_ns, 0, file.sha256)
        for name, file in stand_ins.items()
    }
    sources = {**made.sources, **versions}
    return Given(
        Ready({**ready.files, **stand_ins}, ready.findings),
        replace(made, sources=sources),
        tuple(stand_ins),
    )


def _find_sources(subject: Subject, data: Data) -> tuple[Given, dict[str, str]]:
    """Return the sources that can be read, and for each other the sentence that says why not."""
    language = subject.place.desk.language
    try:
        given = make_given(subject, data)
        if given.ready.failure is None:
            return given, {}
    except WardbookError:
        pass  # each by itself says which
    found: list[Given] = []
    refused: dict[str, str] = {}
    for name in subject.request.sources:
        try:
            one = make_given(subject, data, only=name)
        except WardbookError as error:
            refused[name] = str(error)
            continue
        if one.ready.failure is None:
            found.append(one)
        else:
            refused[name] = describe_failure(one.ready.failure, language).cause
    files = {name: file for one in found for name, file in one.ready.files.items()}
    twins = tuple(name for one in found for name in one.twins)
    made = subject.house.circumstances.made_from(subject.reading({}), "", {})
    return Given(Ready(files), made, twins), refused


def _twin_of(subject: Subject, name: str, source: str) -> Path | None:
    from pipelines.twins import find_twin

    kind = subject.template.spec.sources[name].kind
    return find_twin(subject.house.settings, source, kind)


def _describe_twin(subject: Subject, source: str, twin: Path) -> SourceFile:
    # As sensitive as what it stands for: so the checks say what they would say of that.
    seen = twin.stat()
    sensitivity = subject.house.settings.sources[source].sensitivity
    return SourceFile(
        str(twin.resolve()), hash_file(twin), sensitivity, seen.st_size, seen.st_mtime_ns
    )


def _digest_wanted(subject: Subject, data: Data) -> str:
    """Return a digest of all that a session is made of, without reading the data again."""
    real, twins = subject.chosen(data)
    house = subject.house
    versions = house.circumstances.sources_of(subject.reading(real))
    parts = {
        "data": data,
        "parameters": hashlib.sha256(subject.texts).hexdigest(),
        "period": subject.period,
        "language": subject.request.language,
        "purpose": [subject.request.purpose, subject.request.service],
        "template": [subject.template.digest, str(subject.template.folder.resolve())],
        "open_to": [str(folder) for folder in house.settings.unit.open_to],
        "sources": {
            name: [house.settings.sources[source].model_dump_json(), version.sha256, version.path]
            for name, source in real.items()
            if (version := versions.get(name))
        },
        "missing": sorted(set(real) - set(versions)),
        "twins": {name: _sign(_twin_of(subject, name, source)) for name, source in twins.items()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sign(file: Path | None) -> object:
    if file is None:
        return None
    seen = file.stat()
    return [str(file), seen.st_size, seen.st_mtime_ns, seen.st_ino]


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None

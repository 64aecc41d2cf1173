"""The data of a run, made ready before it: extracted of databases, and looked at.

An extract stands in the state's `extracts`, readable by the platform's account alone, and is named
by what decides its content: the database's version, the parameters that its view uses, the
software. Unchanged data are not read again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.house import House
from wardbook.datasets import find_dataset
from wardbook.datasets.finding import Expected, Finding
from wardbook.domain.made_from import MadeFrom
from wardbook.domain.output import Check, PolicyReference, Verdict, verdicts_of
from wardbook.domain.request import Request
from wardbook.domain.run import Failure, FailureKind, SourceFile
from wardbook.errors import DataProblem
from wardbook.files import hash_file, write_atomically
from wardbook.omop.views import find_view
from wardbook.settings import Settings, SourceSettings
from wardbook.template.parameters import decode_value
from wardbook.template.spec import Template, TemplateSpec
from wardbook.warehouse.apart import TooSlow, ask_version, draw_sources
from wardbook.warehouse.order import Draw, Drawn, Warehouse

READINESS = "readiness.json"
"""What was found, in the folder of the run."""


@dataclass(frozen=True)
class Ready:
    """What a run reads, by the template's name; what was found; why it cannot run."""

    files: Mapping[str, SourceFile]
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None


def warehouse_of(source: SourceSettings) -> Warehouse:
    """Return the database that a source of the settings is."""
    return Warehouse(
        address=source.address or "",
        form=source.kind,  # type: ignore[arg-type]  # its settings are a database's
        password=source.password.get_secret_value() if source.password else "",
        tables=dict(source.tables),
        vocabularies=dict(source.vocabularies),
    )


def open_database(name: str, source: SourceSettings) -> None:
    """See whether a database of the settings can be read and has its form.

    Raises:
        DataProblem: it has not.
        ForeignFault: it could not be reached, or failed.
        EnvironmentFault: its driver is not installed.
    """
    ask_version(name, warehouse_of(source), "", seconds=60)


def look_at_source(settings: Settings, name: str) -> tuple[Finding, ...]:
    """Look at a source of the settings as before a run.

    Raises:
        DataProblem: it is not what its settings say.
        ForeignFault: a database could not be reached, or failed.
        EnvironmentFault: its driver is not installed.
    """
    source = settings.sources[name]
    if source.path is None:
        open_database(name, source)
        return ()
    if find_dataset(source.kind) is None:
        if not source.path.is_file():
            raise DataProblem("file_missing", file=source.path.name)
        return ()
    zone = ZoneInfo(settings.unit.time_zone)
    expected = Expected(datetime.now(zone).replace(tzinfo=None), source.oldest)
    (drawn,) = draw_sources(
        [Draw(source.path.name, source.kind, source.path, expected)], source.minutes * 60
    )
    if drawn.problem is not None:
        raise drawn.problem
    return drawn.findings


def last_day_of(spec: TemplateSpec, values: Mapping[str, Any]) -> date | None:
    """Return the last day that the parameters ask for, where the template has such a one."""
    for name, one in spec.parameters.items():
        if one.from_period == "last_day" and values.get(name):
            day = decode_value(values[name])
            return day if isinstance(day, date) else None
    return None


def make_ready(
    house: House,
    request: Request,
    template: Template,
    made: MadeFrom,
    values: Mapping[str, Any],
    forced: int,
) -> Ready:
    """Extract what is to be extracted, and look at all data whose kind is declared.

    Raises:
        ForeignFault: a database could not be reached or failed.
        EnvironmentFault: a driver is not installed.
    """
    files: dict[str, Path] = {}
    draws: dict[str, Draw] = {}
    seconds = 0.0
    now = house.now().astimezone(house.zone).replace(tzinfo=None)
    last_day = last_day_of(template.spec, values)
    for name, chosen in request.sources.items():
        settings, version = house.settings.sources.get(chosen), made.sources.get(name)
        kind = template.spec.sources[name].kind
        problem = _find_problem(house, request, chosen, settings, kind)
        if problem is None and (settings is None or version is None):
            told = settings.path.name if settings and settings.path else chosen
            problem = DataProblem("file_missing", file=told)
        if problem is not None or settings is None or version is None:
            return Ready({}, failure=_failure_of(problem))
        warehouse = None
        files[name] = Path(version.path)
        if settings.is_database:
            digest = _digest_extract(version.sha256, kind, values, made.environment, forced)
            files[name] = house.extracts / f"{chosen}-{digest}.parquet"
            if files[name].is_file():
                os.utime(files[name])  # wanted again: not to be purged now
            else:
                warehouse = warehouse_of(settings)
        if find_dataset(kind) is not None:
            expected = Expected(now, settings.oldest, last_day)
            label = chosen if settings.is_database else files[name].name
            draws[name] = Draw(label, kind, files[name], expected, values, warehouse)
            seconds += settings.minutes * 60
    if draws:
        house.extracts.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        drawn = dict(zip(draws, draw_sources(list(draws.values()), seconds), strict=True))
    except TooSlow:
        limit = {"seconds": round(seconds)}
        return Ready({}, failure=Failure(FailureKind.OUT_OF_TIME, details=limit))
    _forget_changed(draws, drawn, {name: one.sha256 for name, one in made.sources.items()})
    failure = find_failure(tuple(drawn.values()))
    if failure is not None:
        return Ready({}, failure=failure)
    return Ready(
        {name: _look_at(house, request, made, name, path) for name, path in files.items()},
        tuple(finding for one in drawn.values() for finding in one.findings),
    )


def _find_problem(
    house: House, request: Request, chosen: str, settings: SourceSettings | None, kind: str
) -> DataProblem | None:
    if settings is None:
        return None
    if not settings.is_open_to(request.purpose, request.service):
        return DataProblem("source_closed", file=chosen)
    if settings.is_database:
        version = house.circumstances.database_version(chosen, kind)
        return version if isinstance(version, DataProblem) else None
    return None


def _digest_extract(
    version: str, kind: str, values: Mapping[str, Any], environment: str, forced: int
) -> str:
    view = find_view(kind)
    asked = {name: values.get(name) for name in (view.PARAMETERS if view else ())}
    parts = [version, kind, asked, environment, forced]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _forget_changed(
    draws: Mapping[str, Draw], drawn: dict[str, Drawn], versions: Mapping[str, str]
) -> None:
    """Refuse extracts of a database that was loaded while it was read: they may be of both."""
    for name, one in drawn.items():
        if one.version and one.version != versions[name]:
            draws[name].file.unlink(missing_ok=True)
            problem = DataProblem("source_changed", file=draws[name].source)
            drawn[name] = Drawn(problem)


def find_failure(drawn: Sequence[Drawn]) -> Failure | None:
    """Return the failure of a run whose data cannot be read, or must not be."""
    for one in drawn:
        if one.problem is not None:
            return _failure_of(one.problem)
        for finding in one.findings:
            if finding.verdict is Verdict.REFUSE:
                return _failure_of(DataProblem(finding.code, **finding.details))
    return None


def _failure_of(problem: DataProblem | None) -> Failure:
    code, details = (problem.code, problem.details) if problem else ("file_missing", {})
    return Failure(FailureKind.DATA_PROBLEM, problem=code, details=details)


def _look_at(house: House, request: Request, made: MadeFrom, name: str, path: Path) -> SourceFile:
    settings, version = house.settings.sources[request.sources[name]], made.sources[name]
    if not settings.is_database:
        return SourceFile(
            version.path, version.sha256, settings.sensitivity, version.size, version.mtime_ns
        )
    seen = path.stat()
    digest = hash_file(path)
    return SourceFile(str(path), digest, settings.sensitivity, seen.st_size, seen.st_mtime_ns)


# --- what was found, in the run's folder ----------------------------------------------------------


def keep_findings(folder: Path, findings: Sequence[Finding]) -> None:
    """Keep in a run's folder what was found in its data."""
    write_atomically(folder / READINESS, json.dumps([one.to_json() for one in findings]))


def read_findings(folder: Path) -> tuple[Finding, ...]:
    """Return what was found in a run's data; nothing for runs of before it was looked for."""
    try:
        raw = json.loads((folder / READINESS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    return tuple(map(Finding.from_json, raw))


def hold_for_findings(
    findings: Sequence[Finding], checks: Sequence[Check], policy: PolicyReference, approvals: int
) -> tuple[Check, ...]:
    """Hold every output that was judged for what was found in the data that it is made of.

    What only has to be known (`pass`) is told of each as well.
    """
    return tuple(
        Check(
            output,
            "readiness",
            finding.verdict,
            f"data.{finding.code}",
            tuple((name, str(value)) for name, value in finding.details.items()),
            policy,
            approvals if finding.verdict is Verdict.HOLD else 1,
        )
        for output in verdicts_of(checks)
        for finding in findings
    )

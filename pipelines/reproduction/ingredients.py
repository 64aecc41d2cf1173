"""What an edition was made from, found again by its digests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipelines.house import House
from pipelines.provenance import digest_values
from pipelines.reproduction.editions import NotReproducible
from pipelines.steps.prepare import folder_of, request_of
from pipelines.steps.run import read_parameters
from wardbook.domain.made_from import Part
from wardbook.domain.output import Sensitivity
from wardbook.domain.record import Record
from wardbook.domain.run import RunSpec, SourceFile
from wardbook.files import hash_file
from wardbook.seal import Receipt
from wardbook.seal.evidence import Source
from wardbook.template.from_period import read_period
from wardbook.template.kept import find_template
from wardbook.template.spec import Template


class Why(StrEnum):
    """Why a part cannot be had; each has a message of topic `reproduce`."""

    COMMIT_GONE = "commit_gone"
    PARAMETERS_DIFFER = "parameters_differ"
    TEMPLATE_GONE = "template_gone"
    SOURCE_GONE = "source_gone"
    SOURCE_CHANGED = "source_changed"
    SOURCE_OTHER = "source_other"
    EXTRACT_GONE = "extract_gone"


@dataclass(frozen=True)
class Lost:
    """A part that cannot be had as it was; `name` is the source's or the template's."""

    part: Part
    why: Why
    name: str = ""
    digest: str = ""


@dataclass(frozen=True)
class PackageChange:
    """A package whose version is not that of the run; "" stands for not installed."""

    name: str
    before: str
    now: str


@dataclass(frozen=True)
class Ingredients:
    """All that a run needs, as it was; where `lost` names something, there can be no run.

    `packages` is what differs in the software, None where nobody kept what it was.
    """

    notebook: bytes
    template: Template | None
    parameters: Mapping[str, Any]
    sources: Mapping[str, SourceFile]
    packages: tuple[PackageChange, ...] | None
    lost: tuple[Lost, ...]


def gather(
    house: House, record: Record, receipt: Receipt, given: Mapping[str, Path]
) -> Ingredients:
    """Find again what an edition was made from.

    Args:
        house: the unit; its GitLab is asked for the commit.
        record: the request.
        receipt: of the edition, verified.
        given: copies of data sources, by the template's name, where the unit's own files have
            moved on; each counts only if its digest is the receipt's.

    Raises:
        NotReproducible: a file was given for a source that the run did not read.
        ForeignFault: GitLab could not be asked.
    """
    origin, lost = receipt.origin, []
    template = _find_template(house, origin.template, origin.template_sha256)
    if template is None:
        lost.append(Lost(Part.TEMPLATE, Why.TEMPLATE_GONE, origin.template, origin.template_sha256))
    folder, project = folder_of(record.key), record.links.project
    name = template.spec.notebook if template else "notebook.ipynb"
    notebook = _read_at(house, project, f"{folder}/{name}", origin.commit)
    texts = _read_at(house, project, f"{folder}/parameters.json", origin.commit)
    parameters: Mapping[str, Any] | None = {}
    if notebook is None or texts is None:
        lost.append(Lost(Part.COMMIT, Why.COMMIT_GONE, digest=origin.commit))
    elif template is not None:
        parameters = _find_parameters(house, record, receipt, template, texts)
        if parameters is None:
            lost.append(
                Lost(Part.PARAMETER, Why.PARAMETERS_DIFFER, digest=origin.parameters_sha256)
            )
    _require_known(given, receipt)
    sources = {
        one.name: _find_source(house, receipt.run.key, one, given.get(one.name))
        for one in origin.sources
    }
    lost += [one for one in sources.values() if isinstance(one, Lost)]
    kernel = template.spec.kernel if template else "python3"
    return Ingredients(
        notebook=notebook or b"",
        template=template,
        parameters=parameters or {},
        sources={name: one for name, one in sources.items() if isinstance(one, SourceFile)},
        packages=compare_environments(
            house.circumstances.known_environment(origin.environment_sha256),
            house.circumstances.environment(kernel),
        ),
        lost=tuple(lost),
    )


def compare_environments(
    before: Mapping[str, str] | None, now: Mapping[str, str]
) -> tuple[PackageChange, ...] | None:
    """Name the packages whose versions differ; None where what was is not known."""
    if before is None:
        return None
    names = sorted({*before, *now})
    changes = (PackageChange(name, before.get(name, ""), now.get(name, "")) for name in names)
    return tuple(change for change in changes if change.before != change.now)


def _read_at(house: House, project: str | None, file: str, commit: str) -> bytes | None:
    return house.gitlab.file(project, file, commit) if project else None


def _find_template(house: House, name: str, digest: str) -> Template | None:
    present = house.templates.get(name)
    if present is not None and present.digest == digest:
        return present
    return find_template(house.circumstances.kept_templates, name, digest)


def _find_parameters(
    house: House, record: Record, receipt: Receipt, template: Template, texts: bytes
) -> Mapping[str, Any] | None:
    """Return the typed parameters whose digest the receipt has, from the commit or from the run.

    A recurring request's schedule may have changed since; then the run's own folder still knows.
    """
    wanted = receipt.origin.parameters_sha256
    rebuilt = read_parameters(template, _with_period(house, record, receipt, template, texts))
    if rebuilt is not None and digest_values(rebuilt) == wanted:
        return rebuilt
    folder = house.run_folder(receipt.run.key)
    if (folder / "spec.json").is_file():
        kept = RunSpec.read(folder).parameters
        if digest_values(kept) == wanted:
            return kept
    return None


def _with_period(
    house: House, record: Record, receipt: Receipt, template: Template, texts: bytes
) -> bytes:
    schedule = request_of(record).schedule(house.zone)
    if not receipt.origin.period or schedule is None:
        return texts
    try:
        given = json.loads(texts)
        taken = read_period(template.spec, schedule.told_by(receipt.origin.period))
        return json.dumps(taken | {name: text for name, text in given.items() if text}).encode()
    except (ValueError, AttributeError):
        return texts


def _require_known(given: Mapping[str, Path], receipt: Receipt) -> None:
    names = {one.name for one in receipt.origin.sources}
    for name in given:
        if name not in names:
            known = ", ".join(sorted(names)) or "—"
            raise NotReproducible("no_source", name=name, known=known)


def _find_source(house: House, run: str, source: Source, given: Path | None) -> SourceFile | Lost:
    settings = house.settings.sources.get(source.source)
    is_extract = settings is not None and settings.is_database
    path = given or (settings.path if settings else None)
    if path is None and is_extract:
        path = _find_extract(house, run, source.name)
    sensitivity = settings.sensitivity if settings else Sensitivity.SENSITIVE
    try:
        digest = hash_file(path) if path else None
    except OSError:
        digest = None
    if path is None or digest is None:
        why = Why.EXTRACT_GONE if is_extract else Why.SOURCE_GONE
        return Lost(Part.SOURCE, why, source.name, source.sha256)
    if digest != source.sha256:
        why = Why.SOURCE_OTHER if given else Why.SOURCE_CHANGED
        return Lost(Part.SOURCE, why, source.name, source.sha256)
    return SourceFile(str(path.resolve()), digest, sensitivity)


def _find_extract(house: House, run: str, name: str) -> Path | None:
    """Return where the run read what was extracted of a database for it."""
    try:
        return Path(RunSpec.read(house.run_folder(run)).sources[name].path)
    except (OSError, ValueError, TypeError, KeyError):
        return None

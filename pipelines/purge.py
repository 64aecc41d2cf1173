"""Retention: what is older than the settings say is deleted, and the audit log proves that it was.

Of files: an entry `purge.begun` with the digest of each, then a rename out of the way, then the
deletion, then `purge.done`. A crash leaves the first entry without the last: the next purge goes on
from there. Of texts in the ledger, digest and blanking are one transaction.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.house import House
from pipelines.reproduction.templates import find_unneeded
from wardbook.audit.entry import Entry, Fact
from wardbook.audit.retention import Category, Due, Kept, plan_purge
from wardbook.domain.run import RunResult, RunSpec
from wardbook.files import hash_file

_BEGUN, _DONE = "purge.begun", "purge.done"
_SHARED = "templates"
"""The claim under which copies of templates and extracts are deleted, which are no request's."""
EVIDENCE = (
    *("executed.ipynb", "log.txt", "slurm.log", "scratch"),
    *("evidence", "leaving-*", ".leaving.part"),
)
"""What of a run's folder holds what a notebook showed and printed, and what a reviewer saw of it.

Of `scratch`, `leaving-*` and `.leaving.part` only killed processes leave anything. The tables as
they left, in `leaving`, stay as long as those of which they were cut, in `outputs`: without them
those would be taken for what was released.
"""


@dataclass(frozen=True)
class Purged:
    """What the log proves to be gone: its digests, when it went and who had it go."""

    category: str
    name: str
    request: str
    at: str
    by: str
    digests: tuple[str, ...]
    done: bool


def plan(house: House) -> list[Due]:
    """Return what is due, and what is refused with its reason."""
    records = {record.key: record for record in house.ledger.records()}
    busy = {key for key in records if house.ledger.open_intents(key)}
    kept, settings = find_kept(house), house.settings.retention
    unneeded = (*_plan_templates(house), *_plan_extracts(house))
    return [*plan_purge(records, kept, settings, house.now(), busy), *unneeded]


def _plan_extracts(house: House) -> Iterator[Due]:
    """Yield the extracts of databases that no run that stands has read."""
    days, state = house.settings.retention.runs_days, house.settings.unit.state
    if days is None or not house.extracts.is_dir():
        return
    # A run that is about to begin names its extract a moment after it was made.
    latest = house.now() - timedelta(days=max(days, 1))
    folders = [*_folders_in(state / "runs")]
    folders += [folder / "run" for folder in _folders_in(state / "reproductions")]
    read = {path for folder in folders for path in _sources_of(folder)}
    for file in sorted(house.extracts.iterdir()):
        made = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        if made < latest and str(file) not in read:
            yield Due(Category.EXTRACT, file.name, "")


def _sources_of(folder: Path) -> list[str]:
    try:
        return [source.path for source in RunSpec.read(folder).sources.values()]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _plan_templates(house: House) -> Iterator[Due]:
    for digest in find_unneeded(house, house.settings.retention.runs_days):
        yield Due(Category.TEMPLATE, digest, "")


def find_kept(house: House) -> Iterator[Kept]:
    """Yield what stands of runs that have ended, and of editions that were made again."""
    yield from _find_runs(house)
    for folder in _folders_in(house.settings.unit.state / "reproductions"):
        try:
            spec = RunSpec.read(folder / "run")
        except (OSError, ValueError, TypeError, KeyError):
            continue
        made = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        yield Kept(Category.REPRODUCTION, folder.name, spec.request, made)


def _folders_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _find_runs(house: House) -> Iterator[Kept]:
    for folder in _folders_in(house.settings.unit.state / "runs"):
        try:
            spec = RunSpec.read(folder)
        except (OSError, ValueError, TypeError, KeyError):
            continue  # not a run's folder as we lay it out: never ours to delete
        if RunResult.read(folder) is None:
            continue
        written = (folder / "result.json").stat().st_mtime
        ended = datetime.fromtimestamp(written, UTC)
        yield Kept(Category.RUN, folder.name, spec.request, ended)
        if _evidence_in(folder):
            yield Kept(Category.EVIDENCE, folder.name, spec.request, ended)


def purge(house: House, by: str) -> list[Due]:
    """Delete what is due and finish what an earlier purge began; returns what was gone about.

    Args:
        house: the unit.
        by: the account that has it done.

    Raises:
        OSError: a file could not be deleted; the next purge goes on.
    """
    _finish(house, by)
    done = []
    for due in plan(house):
        if due.refusal:
            done.append(due)
            continue
        with house.ledger.claim(due.request or _SHARED) as mine:
            done.append(_purge_one(house, due, by) if mine else _busy(due))
    return done


def _busy(due: Due) -> Due:
    return replace(due, refusal="its request is being worked on")


def _purge_one(house: House, due: Due, by: str) -> Due:
    """Purge one, looking once more now that nobody else works on its request."""
    again = next((one for one in plan_of(house, due) if one == due), None)
    if again is None:
        return replace(due, refusal="it is not due any more")
    record = house.ledger.record(due.request)
    if due.category is Category.TEXTS and record is not None:
        house.ledger.purge_texts(record, by, house.now())
        return due
    paths = _paths_of(house, due)
    if paths:
        digests = sorted(hash_file(file) for path in paths for file in _files_of(path))
        size = sum(file.lstat().st_size for path in paths for file in _files_of(path))
        details = _details(due) | {
            "files": len(digests),
            "bytes": size,
            "digests": digests,
            "sha256": hashlib.sha256("".join(digests).encode()).hexdigest(),
        }
        _note(house, _BEGUN, due.request, by, details)
        away = _away(house, due.category, due.name)
        away.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in paths:
            path.rename(away / path.name)
        _delete(house, due, by)
    return due


def plan_of(house: House, due: Due) -> list[Due]:
    """Return what is due now of one request, of the templates, or of the extracts."""
    if due.category is Category.TEMPLATE:
        return list(_plan_templates(house))
    if due.category is Category.EXTRACT:
        return list(_plan_extracts(house))
    record = house.ledger.record(due.request)
    records = {due.request: record} if record else {}
    busy = {due.request} if house.ledger.open_intents(due.request) else set()
    kept = [one for one in find_kept(house) if one.request == due.request]
    return list(plan_purge(records, kept, house.settings.retention, house.now(), busy))


def _finish(house: House, by: str) -> None:
    """Delete what an earlier purge had put out of the way."""
    for entry in _open_purges(house):
        told = entry.told
        due = Due(Category(told["category"]), str(told["name"]), entry.request)
        if _away(house, due.category, due.name).exists() or not _paths_of(house, due):
            _delete(house, due, by)


def _delete(house: House, due: Due, by: str) -> None:
    away = _away(house, due.category, due.name)
    if away.exists():
        shutil.rmtree(away)
    _note(house, _DONE, due.request, by, _details(due))


def _open_purges(house: House) -> list[Entry]:
    waiting: dict[tuple[str, str], Entry] = {}
    for entry in house.ledger.audit_entries(events=(_BEGUN, _DONE)):
        place = (str(entry.told.get("category")), str(entry.told.get("name")))
        if entry.event == _BEGUN:
            waiting[place] = entry
        else:
            waiting.pop(place, None)
    return list(waiting.values())


def list_purged(house: House) -> list[Purged]:
    """Return what the audit log says was purged, oldest first."""
    waiting = {entry.sequence for entry in _open_purges(house)}
    return [
        Purged(
            category=str(entry.told["category"]),
            name=str(entry.told.get("name", entry.request)),
            request=entry.request,
            at=entry.at,
            by=entry.actor,
            digests=tuple(entry.told.get("digests", (entry.told.get("sha256", ""),))),
            done=entry.sequence not in waiting,
        )
        for entry in house.ledger.audit_entries(events=(_BEGUN, _DONE))
        if "sha256" in entry.told
    ]


def find_left(house: House) -> list[Purged]:
    """Return the folders that the log says are gone and that stand all the same, not made since."""
    makes = {"run.started": Category.RUN, "reproduction.begun": Category.REPRODUCTION}
    made = {
        (makes[entry.event], str(entry.told.get("run"))): entry.at
        for entry in house.ledger.audit_entries(events=tuple(makes))
    }
    return [
        one
        for one in list_purged(house)
        if one.category in makes.values()
        and one.done
        and _paths_of(house, Due(Category(one.category), one.name, one.request))
        and made.get((Category(one.category), one.name), "") < one.at
    ]


def _paths_of(house: House, due: Due) -> list[Path]:
    state = house.settings.unit.state
    whole = {
        Category.RUN: house.run_folder(due.name),
        Category.REPRODUCTION: state / "reproductions" / due.name,
        Category.TEMPLATE: state / "templates" / due.name,
        Category.EXTRACT: house.extracts / due.name,
    }
    if due.category is Category.EVIDENCE:
        return _evidence_in(house.run_folder(due.name))
    folder = whole[due.category]
    return [folder] if folder.exists() else []


def _evidence_in(folder: Path) -> list[Path]:
    return [path for name in EVIDENCE for path in sorted(folder.glob(name))]


def _files_of(path: Path) -> list[Path]:
    """Return the plain files at or below a path; links are deleted, what they lead to is not."""
    found = [path] if path.is_file() else path.rglob("*")
    return [one for one in found if one.is_file() and not one.is_symlink()]


def _away(house: House, category: Category, name: str) -> Path:
    return house.settings.unit.state / "purging" / f"{category}-{name}"


def _details(due: Due) -> dict[str, object]:
    return {"category": str(due.category), "name": due.name}


def _note(house: House, event: str, key: str, by: str, details: dict[str, object]) -> None:
    at = house.now().isoformat(timespec="milliseconds")
    house.ledger.note_fact(Fact(at, by, event, key, details))

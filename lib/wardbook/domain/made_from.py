"""What a run is made from, part by part, so that a change can be named.

A run's key says only *that* something differs. The parts are kept beside it in the ledger, and say
*what*: pure values, compared by pure functions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """The kinds of things that a run is made from."""

    COMMIT = "commit"
    PARAMETER = "parameter"
    TEMPLATE = "template"
    SOURCE = "source"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class SourceVersion:
    """One version of a data source: what it is called in the settings, where it stood, its bytes.

    `mtime_ns` is when the file was written by its own account, in nanoseconds since 1970.
    """

    source: str
    path: str
    size: int
    mtime_ns: int
    inode: int
    sha256: str


@dataclass(frozen=True)
class MadeFrom:
    """Everything that decides what a run computes, but for its request and period.

    `parameters` holds a digest of each value, never the value; `sources` only those that were
    there; `environment` is the digest of a map of packages to versions, which is kept once for
    all runs (see `wardbook.environment`).
    """

    commit: str
    template: str
    template_version: str
    template_digest: str
    parameters: Mapping[str, str]
    sources: Mapping[str, SourceVersion]
    environment: str


@dataclass(frozen=True)
class Change:
    """One part that differs. `name` is the parameter's or the source's; "" stands for absent.

    `before` and `after` are commits, versions or digests; `mtime_ns` is when the file that a source
    names now was written.
    """

    part: Part
    name: str = ""
    before: str = ""
    after: str = ""
    mtime_ns: int = 0


def digest_parameters(texts: bytes | None) -> dict[str, str]:
    """Return a digest of each parameter on the branch, by name; "" where they cannot be read."""
    try:
        raw = json.loads(texts or b"").items()
    except (ValueError, AttributeError):
        return {"": hashlib.sha256(texts or b"").hexdigest()[:16]}
    return {
        name: hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16] for name, value in raw
    }


def run_key(request: str, period: str, made: MadeFrom, forced: int) -> str:
    """Return the key of a run: request × period × code × parameters × data × environment.

    Equal keys are one run. `forced` counts how often a person had it run all the same.
    """
    parts = {
        "request": request,
        "period": period,
        "commit": made.commit,
        "template": [made.template, made.template_digest],
        "parameters": dict(made.parameters),
        "sources": {name: source.sha256 for name, source in made.sources.items()},
        "environment": made.environment,
        "forced": forced,
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f"{request.lower()}-{digest[:16]}"


def find_changes(before: MadeFrom, after: MadeFrom) -> tuple[Change, ...]:
    """Name every part of `after` that is not as it was in `before`."""
    return tuple(_changes(before, after))


def _changes(before: MadeFrom, after: MadeFrom) -> Iterator[Change]:
    if before.commit != after.commit:
        yield Change(Part.COMMIT, "", before.commit, after.commit)
    for name in sorted({*before.parameters, *after.parameters}):
        old, new = before.parameters.get(name, ""), after.parameters.get(name, "")
        if old != new:
            yield Change(Part.PARAMETER, name, old, new)
    if (before.template, before.template_digest) != (after.template, after.template_digest):
        yield Change(Part.TEMPLATE, after.template, _of_template(before), _of_template(after))
    for name in sorted({*before.sources, *after.sources}):
        was, now = before.sources.get(name), after.sources.get(name)
        if (was and was.sha256) != (now and now.sha256):
            known = now or was
            yield Change(
                Part.SOURCE,
                known.source if known else name,
                was.sha256 if was else "",
                now.sha256 if now else "",
                now.mtime_ns if now else 0,
            )
    if before.environment != after.environment:
        yield Change(Part.ENVIRONMENT, "", before.environment, after.environment)


def _of_template(made: MadeFrom) -> str:
    return f"{made.template_version} ({made.template_digest[:12]})" if made.template_digest else ""

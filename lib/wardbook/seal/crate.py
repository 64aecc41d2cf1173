"""The receipt once more, as an RO-Crate: for catalogues and archives that read those.

RO-Crate 1.1 with the profile Process Run Crate 0.5, in the terms of RO-Crate's own context and one
more, `sha256`, which later versions of it have. It is derived from the receipt and says nothing
more. In a report's folder it is a delivered file that the receipt names, so what signs the receipt
signs it too; of a sealed file it is written for whoever wants it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from wardbook.seal.evidence import Approval, CheckEvidence, SealedTo, Source, Subject
from wardbook.seal.receipt import Receipt

CRATE = "ro-crate-metadata.json"
"""Its name, in a deliverable's folder as anywhere."""

CONTEXT = ("https://w3id.org/ro/crate/1.1/context", {"sha256": "http://schema.org/sha256"})
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"

_TYPES = {
    "css": "text/css",
    "csv": "text/csv",
    "gpg": "application/pgp-encrypted",
    "html": "text/html",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
}
_LICENCE = "Use is bound to the request that is named here; ask the unit for any other."

Entity = dict[str, Any]


def write_crate(receipt: Receipt) -> bytes:
    """Return the crate of a receipt's files as JSON-LD: the same bytes for the same receipt.

    The crate itself is not told of, whether the receipt names it or not.
    """
    told = replace(receipt, subjects=tuple(one for one in receipt.subjects if one.name != CRATE))
    text = json.dumps(
        {"@context": CONTEXT, "@graph": list(_entities(told))},
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
    )
    return text.encode() + b"\n"


def _entities(receipt: Receipt) -> Iterator[Entity]:
    origin, run, release = receipt.origin, receipt.run, receipt.release
    checks = [_check(number, one) for number, one in enumerate(run.checks, 1)]
    approvals = [_approval(number, one) for number, one in enumerate(release.approvals, 1)]
    judged = (*checks, *approvals)
    yield {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": _to(SPECIFICATION),
        "about": _to("./"),
    }
    yield {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": _to(PROFILE),
        "name": f"{origin.ticket}: {release.output} ({receipt.edition})",
        "description": (
            f"The output {release.output} that answers the request {origin.ticket}, with the run "
            "that made it, the checks it passed and the people who let it out."
        ),
        "identifier": run.key,
        "datePublished": _moment(max((a.at for a in release.approvals), default=run.finished)),
        "inLanguage": release.language,
        "license": _to("#licence"),
        "author": _to(run.builder),
        "publisher": _to(run.builder),
        "hasPart": _all(_path(one.name) for one in receipt.subjects),
        "mentions": _all(
            ["#run", *(["#policy"] if run.policy else []), *(one["@id"] for one in judged)]
        ),
        **({"isBasedOn": _to("#previous")} if release.previous else {}),
    }
    yield _described(PROFILE, "CreativeWork", "Process Run Crate", version="0.5")
    yield _described("#licence", "CreativeWork", "Terms of use", description=_LICENCE)
    yield _described(run.builder, "Organization", "The unit that answers", url=run.builder)
    yield from (_file(one) for one in receipt.subjects)
    yield _run(receipt)
    template, platform = _tools(receipt)
    yield _described(
        platform,
        "SoftwareApplication",
        "Wardbook",
        url=run.builder,
        version=run.builder_version,
    )
    yield _described(
        template,
        "SoftwareApplication",
        origin.template,
        description="A notebook with what it takes and leaves; the identifier is its commit.",
        url=run.builder,
        version=origin.template_version,
        sha256=origin.template_sha256,
        identifier=origin.commit,
    )
    yield _described(
        "#environment",
        "CreativeWork",
        "Packages and versions that the run met",
        sha256=origin.environment_sha256,
    )
    yield _described(
        "#parameters",
        "CreativeWork",
        "Parameters of the run, as a digest alone",
        sha256=origin.parameters_sha256,
    )
    yield from (_source(one) for one in origin.sources)
    yield from checks
    if run.policy:
        policy = asdict(run.policy)
        yield _described("#policy", "CreativeWork", policy.pop("name"), **policy)
    yield from approvals
    for username in sorted({one.by for one in release.approvals}):
        yield _described(_person(username), "Person", username)
    yield from (_recipient(number, one) for number, one in enumerate(release.sealed_to, 1))
    if release.previous:
        yield _described(
            "#previous",
            "CreativeWork",
            "Receipt of the edition before",
            identifier=release.previous.run,
            sha256=release.previous.sha256,
        )


def _run(receipt: Receipt) -> Entity:
    origin, run, release = receipt.origin, receipt.run, receipt.release
    used = f"; {run.use.cpu_seconds} s of processor, {run.use.peak_mb} MB" if run.use else ""
    inputs = [_source_id(one) for one in origin.sources]
    recipients = [f"#recipient-{number}" for number, _ in enumerate(release.sealed_to, 1)]
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Run {run.key}",
        "description": f"Executed by {run.executor}{used}.",
        "identifier": run.key,
        "startTime": _moment(run.started),
        "endTime": _moment(run.finished),
        "agent": _to(run.builder),
        "instrument": _all(_tools(receipt)),
        "object": _all([*inputs, "#parameters", "#environment"]),
        "result": _all(_path(one.name) for one in receipt.subjects),
        **({"participant": _all(recipients)} if recipients else {}),
    }


def _file(subject: Subject) -> Entity:
    kind = _TYPES.get(subject.name.rpartition(".")[2], "application/octet-stream")
    return {
        "@id": _path(subject.name),
        "@type": "File",
        "name": subject.name,
        "contentSize": str(subject.size),
        "encodingFormat": kind,
        "sha256": subject.sha256,
    }


def _source(source: Source) -> Entity:
    return _described(
        _source_id(source),
        "CreativeWork",
        source.source,
        alternateName=source.name,
        dateModified=_moment(source.moment),
        sha256=source.sha256,
    )


def _check(number: int, check: CheckEvidence) -> Entity:
    limits = "".join(f", {name} {value}" for name, value in sorted(check.thresholds.items()))
    return _described(
        f"#check-{number}",
        "AssessAction",
        f"{check.output}: {check.rule}",
        description=f"{check.verdict}: {check.reason}{limits}",
        object=_to("#run"),
    )


def _approval(number: int, approval: Approval) -> Entity:
    return _described(
        f"#approval-{number}",
        "AuthorizeAction",
        f"Release on the ground of: {approval.ground}",
        agent=_to(_person(approval.by)),
        endTime=_moment(approval.at),
        object=_to("./"),
    )


def _recipient(number: int, recipient: SealedTo) -> Entity:
    return _described(
        f"#recipient-{number}", "Person", "Recipient", identifier=recipient.fingerprint
    )


def _described(identity: str, kind: str, name: str, **more: Any) -> Entity:
    return {"@id": identity, "@type": kind, "name": name, **more}


def _tools(receipt: Receipt) -> tuple[str, str]:
    """Return what names the template and the platform everywhere: absolute URIs, as is asked."""
    origin = receipt.origin
    template = f"urn:wardbook:template:{quote(origin.template)}:{origin.template_sha256}"
    return template, f"urn:wardbook:platform:{quote(receipt.run.builder_version)}"


def _source_id(source: Source) -> str:
    return f"#source-{quote(source.name, safe='')}"


def _person(username: str) -> str:
    return f"#person-{quote(username, safe='')}"


def _path(name: str) -> str:
    """Return a file's name as a relative URI; `./` keeps a colon from looking like a scheme."""
    path = "".join(letter if ord(letter) > 127 else quote(letter) for letter in name)
    return f"./{path}" if ":" in name.split("/")[0] else path


def _all(identities: Iterable[str]) -> Entity | list[Entity]:
    """Return references; a single one stands by itself, as RO-Crate's compact form has it."""
    found = [_to(one) for one in identities]
    return found[0] if len(found) == 1 else found


def _to(identity: str) -> Entity:
    return {"@id": identity}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")

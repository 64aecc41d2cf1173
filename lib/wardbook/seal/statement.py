"""The receipt's form on disk: an in-toto Statement v1 with SLSA provenance v1.

What SLSA has no place for stands in two fields of ours, named as its rules for extensions ask. The
form is described by docs/receipt.schema.json.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wardbook.seal.evidence import Approval, Source, Subject
    from wardbook.seal.receipt import Receipt

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:wardbook:build:notebook:2"
"""The number changes with the form; a receipt of another form is verified by its own version."""


def write_statement(receipt: Receipt) -> dict[str, Any]:
    """Return the in-toto statement with SLSA provenance; what SLSA has no place for is ours."""
    origin, run, release = receipt.origin, receipt.run, receipt.release
    return {
        "_type": STATEMENT,
        "subject": [_subject(one) for one in receipt.subjects],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "ticket": origin.ticket,
                    "template": {"name": origin.template, "version": origin.template_version},
                    "period": origin.period,
                    "language": release.language,
                    "parameters": {"digest": {"sha256": origin.parameters_sha256}},
                },
                "internalParameters": {"executor": run.executor},
                "resolvedDependencies": [
                    _resource("commit", gitCommit=origin.commit),
                    _resource("template", sha256=origin.template_sha256),
                    _resource("environment", sha256=origin.environment_sha256),
                    *(_source(one) for one in origin.sources),
                ],
            },
            "runDetails": {
                "builder": {"id": run.builder, "version": {"wardbook": run.builder_version}},
                "metadata": {
                    "invocationId": run.key,
                    "startedOn": _timestamp(run.started),
                    "finishedOn": _timestamp(run.finished),
                },
            },
            "wardbook_evidence": {
                "use": asdict(run.use) if run.use else None,
                "policy": asdict(run.policy) if run.policy else None,
                "checks": [asdict(one) for one in run.checks],
                "dropped": list(run.dropped),
            },
            "wardbook_release": {
                "requestUrl": origin.request_url,
                "output": release.output,
                "channel": release.channel,
                "approvals": [_approval(one) for one in release.approvals],
                "recipients": [asdict(one) for one in release.sealed_to],
                "previous": asdict(release.previous) if release.previous else None,
                "replaces": list(release.replaces),
            },
        },
    }


def read_statement(statement: Any) -> dict[str, Any]:
    """Return the fields of `Receipt` from a statement; `from_json` judges their types."""
    build = statement["predicate"]["buildDefinition"]
    details = statement["predicate"]["runDetails"]
    evidence = statement["predicate"]["wardbook_evidence"]
    ours = statement["predicate"]["wardbook_release"]
    asked = build["externalParameters"]
    commit, template, environment, *sources = build["resolvedDependencies"]
    metadata = details["metadata"]
    return {
        "subjects": [
            {**_named_digest(one), "size": one["annotations"]["size"]}
            for one in statement["subject"]
        ],
        "origin": {
            "ticket": asked["ticket"],
            "request_url": ours["requestUrl"],
            "period": asked["period"],
            "template": asked["template"]["name"],
            "template_version": asked["template"]["version"],
            "template_sha256": template["digest"]["sha256"],
            "parameters_sha256": asked["parameters"]["digest"]["sha256"],
            "commit": commit["digest"]["gitCommit"],
            "environment_sha256": environment["digest"]["sha256"],
            "sources": [{**_named_digest(one, "source:"), **one["annotations"]} for one in sources],
        },
        "run": {
            "key": metadata["invocationId"],
            "executor": build["internalParameters"]["executor"],
            "builder": details["builder"]["id"],
            "builder_version": details["builder"]["version"]["wardbook"],
            "started": metadata["startedOn"],
            "finished": metadata["finishedOn"],
            **evidence,
        },
        "release": {
            "output": ours["output"],
            "channel": ours["channel"],
            "language": asked["language"],
            "approvals": ours["approvals"],
            "sealed_to": ours["recipients"],
            "previous": ours["previous"],
            "replaces": ours["replaces"],
        },
    }


def _resource(name: str, **digest: str) -> dict[str, Any]:
    return {"name": name, "digest": digest}


def _subject(subject: Subject) -> dict[str, Any]:
    return {
        **_resource(subject.name, sha256=subject.sha256),
        "annotations": {"size": subject.size},
    }


def _source(source: Source) -> dict[str, Any]:
    told = {"source": source.source, "moment": _timestamp(source.moment)}
    return {**_resource(f"source:{source.name}", sha256=source.sha256), "annotations": told}


def _approval(approval: Approval) -> dict[str, str]:
    return {"by": approval.by, "at": _timestamp(approval.at), "ground": approval.ground}


def _named_digest(resource: Any, prefix: str = "") -> dict[str, Any]:
    return {"name": resource["name"].removeprefix(prefix), "sha256": resource["digest"]["sha256"]}


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The receipt's form on disk: an in-toto Statement v1 with SLSA provenance v1."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from wardbook.seal.receipt import Approval, CheckEvidence, Receipt

_STATEMENT = "https://in-toto.io/Statement/v1"
_PROVENANCE = "https://slsa.dev/provenance/v1"
_BUILD_TYPE = "urn:wardbook:build:notebook:1"


def write_statement(receipt: Receipt) -> dict[str, Any]:
    """Return the in-toto statement with SLSA provenance; what SLSA has no place for is ours."""
    origin, run, release = receipt.origin, receipt.run, receipt.release
    return {
        "_type": _STATEMENT,
        "subject": [_resource(one.name, sha256=one.sha256) for one in receipt.subjects],
        "predicateType": _PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": {
                    "ticket": origin.ticket,
                    "template": origin.template,
                    "parameters": {"digest": {"sha256": origin.parameters_sha256}},
                },
                "internalParameters": {"executor": run.executor},
                "resolvedDependencies": [
                    _resource("commit", gitCommit=origin.commit),
                    _resource("template", sha256=origin.template_sha256),
                    _resource("environment", sha256=origin.environment_sha256),
                    *(_resource(f"source:{one.name}", sha256=one.sha256) for one in origin.sources),
                ],
            },
            "runDetails": {
                "builder": {"id": run.builder, "version": {"wardbook": run.builder_version}},
                "metadata": {
                    "invocationId": run.key,
                    "startedOn": _timestamp(run.started),
                    "finishedOn": _timestamp(run.finished),
                },
                "byproducts": [
                    *(_byproduct("check", one.name, _check(one)) for one in run.checks),
                    *(_byproduct("dropped", name, {}) for name in run.dropped),
                ],
            },
            "wardbook": {
                "requestUrl": origin.request_url,
                "output": release.output,
                "channel": release.channel,
                "language": release.language,
                "approvals": [_approval(one) for one in release.approvals],
                "recipients": [asdict(one) for one in release.sealed_to],
            },
        },
    }


def read_statement(statement: Any) -> dict[str, Any]:
    """Return the fields of `Receipt` from a statement; `from_json` judges their types."""
    build = statement["predicate"]["buildDefinition"]
    details = statement["predicate"]["runDetails"]
    ours = statement["predicate"]["wardbook"]
    commit, template, environment, *sources = build["resolvedDependencies"]
    metadata = details["metadata"]
    return {
        "subjects": [_named_digest(one) for one in statement["subject"]],
        "origin": {
            "ticket": build["externalParameters"]["ticket"],
            "request_url": ours["requestUrl"],
            "template": build["externalParameters"]["template"],
            "template_sha256": template["digest"]["sha256"],
            "parameters_sha256": build["externalParameters"]["parameters"]["digest"]["sha256"],
            "commit": commit["digest"]["gitCommit"],
            "environment_sha256": environment["digest"]["sha256"],
            "sources": [_named_digest(one, "source:") for one in sources],
        },
        "run": {
            "key": metadata["invocationId"],
            "executor": build["internalParameters"]["executor"],
            "builder": details["builder"]["id"],
            "builder_version": details["builder"]["version"]["wardbook"],
            "started": metadata["startedOn"],
            "finished": metadata["finishedOn"],
            "checks": [
                {"name": one["name"], **one["annotations"]}
                for one in details["byproducts"]
                if one["annotations"]
            ],
            "dropped": [one["name"] for one in details["byproducts"] if not one["annotations"]],
        },
        "release": {
            "output": ours["output"],
            "channel": ours["channel"],
            "language": ours["language"],
            "approvals": ours["approvals"],
            "sealed_to": ours["recipients"],
        },
    }


def _resource(name: str, **digest: str) -> dict[str, Any]:
    return {"name": name, "digest": digest}


def _byproduct(kind: str, name: str, annotations: dict[str, str]) -> dict[str, Any]:
    """Return an in-toto resource descriptor, which needs a URI where it has no digest."""
    uri = f"urn:wardbook:{kind}:{quote(name, safe='')}"
    return {"name": name, "uri": uri, "annotations": annotations}


def _check(evidence: CheckEvidence) -> dict[str, str]:
    return {"verdict": evidence.verdict, "reason": evidence.reason, "policy": evidence.policy}


def _approval(approval: Approval) -> dict[str, str]:
    return {"by": approval.by, "at": _timestamp(approval.at), "ground": approval.ground}


def _named_digest(resource: Any, prefix: str = "") -> dict[str, Any]:
    return {"name": resource["name"].removeprefix(prefix), "sha256": resource["digest"]["sha256"]}


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Validators made of the public contracts; each raises `Broken` and nothing else."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4, DRAFT7

GITLABHQ = "contracts/gitlab/gitlabhq+gitlabhq"
RSPEC = f"{GITLABHQ}/spec/fixtures/api/schemas/public_api/v4"
OPENAPI = "contracts/gitlab/terrateamio+terrateam/api_schemas/gitlab_api/openapi_v2.yaml"
JIRA = "contracts/jira/jarekbird+jira-api-mcp-wrapper/swagger-v3.v3.json"


# Not among the collected schemas; no answer of ours has a runner or a second version.
UNCOLLECTED = frozenset({"runner.json", "runner_manager.json", "package_version.json"})


class Broken(AssertionError):
    """An answer that the contract does not allow."""


def check(validator: Any, answer: object) -> None:
    """Raise `Broken` with every error of an answer."""
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
              for e in validator.iter_errors(answer)]  # fmt: skip
    if errors:
        raise Broken("\n".join(errors))


@cache
def rspec_validator(shared: Path, name: str) -> Any:
    """Return a validator of one of GitLab's own response schemas."""
    path = shared / RSPEC / f"{name}.json"

    def retrieve(uri: str) -> Resource[Any]:
        file = Path(unquote(uri.removeprefix("file://")))
        content = {"type": "object"} if file.name in UNCOLLECTED else json.loads(file.read_text())
        return Resource.from_contents(content, DRAFT4)

    uri = path.as_uri()
    return jsonschema.Draft4Validator(
        {"$ref": uri},
        registry=Registry(retrieve=retrieve),
        format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER,
    )


def hold_to_rspec(shared: Path, name: str, answer: object) -> None:
    """Check an answer against GitLab's schema of this name."""
    check(rspec_validator(shared, name), answer)


@cache
def openapi_definitions(shared: Path) -> dict[str, Any]:
    """Return the definitions of GitLab's generated OpenAPI."""
    text = (shared / OPENAPI).read_text()
    return yaml.load(text, Loader=yaml.CSafeLoader)["definitions"]


TRUSTED = {"integer": int, "boolean": bool, "array": list}


def hold_to_openapi(
    shared: Path, name: str, answer: dict[str, Any], *, required: frozenset[str] = frozenset()
) -> None:
    """Check an answer against GitLab's OpenAPI entity.

    The generated definitions mark nothing as required and call every undocumented type `string`,
    so: every key of ours is known, every recorded key (`required`) that the entity has is there,
    and integers, booleans, arrays and nested entities are what they should be.
    """
    entity = openapi_definitions(shared)[name]["properties"]
    unknown = set(answer) - set(entity)
    missing = (required & set(entity)) - set(answer)
    if unknown or missing:
        raise Broken(f"{name}: unknown {sorted(unknown)}, missing {sorted(missing)}")
    for key, value in answer.items():
        if value is None:
            continue
        wanted = TRUSTED.get(entity[key].get("type", ""))
        if wanted and (not isinstance(value, wanted) or (wanted is int and value is True)):
            raise Broken(f"{name}/{key}: {value!r} is not {entity[key]['type']}")
        if "$ref" in entity[key] and not isinstance(value, dict | list):
            raise Broken(f"{name}/{key}: {value!r} is not an entity")


@cache
def jira_validator(shared: Path, bean: str) -> Any:
    """Return a validator of one of Jira's beans."""
    document = json.loads((shared / JIRA).read_text())
    registry = Registry().with_resource("urn:jira", Resource.from_contents(document, DRAFT7))
    return jsonschema.Draft7Validator(
        {"$ref": f"urn:jira#/components/schemas/{bean}"}, registry=registry
    )


@cache
def jira_properties(shared: Path, bean: str) -> frozenset[str]:
    """Return the names that a bean may have."""
    document = json.loads((shared / JIRA).read_text())
    return frozenset(document["components"]["schemas"][bean]["properties"])


def without_nulls(value: Any) -> Any:
    """Return a JSON value without null members: Jira writes them, its contract leaves them out."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def hold_to_jira(
    shared: Path, bean: str, answer: Any, *, required: frozenset[str] = frozenset()
) -> None:
    """Check an answer against Jira's bean; `required` are the keys that clients read."""
    missing = required - set(answer)
    if missing:
        raise Broken(f"{bean}: missing {sorted(missing)}")
    check(jira_validator(shared, bean), without_nulls(answer))


def shape(value: Any) -> Any:
    """Return the kinds of a JSON value: keys with the kinds of their values, one item of lists."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    if isinstance(value, bool):
        return "boolean"
    return {int: "number", float: "number", str: "string"}.get(type(value), "null")


def hold_to_recording(recorded: Any, answer: Any, where: str = "") -> None:
    """Check that an answer has every key of a recorded payload, with a value of the same kind.

    A null on either side says nothing about the kind.
    """
    if recorded is None or answer is None:
        return
    if shape(recorded) == "null" or isinstance(recorded, dict) != isinstance(answer, dict):
        raise Broken(f"{where}: {answer!r} where {recorded!r} was recorded")
    if isinstance(recorded, dict):
        missing = set(recorded) - set(answer)
        if missing:
            raise Broken(f"{where}: missing {sorted(missing)}")
        for key, value in recorded.items():
            hold_to_recording(value, answer[key], f"{where}/{key}")
    elif isinstance(recorded, list):
        if not isinstance(answer, list):
            raise Broken(f"{where}: {answer!r} is no list")
        for value in answer if recorded else []:
            hold_to_recording(recorded[0], value, f"{where}[]")
    elif shape(recorded) != shape(answer):
        raise Broken(f"{where}: {answer!r} where {recorded!r} was recorded")

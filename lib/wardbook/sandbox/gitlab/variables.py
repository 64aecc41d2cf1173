"""Routes of a project's CI variables."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.gitlab.access import find_project
from wardbook.sandbox.gitlab.arguments import arguments
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter, not_found
from wardbook.sandbox.house import records
from wardbook.sandbox.seed import MAINTAINER
from wardbook.sandbox.store import Body

routes = Blueprint("variables", __name__, url_prefix="/api/v4")
BASE = "/projects/<seg:project>/variables"
KIND = "gitlab.variable"
DEFAULTS: Body = {
    "variable_type": "env_var",
    "protected": False,
    "masked": False,
    "raw": False,
    "environment_scope": "*",
    "description": None,
}


def variable_bean(variable: Body) -> Body:
    """Return a variable."""
    return {n: v for n, v in variable.items() if n != "id"} | {"hidden": False}


def find_variable(project: Body, key: str) -> Body:
    """Return a variable.

    Raises:
        Refused: 404.
    """
    found = records().find(KIND, key, project["id"])
    if found is None:
        raise not_found("Variable")
    return found


@routes.get(BASE)
def list_variables(project: str) -> Response:
    """Return the variables."""
    return paginate(records().all(KIND, find_project(project, MAINTAINER)["id"]), variable_bean)


@routes.post(BASE)
def create(project: str) -> tuple[Response, int]:
    """Make a variable."""
    found = find_project(project, MAINTAINER)
    given = arguments()
    for name in ("key", "value"):
        if given.get(name) is None:
            raise bad_parameter(f"{name} is missing")
    if records().find(KIND, given["key"], found["id"]):
        raise Refused(400, {"key": [f"({given['key']}) has already been taken"]})
    chosen = {n: given.get(n, default) for n, default in DEFAULTS.items()}
    body = {"key": given["key"], "value": given["value"], **chosen}
    return jsonify(
        variable_bean(records().insert(KIND, body, owner=found["id"], key=given["key"]))
    ), 201


@routes.get(f"{BASE}/<seg:key>")
def read(project: str, key: str) -> Response:
    """Return one variable."""
    return jsonify(variable_bean(find_variable(find_project(project, MAINTAINER), key)))


@routes.put(f"{BASE}/<seg:key>")
def edit(project: str, key: str) -> Response:
    """Change a variable."""
    body = find_variable(find_project(project, MAINTAINER), key)
    body |= {n: v for n, v in arguments().items() if n in DEFAULTS or n == "value"}
    records().save(KIND, body)
    return jsonify(variable_bean(body))


@routes.delete(f"{BASE}/<seg:key>")
def delete(project: str, key: str) -> tuple[str, int]:
    """Delete a variable."""
    records().delete(KIND, find_variable(find_project(project, MAINTAINER), key)["id"])
    return "", 204

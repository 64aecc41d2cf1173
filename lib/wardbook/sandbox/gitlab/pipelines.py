"""Routes of pipelines, their triggers and schedules. Nothing runs here: `Sandbox.finish_job`."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from wardbook.sandbox.gitlab.access import asker, find_code, find_project, repository
from wardbook.sandbox.gitlab.arguments import arguments, is_true
from wardbook.sandbox.gitlab.beans import user_bean
from wardbook.sandbox.gitlab.code_beans import pipeline_bean
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter, not_found
from wardbook.sandbox.house import instant, json_body, records
from wardbook.sandbox.seed import DEVELOPER, MAINTAINER
from wardbook.sandbox.store import Body

routes = Blueprint("pipelines", __name__, url_prefix="/api/v4")
PROJECT = "/projects/<seg:project>"
SCHEDULE = f"{PROJECT}/pipeline_schedules/<int:schedule>"


def detail_bean(project: Body, pipeline: Body) -> Body:
    """Return a pipeline whole."""
    return {
        **pipeline_bean(project, pipeline),
        "before_sha": "0" * 40,
        "tag": False,
        "yaml_errors": None,
        "user": user_bean(pipeline["user"]),
        "started_at": None,
        "finished_at": pipeline["finished_at"],
        "committed_at": None,
        "duration": None,
        "queued_duration": None,
        "coverage": None,
        "detailed_status": {"text": pipeline["status"], "group": pipeline["status"]},
    }


def start_pipeline(project: Body, ref: str, source: str, user: int, variables: Body) -> Body:
    """Store a pipeline with one waiting job.

    Raises:
        Refused: 400, there is no such branch or tag.
    """
    sha = repository(project).resolve(ref)
    if sha is None:
        raise Refused(400, {"base": ["Reference not found"]})
    now = instant()
    pipeline = records().insert(
        "gitlab.pipeline",
        {
            "iid": records().number(f"gitlab.pipeline.iid.{project['id']}"),
            "sha": sha,
            "ref": ref,
            "status": "pending",
            "source": source,
            "user": user,
            "variables": variables,
            "created_at": now,
            "updated_at": now,
            "finished_at": None,
        },
        owner=project["id"],
    )
    records().insert(
        "gitlab.job",
        {
            "pipeline": pipeline["id"],
            "status": "pending",
            "created_at": now,
            "finished_at": None,
            "artifacts_size": None,
        },
        owner=project["id"],
    )
    return pipeline


def find_pipeline(project: str, pipeline: int) -> tuple[Body, Body]:
    """Return a project and one of its pipelines.

    Raises:
        Refused: 404.
    """
    found, _ = find_code(project)
    for body in records().all("gitlab.pipeline", found["id"]):
        if body["id"] == pipeline:
            return found, body
    raise not_found()


@routes.get(f"{PROJECT}/pipelines")
def list_pipelines(project: str) -> Response:
    """Return the pipelines, newest first, by ref, sha or status."""
    found, _ = find_code(project)
    pipelines = records().all("gitlab.pipeline", found["id"])[::-1]
    for name in ("ref", "sha", "status", "source"):
        if name in request.args:
            pipelines = [p for p in pipelines if p[name] == request.args[name]]
    return paginate(pipelines, lambda pipeline: pipeline_bean(found, pipeline))


@routes.post(f"{PROJECT}/pipeline")
def create(project: str) -> tuple[Response, int]:
    """Start a pipeline."""
    found, _ = find_code(project, DEVELOPER)
    given = arguments()
    if not given.get("ref"):
        raise bad_parameter("ref is missing")
    variables = {v["key"]: v["value"] for v in given.get("variables") or []}
    pipeline = start_pipeline(found, str(given["ref"]), "api", asker()["id"], variables)
    return jsonify(detail_bean(found, pipeline)), 201


@routes.post(f"{PROJECT}/trigger/pipeline")
def trigger(project: str) -> tuple[Response, int]:
    """Start a pipeline with a trigger's token, which stands for its owner."""
    given = arguments()
    known = records().find("gitlab.trigger", str(given.get("token")))
    owner = known and records().get("account", known["user"])
    if known is None or owner is None:
        raise not_found("Project" if g.account is None else "")
    g.account = owner
    found = find_project(project, DEVELOPER)
    if found["id"] != known["project"]:
        raise not_found()
    variables = dict(given.get("variables") or {})
    pipeline = start_pipeline(found, str(given.get("ref")), "trigger", owner["id"], variables)
    return jsonify(detail_bean(found, pipeline)), 201


@routes.get(f"{PROJECT}/pipelines/<int:pipeline>")
def read(project: str, pipeline: int) -> Response:
    """Return one pipeline."""
    return jsonify(detail_bean(*find_pipeline(project, pipeline)))


@routes.get(f"{PROJECT}/pipelines/<int:pipeline>/variables")
def list_variables(project: str, pipeline: int) -> Response:
    """Return the variables a pipeline was started with."""
    _, body = find_pipeline(project, pipeline)
    rows = [
        {"key": k, "variable_type": "env_var", "value": v} for k, v in body["variables"].items()
    ]
    return jsonify(rows)


@routes.post(f"{PROJECT}/pipelines/<int:pipeline>/cancel")
def cancel(project: str, pipeline: int) -> Response:
    """Stop a pipeline."""
    found, body = find_pipeline(project, pipeline)
    body |= {"status": "canceled", "updated_at": instant()}
    records().save("gitlab.pipeline", body)
    return jsonify(detail_bean(found, body))


@routes.get(f"{PROJECT}/triggers")
def list_triggers(project: str) -> Response:
    """Return the triggers."""
    found = find_project(project, MAINTAINER)
    return paginate(records().all("gitlab.trigger", found["id"]), trigger_bean)


@routes.post(f"{PROJECT}/triggers")
def create_trigger(project: str) -> tuple[Response, int]:
    """Make a trigger with a fresh token."""
    found = find_project(project, MAINTAINER)
    token = f"glptt-{secrets.token_hex(20)}"
    body = records().insert(
        "gitlab.trigger",
        {
            "project": found["id"],
            "user": asker()["id"],
            "token": token,
            "description": str(arguments().get("description") or ""),
            "created_at": instant(),
        },
        owner=found["id"],
        key=token,
    )
    return jsonify(trigger_bean(body)), 201


def trigger_bean(body: Body) -> Body:
    """Return a trigger."""
    return {
        "id": body["id"],
        "description": body["description"],
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
        "last_used": None,
        "token": body["token"],
        "owner": user_bean(body["user"]),
    }


def schedule_bean(body: Body, *, whole: bool = False) -> Body:
    """Return a schedule, with its variables when whole."""
    names = ("id", "description", "ref", "cron", "cron_timezone", "active", "created_at")
    bean = {
        **{name: body[name] for name in names},
        "next_run_at": None,
        "updated_at": body["updated_at"],
        "owner": user_bean(body["owner"]),
    }
    if whole:
        bean |= {"last_pipeline": None, "variables": body["variables"]}
    return bean


def find_schedule(project: str, schedule: int, least: int = DEVELOPER) -> tuple[Body, Body]:
    """Return a project and one of its schedules.

    Raises:
        Refused: 404.
    """
    found = find_project(project, least)
    for body in records().all("gitlab.schedule", found["id"]):
        if body["id"] == schedule:
            return found, body
    raise not_found("Pipeline Schedule")


@routes.get(f"{PROJECT}/pipeline_schedules")
def list_schedules(project: str) -> Response:
    """Return the schedules."""
    found = find_project(project, DEVELOPER)
    return paginate(records().all("gitlab.schedule", found["id"]), schedule_bean)


@routes.post(f"{PROJECT}/pipeline_schedules")
def create_schedule(project: str) -> tuple[Response, int]:
    """Make a schedule."""
    found = find_project(project, DEVELOPER)
    given = arguments()
    for name in ("description", "ref", "cron"):
        if not given.get(name):
            raise bad_parameter(f"{name} is missing")
    if len(str(given["cron"]).split()) != 5:
        raise Refused(400, {"cron": ["is invalid syntax"]})
    body = records().insert(
        "gitlab.schedule",
        {
            "description": given["description"],
            "ref": f"refs/heads/{str(given['ref']).removeprefix('refs/heads/')}",
            "cron": given["cron"],
            "cron_timezone": given.get("cron_timezone") or "UTC",
            "active": is_true(given.get("active", True)),
            "owner": asker()["id"],
            "variables": [],
            "created_at": instant(),
            "updated_at": instant(),
        },
        owner=found["id"],
    )
    return jsonify(schedule_bean(body, whole=True)), 201


@routes.get(SCHEDULE)
def read_schedule(project: str, schedule: int) -> Response:
    """Return one schedule."""
    return jsonify(schedule_bean(find_schedule(project, schedule)[1], whole=True))


@routes.put(SCHEDULE)
def edit_schedule(project: str, schedule: int) -> Response:
    """Change a schedule."""
    _, body = find_schedule(project, schedule)
    names = ("description", "ref", "cron", "cron_timezone", "active")
    body |= {n: v for n, v in arguments().items() if n in names} | {"updated_at": instant()}
    records().save("gitlab.schedule", body)
    return jsonify(schedule_bean(body, whole=True))


@routes.delete(SCHEDULE)
def delete_schedule(project: str, schedule: int) -> tuple[str, int]:
    """Delete a schedule."""
    records().delete("gitlab.schedule", find_schedule(project, schedule)[1]["id"])
    return "", 204


@routes.post(f"{SCHEDULE}/play")
def play_schedule(project: str, schedule: int) -> tuple[Response, int]:
    """Start a schedule's pipeline now."""
    found, body = find_schedule(project, schedule)
    variables: Body = {v["key"]: v["value"] for v in body["variables"]}
    ref = body["ref"].removeprefix("refs/heads/")
    start_pipeline(found, ref, "schedule", asker()["id"], variables)
    return jsonify(message="201 Created"), 201


@routes.post(f"{SCHEDULE}/variables")
def create_schedule_variable(project: str, schedule: int) -> tuple[Response, int]:
    """Give a schedule a variable."""
    _, body = find_schedule(project, schedule)
    given: dict[str, Any] = json_body()
    if any(v["key"] == given.get("key") for v in body["variables"]):
        raise Refused(400, {"variables": [f"have duplicate values ({given.get('key')})"]})
    variable = {
        "key": given.get("key"),
        "value": given.get("value"),
        "variable_type": given.get("variable_type", "env_var"),
        "raw": False,
    }
    body["variables"].append(variable)
    records().save("gitlab.schedule", body)
    return jsonify(variable), 201

"""Project hooks: registration, and delivery in the background after the change is durable.

Only loopback addresses are called. `X-Gitlab-Token` carries the hook's secret token; with a signing
token (`whsec_<base64>` of 32 bytes) the body is signed as Standard Webhooks says.
"""

from __future__ import annotations

import json
import time
import uuid
from functools import partial

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.delivery import deliver, sign, signing_key
from wardbook.sandbox.gitlab.access import asker, find_project
from wardbook.sandbox.gitlab.beans import project_url, simple_project_bean, user_bean
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import bad_parameter, not_found
from wardbook.sandbox.house import after_commit, house, instant, json_body, records
from wardbook.sandbox.seed import MAINTAINER
from wardbook.sandbox.store import Body

routes = Blueprint("hooks", __name__, url_prefix="/api/v4")
EVENTS = (
    "push_events", "tag_push_events", "merge_requests_events", "repository_update_events",
    "issues_events", "confidential_issues_events", "note_events", "confidential_note_events",
    "pipeline_events", "wiki_page_events", "deployment_events", "feature_flag_events",
    "job_events", "releases_events", "emoji_events", "resource_access_token_events",
)  # fmt: skip


def hook_bean(project: Body, hook: Body) -> Body:
    """Return a hook; its secret stays here."""
    return {
        "id": hook["id"],
        "url": hook["url"],
        "name": None,
        "description": None,
        "created_at": hook["created_at"],
        "project_id": project["id"],
        "enable_ssl_verification": True,
        "alert_status": "executable",
        "disabled_until": None,
        "url_variables": [],
        "custom_headers": [],
        "push_events_branch_filter": None,
        "branch_filter_strategy": "wildcard",
        "custom_webhook_template": None,
        **{name: hook["events"][name] for name in EVENTS},
    }


@routes.get("/projects/<seg:project>/hooks")
def list_hooks(project: str) -> Response:
    """Return a project's hooks."""
    found = find_project(project, MAINTAINER)
    return paginate(records().all("gitlab.hook", found["id"]), lambda h: hook_bean(found, h))


@routes.post("/projects/<seg:project>/hooks")
def create(project: str) -> tuple[Response, int]:
    """Register a hook."""
    found = find_project(project, MAINTAINER)
    given = json_body()
    if not given.get("url"):
        raise bad_parameter("url is missing")
    hook = records().insert(
        "gitlab.hook",
        {
            "url": given["url"],
            "token": given.get("token"),
            "signing_token": _signing_token(given),
            "created_at": instant(),
            "events": {name: bool(given.get(name, name == "push_events")) for name in EVENTS},
        },
        owner=found["id"],
    )
    return jsonify(hook_bean(found, hook)), 201


def _signing_token(given: Body) -> str | None:
    """Return the signing token that was asked for.

    Raises:
        Refused: it is not `whsec_` and 32 bytes in Base64.
    """
    token = given.get("signing_token")
    if token and len(signing_key(token)) != 32:
        raise bad_parameter("signing_token is invalid")
    return token or None


def find_hook(project: Body, hook: int) -> Body:
    """Return one hook.

    Raises:
        Refused: 404.
    """
    for body in records().all("gitlab.hook", project["id"]):
        if body["id"] == hook:
            return body
    raise not_found()


@routes.get("/projects/<seg:project>/hooks/<int:hook>")
def read(project: str, hook: int) -> Response:
    """Return one hook."""
    found = find_project(project, MAINTAINER)
    return jsonify(hook_bean(found, find_hook(found, hook)))


@routes.put("/projects/<seg:project>/hooks/<int:hook>")
def edit(project: str, hook: int) -> Response:
    """Change a hook."""
    found = find_project(project, MAINTAINER)
    body = find_hook(found, hook)
    given = json_body()
    body |= {n: given[n] for n in ("url", "token") if n in given}
    if "signing_token" in given:
        body["signing_token"] = _signing_token(given)
    body["events"] |= {n: bool(given[n]) for n in EVENTS if n in given}
    records().save("gitlab.hook", body)
    return jsonify(hook_bean(found, body))


@routes.delete("/projects/<seg:project>/hooks/<int:hook>")
def delete(project: str, hook: int) -> tuple[str, int]:
    """Forget a hook."""
    found = find_project(project, MAINTAINER)
    records().delete("gitlab.hook", find_hook(found, hook)["id"])
    return "", 204


def announce(project: Body, event: str, header: str, payload: Body) -> None:
    """Send an event to the hooks that want it, once this request's changes are durable."""
    hooks = [h for h in records().all("gitlab.hook", project["id"]) if h["events"][event]]
    if not hooks:
        return
    body = json.dumps(payload).encode()
    event_id = str(uuid.uuid4())
    for hook in hooks:
        delivery = str(uuid.uuid4())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitLab/17.9.1-ee",
            "Idempotency-Key": delivery,
            "X-Gitlab-Event": header,
            "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
            "X-Gitlab-Instance": house().gitlab_url,
            "X-Gitlab-Event-UUID": event_id,
        }
        if hook["token"]:
            headers["X-Gitlab-Token"] = hook["token"]
        if hook.get("signing_token"):
            headers |= sign(hook["signing_token"], delivery, int(time.time()), body)
        after_commit(partial(deliver, hook["url"], headers, body))


def payload(project: Body, kind: str, event_type: str) -> Body:
    """Return what every webhook's body begins with."""
    me = asker()
    bean = simple_project_bean(project)
    user = user_bean(me["id"]) or {}
    return {
        "object_kind": kind,
        "event_type": event_type,
        "user": {n: user[n] for n in ("id", "name", "username", "avatar_url")}
        | {"email": me["email"]},
        "project": {
            "id": project["id"],
            "name": project["name"],
            "description": project["description"],
            "web_url": bean["web_url"],
            "avatar_url": None,
            "git_ssh_url": bean["ssh_url_to_repo"],
            "git_http_url": bean["http_url_to_repo"],
            "namespace": bean["namespace"]["name"],
            "visibility_level": 0,
            "path_with_namespace": project["path_with_namespace"],
            "default_branch": project["default_branch"],
            "ci_config_path": None,
            "homepage": bean["web_url"],
            "url": bean["ssh_url_to_repo"],
            "ssh_url": bean["ssh_url_to_repo"],
            "http_url": bean["http_url_to_repo"],
        },
        "repository": {
            "name": project["name"],
            "url": bean["ssh_url_to_repo"],
            "description": project["description"],
            "homepage": bean["web_url"],
        },
    }


def label_parts(project: Body, item: Body) -> list[Body]:
    """Return an item's labels as webhooks show them."""
    known = [records().find("gitlab.label", n, project["id"]) for n in item["labels"]]
    return [
        {
            "id": label["id"],
            "title": label["name"],
            "color": label["color"],
            "project_id": project["id"],
            "created_at": item["created_at"],
            "updated_at": item["updated_at"],
            "template": False,
            "description": label["description"],
            "type": "ProjectLabel",
            "group_id": None,
        }
        for label in known
        if label
    ]


def issue_part(project: Body, issue: Body) -> Body:
    """Return an issue as webhooks show it."""
    return {
        "author_id": issue["author"],
        "closed_at": issue["closed_at"],
        "confidential": issue["confidential"],
        "created_at": issue["created_at"],
        "description": issue["description"],
        "discussion_locked": issue["discussion_locked"],
        "due_date": issue["due_date"],
        "id": issue["id"],
        "iid": issue["iid"],
        "last_edited_at": None,
        "last_edited_by_id": None,
        "milestone_id": None,
        "moved_to_id": None,
        "duplicated_to_id": None,
        "project_id": project["id"],
        "relative_position": None,
        "state_id": 1 if issue["state"] == "opened" else 2,
        "time_estimate": 0,
        "title": issue["title"],
        "updated_at": issue["updated_at"],
        "updated_by_id": None,
        "weight": issue["weight"],
        "url": f"{project_url(project)}/-/issues/{issue['iid']}",
        "total_time_spent": 0,
        "time_change": 0,
        "human_total_time_spent": None,
        "human_time_change": None,
        "human_time_estimate": None,
        "assignee_ids": issue["assignees"],
        "assignee_id": issue["assignees"][0] if issue["assignees"] else None,
        "labels": label_parts(project, issue),
        "state": issue["state"],
        "severity": "unknown",
    }


def announce_issue(project: Body, issue: Body, action: str) -> None:
    """Send an issue event; a confidential one goes to hooks that asked for those."""
    hidden = issue["confidential"]
    body = payload(project, "issue", "confidential_issue" if hidden else "issue")
    body["object_attributes"] = {**issue_part(project, issue), "action": action}
    body["labels"] = label_parts(project, issue)
    body["changes"] = {}
    event = "confidential_issues_events" if hidden else "issues_events"
    announce(project, event, "Confidential Issue Hook" if hidden else "Issue Hook", body)


def announce_note(project: Body, kind: str, item: Body, note: Body) -> None:
    """Send a note event; one on a hidden item goes to hooks that asked for those."""
    hidden = note["internal"] or bool(item.get("confidential"))
    body = payload(project, "note", "confidential_note" if hidden else "note")
    body["project_id"] = project["id"]
    what = "issues" if kind == "gitlab.issue" else "merge_requests"
    body["object_attributes"] = {
        "attachment": None,
        "author_id": note["author"],
        "change_position": None,
        "commit_id": None,
        "created_at": note["created_at"],
        "discussion_id": f"{note['id']:040x}",
        "id": note["id"],
        "internal": note["internal"],
        "line_code": None,
        "note": note["body"],
        "noteable_id": note["noteable_id"],
        "noteable_type": note["noteable_type"],
        "original_position": None,
        "position": None,
        "project_id": project["id"],
        "resolved_at": None,
        "resolved_by_id": None,
        "resolved_by_push": None,
        "st_diff": None,
        "system": False,
        "type": None,
        "updated_at": note["updated_at"],
        "updated_by_id": None,
        "description": note["body"],
        "url": f"{project_url(project)}/-/{what}/{item['iid']}#note_{note['id']}",
        "action": "create",
    }
    if kind == "gitlab.issue":
        body["issue"] = issue_part(project, item)
    else:
        body["merge_request"] = {n: item[n] for n in ("id", "iid", "title", "state")}
    event = "confidential_note_events" if hidden else "note_events"
    announce(project, event, "Confidential Note Hook" if hidden else "Note Hook", body)


def announce_merge_request(project: Body, request_: Body, action: str) -> None:
    """Send a merge request event."""
    body = payload(project, "merge_request", "merge_request")
    names = (
        "id", "iid", "title", "description", "state", "source_branch", "target_branch",
        "created_at", "updated_at", "merge_commit_sha",
    )  # fmt: skip
    body["object_attributes"] = {
        **{n: request_[n] for n in names},
        "author_id": request_["author"],
        "target_project_id": project["id"],
        "source_project_id": project["id"],
        "url": f"{project_url(project)}/-/merge_requests/{request_['iid']}",
        "action": action,
    }
    body["labels"] = label_parts(project, request_)
    body["changes"] = {}
    announce(project, "merge_requests_events", "Merge Request Hook", body)

"""Routes of approvals."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.gitlab.access import find_project
from wardbook.sandbox.gitlab.approving import (
    approvals_bean,
    approve,
    has_approved,
    head_of,
    may_approve,
    unapprove,
)
from wardbook.sandbox.gitlab.arguments import arguments, is_true
from wardbook.sandbox.gitlab.beans import touched
from wardbook.sandbox.gitlab.hooks import announce_merge_request
from wardbook.sandbox.gitlab.merge_requests import find_merge_request
from wardbook.sandbox.gitlab.refusals import Refused, not_found, unauthorized
from wardbook.sandbox.house import json_body, records
from wardbook.sandbox.seed import MAINTAINER
from wardbook.sandbox.store import Body

routes = Blueprint("approvals", __name__, url_prefix="/api/v4")
BASE = "/projects/<seg:project>/merge_requests/<int:iid>"


@routes.get(f"{BASE}/approvals")
def read(project: str, iid: int) -> Response:
    """Return who has approved."""
    found, request_ = find_merge_request(project, iid)
    return jsonify(approvals_bean(found, request_))


@routes.post(f"{BASE}/approve")
def create(project: str, iid: int) -> tuple[Response, int]:
    """Approve, optionally only if the head is still `sha`."""
    found, request_ = find_merge_request(project, iid)
    wanted = arguments().get("sha")
    if wanted and wanted != head_of(found, request_):
        raise Refused(409, "SHA does not match HEAD of source branch: "
                           f"{head_of(found, request_)}")  # fmt: skip
    if not may_approve(found, request_):
        raise unauthorized()
    approve(found, request_)
    records().save("gitlab.mr", touched(request_))
    announce_merge_request(found, request_, "approved")
    return jsonify(approvals_bean(found, request_)), 201


@routes.post(f"{BASE}/unapprove")
def withdraw(project: str, iid: int) -> tuple[Response, int]:
    """Take one's approval back."""
    found, request_ = find_merge_request(project, iid)
    if not has_approved(found, request_):
        raise not_found()
    unapprove(found, request_)
    records().save("gitlab.mr", touched(request_))
    announce_merge_request(found, request_, "unapproved")
    return jsonify(approvals_bean(found, request_)), 201


def settings_bean(project: Body) -> Body:
    """Return a project's approval settings."""
    return {
        "approvals_before_merge": project["approvals_required"],
        "reset_approvals_on_push": True,
        "selective_code_owner_removals": False,
        "disable_overriding_approvers_per_merge_request": False,
        "merge_requests_author_approval": project["merge_requests_author_approval"],
        "merge_requests_disable_committers_approval": False,
        "require_password_to_approve": False,
    }


@routes.get("/projects/<seg:project>/approvals")
def read_settings(project: str) -> Response:
    """Return the approval settings."""
    return jsonify(settings_bean(find_project(project)))


@routes.post("/projects/<seg:project>/approvals")
def change_settings(project: str) -> tuple[Response, int]:
    """Change the approval settings."""
    found = find_project(project, MAINTAINER)
    given = json_body()
    if "merge_requests_author_approval" in given:
        found["merge_requests_author_approval"] = is_true(given["merge_requests_author_approval"])
    if "approvals_before_merge" in given:
        found["approvals_required"] = int(given["approvals_before_merge"])
    records().save("gitlab.project", found)
    return jsonify(settings_bean(found)), 201

"""Approvals of merge requests: who may, who has, and what a push undoes."""

from __future__ import annotations

from wardbook.sandbox.gitlab.access import asker, level, repository
from wardbook.sandbox.gitlab.beans import user_bean
from wardbook.sandbox.gitlab.code_beans import diff_refs
from wardbook.sandbox.gitlab.noting import add_system_note
from wardbook.sandbox.house import instant, records
from wardbook.sandbox.seed import DEVELOPER
from wardbook.sandbox.store import Body

KIND = "gitlab.mr.approval"


def head_of(project: Body, request_: Body) -> str | None:
    """Return the newest commit of a merge request's source."""
    head = diff_refs(request_, repository(project))["head_sha"]
    return None if head is None else str(head)


def standing(project: Body, request_: Body) -> list[Body]:
    """Return the approvals that stand: a push to the source undoes earlier ones."""
    head = head_of(project, request_)
    return [a for a in records().all(KIND, request_["id"]) if a["sha"] == head]


def has_approved(project: Body, request_: Body) -> bool:
    """Tell whether the asking account's approval stands."""
    return any(a["user"] == asker()["id"] for a in standing(project, request_))


def may_approve(project: Body, request_: Body) -> bool:
    """Tell whether the asking account may approve now; an author only where the project says so."""
    if level(project) < DEVELOPER or request_["state"] != "opened":
        return False
    if request_["author"] == asker()["id"] and not project["merge_requests_author_approval"]:
        return False
    return not has_approved(project, request_)


def approve(project: Body, request_: Body) -> None:
    """Store the asking account's approval of the present head, with its system note."""
    for old in records().all(KIND, request_["id"]):
        if old["user"] == asker()["id"]:
            records().delete(KIND, old["id"])
    records().insert(
        KIND,
        {"user": asker()["id"], "sha": head_of(project, request_), "at": instant()},
        owner=request_["id"],
    )
    add_system_note("gitlab.mr", request_, "approved this merge request")


def unapprove(project: Body, request_: Body) -> None:
    """Take the asking account's approval back, with its system note."""
    for approval in standing(project, request_):
        if approval["user"] == asker()["id"]:
            records().delete(KIND, approval["id"])
    add_system_note("gitlab.mr", request_, "unapproved this merge request")


def approvals_bean(project: Body, request_: Body) -> Body:
    """Return the state of a merge request's approvals."""
    approvals = standing(project, request_)
    required = project["approvals_required"]
    left = max(0, required - len(approvals))
    return {
        "id": request_["id"],
        "iid": request_["iid"],
        "project_id": project["id"],
        "title": request_["title"],
        "description": request_["description"],
        "state": request_["state"],
        "created_at": request_["created_at"],
        "updated_at": request_["updated_at"],
        "merge_status": "can_be_merged",
        "approved": left == 0 if required else bool(approvals),
        "approvals_required": required,
        "approvals_left": left,
        "require_password_to_approve": False,
        "approved_by": [{"user": user_bean(a["user"]), "approved_at": a["at"]} for a in approvals],
        "suggested_approvers": [],
        "approvers": [],
        "approver_groups": [],
        "user_has_approved": has_approved(project, request_),
        "user_can_approve": may_approve(project, request_),
        "approval_rules_left": [],
        "has_approval_rules": bool(required),
        "merge_request_approvers_available": True,
        "multiple_approval_rules_available": False,
    }

"""Routes of links between issues."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.gitlab.access import find_project, may_see
from wardbook.sandbox.gitlab.arguments import arguments
from wardbook.sandbox.gitlab.beans import issue_bean, touched_by_note
from wardbook.sandbox.gitlab.issues import KIND, find_issue, is_free, links_of
from wardbook.sandbox.gitlab.noting import add_system_note
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter, not_found
from wardbook.sandbox.house import instant, records
from wardbook.sandbox.store import Body

routes = Blueprint("issue_links", __name__, url_prefix="/api/v4")
INVERSES = {"relates_to": "relates_to", "blocks": "is_blocked_by", "is_blocked_by": "blocks"}


@routes.get("/projects/<seg:project>/issues/<int:iid>/links")
def list_links(project: str, iid: int) -> Response:
    """Return the linked issues that the asking account sees."""
    found = find_project(project)
    issue = find_issue(found, iid)
    beans = []
    for link in links_of(issue["id"]):
        is_source = link["source"] == issue["id"]
        other = link["target"] if is_source else link["source"]
        linked = records().get(KIND, other)
        project_of = records().get("gitlab.project", link["projects"][str(other)])
        if linked and project_of and may_see(project_of, linked):
            kind = link["type"] if is_source else INVERSES[link["type"]]
            beans.append(
                {**issue_bean(project_of, linked), "issue_link_id": link["id"],
                 "link_type": kind, "link_created_at": link["created_at"],
                 "link_updated_at": link["created_at"]}
            )  # fmt: skip
    return jsonify(beans)


@routes.post("/projects/<seg:project>/issues/<int:iid>/links")
def create_link(project: str, iid: int) -> tuple[Response, int]:
    """Link two issues."""
    found = find_project(project)
    issue = find_issue(found, iid)
    given = arguments()
    for name in ("target_project_id", "target_issue_iid"):
        if name not in given:
            raise bad_parameter(f"{name} is missing")
    target_project = find_project(str(given["target_project_id"]))
    target = find_issue(target_project, int(given["target_issue_iid"]))
    kind = given.get("link_type") or "relates_to"
    if kind not in INVERSES:
        raise bad_parameter("link_type does not have a valid value")
    if kind != "relates_to" and is_free(found):
        raise Refused(403, "Blocked issues not available for current license")
    pair = {issue["id"], target["id"]}
    if any({link["source"], link["target"]} == pair for link in links_of(issue["id"])):
        raise Refused(409, "Issue(s) already assigned")
    link = records().insert(
        "gitlab.link",
        {
            "source": issue["id"],
            "target": target["id"],
            "projects": {str(issue["id"]): found["id"], str(target["id"]): target_project["id"]},
            "type": kind,
            "created_at": instant(),
        },
        owner=issue["id"],
        key=str(target["id"]),
    )
    for own, own_project, other, other_project in (
        (issue, found, target, target_project), (target, target_project, issue, found)
    ):  # fmt: skip
        path = "" if own_project == other_project else other_project["path_with_namespace"]
        add_system_note(KIND, own, f"marked this issue as related to {path}#{other['iid']}")
        records().save(KIND, touched_by_note(own))
    return jsonify(link_bean(link)), 201


def link_bean(link: Body) -> Body:
    """Return a link with both issues."""
    bean: Body = {"id": link["id"], "link_type": link["type"]}
    for side in ("source", "target"):
        issue = records().get(KIND, link[side])
        project = records().get("gitlab.project", link["projects"][str(link[side])])
        if issue and project:
            bean[f"{side}_issue"] = issue_bean(project, issue)
    return bean


@routes.delete("/projects/<seg:project>/issues/<int:iid>/links/<int:link>")
def delete_link(project: str, iid: int, link: int) -> Response:
    """Unlink two issues."""
    issue = find_issue(find_project(project), iid)
    known = records().get("gitlab.link", link)
    if known is None or issue["id"] not in (known["source"], known["target"]):
        raise not_found("Issue Link")
    records().delete("gitlab.link", link)
    return jsonify(link_bean(known))

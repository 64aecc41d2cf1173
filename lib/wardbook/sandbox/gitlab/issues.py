"""Routes of issues: list, file, read, change, delete, their links and label events."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.gitlab import labels
from wardbook.sandbox.gitlab.access import asker, find_project, level, may_see
from wardbook.sandbox.gitlab.arguments import arguments, is_true
from wardbook.sandbox.gitlab.beans import (
    api_time,
    issue_bean,
    project_url,
    touched,
    user_bean,
    visible,
)
from wardbook.sandbox.gitlab.filters import choose, order, read_plain
from wardbook.sandbox.gitlab.hooks import announce_issue
from wardbook.sandbox.gitlab.noting import (
    add_system_note,
    apply_text,
    record_mentions,
    set_assignees,
    set_confidential,
    set_due_date,
    set_state,
)
from wardbook.sandbox.gitlab.paging import answer_page, page_size, page_start, paginate
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter, forbidden, invalid, not_found
from wardbook.sandbox.house import instant, records
from wardbook.sandbox.seed import OWNER, REPORTER
from wardbook.sandbox.store import Body

routes = Blueprint("issues", __name__, url_prefix="/api/v4")
KIND = "gitlab.issue"
TITLE_LIMIT = 255
TEXT_LIMIT = 1_048_576


def find_issue(project: Body, iid: int) -> Body:
    """Return an issue that the asking account sees.

    Raises:
        Refused: 404.
    """
    issue = records().find(KIND, str(iid), project["id"])
    if issue is None or not may_see(project, issue):
        raise not_found()
    return issue


@routes.get("/projects/<seg:project>/issues")
def list_issues(project: str) -> Response:
    """Return the issues that meet the filters."""
    found = find_project(project)
    asked = read_plain()
    if asked and level(found) >= REPORTER:
        # Nothing is hidden from the asker: only the rows of this page are read.
        rows, total = records().select(KIND, found["id"], asked, page_size(), page_start())
        return answer_page([issue_bean(found, issue) for issue in rows], total)
    issues = visible(found, records().all(KIND, found["id"]))
    return paginate(order(choose(issues)), lambda issue: issue_bean(found, issue))


@routes.get("/issues")
def list_everywhere() -> Response:
    """Return the issues of all projects that meet the filters; by default one's own."""
    rows = [
        (issue, project)
        for project in records().all("gitlab.project")
        if level(project)
        for issue in visible(project, records().all(KIND, project["id"]))
    ]
    projects = {issue["id"]: project for issue, project in rows}
    issues = [issue for issue, _ in rows]
    return paginate(
        order(choose(issues, "created_by_me")),
        lambda issue: issue_bean(projects[issue["id"]], issue),
    )


def check_title(given: Body) -> str:
    """Return a title.

    Raises:
        Refused: 400, missing, blank or too long.
    """
    if "title" not in given:
        raise bad_parameter("title is missing")
    title = str(given["title"] or "").strip()
    if not title:
        raise invalid(title=["can't be blank"])
    if len(title) > TITLE_LIMIT:
        raise invalid(title=[f"is too long (maximum is {TITLE_LIMIT} characters)"])
    return title


def check_text(text: str) -> str:
    """Return a description that is not too long."""
    if len(text) > TEXT_LIMIT:
        raise invalid(description=[f"is too long (maximum is {TEXT_LIMIT} characters)"])
    return text


@routes.post("/projects/<seg:project>/issues")
def create(project: str) -> tuple[Response, int]:
    """File an issue; its description's quick actions are done."""
    found = find_project(project)
    given = arguments()
    issue = insert_issue(found, given)
    if labels.may_label(found):
        labels.set_labels(found, issue, labels.read_labels(given.get("labels")), KIND)
        set_assignees(KIND, issue, read_assignees(KIND, found, issue, given) or [])
        set_due_date(KIND, issue, given.get("due_date") or None)
    settle_text(found, issue, given.get("description"))
    records().save(KIND, issue)
    announce_issue(found, issue, "open")
    return jsonify(issue_bean(found, issue)), 201


def insert_issue(project: Body, given: Body) -> Body:
    """Store a new issue; only owners choose its number and its date."""
    title = check_title(given)
    owner = level(project) >= OWNER
    now = api_time(given["created_at"]) if owner and given.get("created_at") else instant()
    iid = records().number(f"gitlab.issue.iid.{project['id']}")
    if owner and given.get("iid"):
        iid = int(given["iid"])
        if records().find(KIND, str(iid), project["id"]):
            raise Refused(409, "Duplicated issue")
        records().raise_number(f"gitlab.issue.iid.{project['id']}", iid)
    return records().insert(
        KIND,
        {
            "iid": iid,
            "title": title,
            "description": None,
            "state": "opened",
            "author": asker()["id"],
            "assignees": [],
            "labels": [],
            "confidential": is_true(given.get("confidential", False)),
            "discussion_locked": None,
            "due_date": None,
            "weight": None,
            "created_at": now,
            "updated_at": now,
            "closed_at": None,
            "closed_by": None,
        },
        owner=project["id"],
        key=str(iid),
    )


def settle_text(project: Body, issue: Body, text: str | None) -> None:
    """Store a description without its quick actions, which are done, and note the mentions."""
    if text is None:
        return
    issue["description"], _ = apply_text(KIND, project, issue, check_text(str(text)))
    url = f"{project_url(project)}/-/issues/{issue['iid']}"
    record_mentions(KIND, project, issue, issue["description"], url)


def read_assignees(kind: str, project: Body, item: Body, given: Body) -> list[int] | None:
    """Return the accounts of `assignee_ids` or `assignee_id`; None: nothing is to change.

    As GitLab does: the free tier looks at the first one only, whoever cannot read the item is left
    out, and when nobody remains the argument counts as not given.
    """
    ids = given.get("assignee_ids", given.get("assignee_id"))
    items = ids if isinstance(ids, list) else str(ids or "").split(",")
    numbers = [int(i) for i in items if str(i).isdigit()]
    if is_free(project):
        numbers = numbers[:1]
    if numbers in ([], [0]):
        return []
    return [n for n in numbers if may_read(kind, project, item, n)] or None


def is_free(project: Body) -> bool:
    """Tell whether a project is of the free tier."""
    return bool(project.get("tier", "free") == "free")


def may_read(kind: str, project: Body, item: Body, account_id: int) -> bool:
    """Tell whether an account, if it exists, may read an issue or merge request."""
    account = records().get("account", account_id)
    if account is None:
        return False
    if kind == "gitlab.mr":
        return level(project, account) >= REPORTER
    return may_see(project, item, account)


def links_of(issue_id: int) -> list[Body]:
    """Return the links between an issue and others, in order."""
    found = records().all("gitlab.link", issue_id)
    found += records().all_with_key("gitlab.link", str(issue_id))
    return sorted(found, key=lambda link: int(link["id"]))


@routes.get("/projects/<seg:project>/issues/<int:iid>")
def read(project: str, iid: int) -> Response:
    """Return an issue."""
    found = find_project(project)
    return jsonify(issue_bean(found, find_issue(found, iid)))


@routes.put("/projects/<seg:project>/issues/<int:iid>")
def edit(project: str, iid: int) -> Response:
    """Change an issue; a new description's quick actions are done."""
    found = find_project(project)
    issue = find_issue(found, iid)
    if level(found) < REPORTER and issue["author"] != asker()["id"]:
        raise forbidden()
    given = arguments()
    if not given:
        raise bad_parameter("at least one parameter must be provided")
    before = dict(issue)
    change(found, issue, given)
    if issue != before:
        records().save(KIND, touched(issue))
    announce_issue(found, issue, action_of(given))
    return jsonify(issue_bean(found, issue))


def action_of(given: Body) -> str:
    """Return what a webhook calls this change."""
    return {"close": "close", "reopen": "reopen"}.get(str(given.get("state_event")), "update")


def change(project: Body, issue: Body, given: Body) -> None:
    """Do what an edit asks for; what needs reporter rights is dropped for others."""
    if "title" in given:
        title = check_title(given)
        if title != issue["title"]:
            add_system_note(KIND, issue, f"changed title from **{issue['title']}** to **{title}**")
            issue["title"] = title
    if labels.may_label(project):
        change_labels(project, issue, given, KIND)
        if "assignee_ids" in given or "assignee_id" in given:
            assignees = read_assignees(KIND, project, issue, given)
            set_assignees(KIND, issue, issue["assignees"] if assignees is None else assignees)
        if "due_date" in given:
            set_due_date(KIND, issue, given["due_date"] or None)
        if "confidential" in given:
            set_confidential(KIND, issue, is_true(given["confidential"]))
        if "discussion_locked" in given:
            issue["discussion_locked"] = is_true(given["discussion_locked"])
    if "description" in given and given["description"] != issue["description"]:
        settle_text(project, issue, given["description"])
    change_state(issue, given, KIND)


def change_labels(project: Body, item: Body, given: Body, kind: str) -> None:
    """Apply `labels`, `add_labels` and `remove_labels`."""
    wanted = list(item["labels"])
    if "labels" in given:
        wanted = labels.read_labels(given["labels"])
    wanted = labels.with_labels(wanted, labels.read_labels(given.get("add_labels")))
    gone = labels.read_labels(given.get("remove_labels"))
    labels.set_labels(project, item, [n for n in wanted if n not in gone], kind)


def change_state(item: Body, given: Body, kind: str) -> None:
    """Apply `state_event`.

    Raises:
        Refused: 400, neither `close` nor `reopen`.
    """
    event = given.get("state_event")
    if event is None:
        return
    if event not in ("close", "reopen"):
        raise bad_parameter("state_event does not have a valid value")
    set_state(kind, item, "closed" if event == "close" else "opened")


@routes.delete("/projects/<seg:project>/issues/<int:iid>")
def delete(project: str, iid: int) -> tuple[str, int]:
    """Delete an issue; only owners may."""
    found = find_project(project)
    issue = find_issue(found, iid)
    if level(found) < OWNER:
        raise forbidden()
    for kind in (f"{KIND}.note", f"{KIND}.label_event"):
        for body in records().all(kind, issue["id"]):
            records().delete(kind, body["id"])
    for link in links_of(issue["id"]):
        records().delete("gitlab.link", link["id"])
    records().delete(KIND, issue["id"])
    return "", 204


@routes.get("/projects/<seg:project>/issues/<int:iid>/resource_label_events")
def list_label_events(project: str, iid: int) -> Response:
    """Return when which label came and went."""
    found = find_project(project)
    events = records().all(f"{KIND}.label_event", find_issue(found, iid)["id"])
    return paginate(
        events,
        lambda event: {**event, "resource_type": "Issue", "user": user_bean(event["user"])},
    )

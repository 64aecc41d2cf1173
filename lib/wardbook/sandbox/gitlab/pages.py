"""Plain pages of GitLab: the projects, a project, an issue, a merge request, a file."""

from __future__ import annotations

from flask import Blueprint, g, request
from werkzeug.wrappers import Response

from wardbook.sandbox.gitlab.access import level, may_see, repository
from wardbook.sandbox.gitlab.approving import approvals_bean
from wardbook.sandbox.gitlab.beans import issue_bean, project_url, user_bean, visible
from wardbook.sandbox.gitlab.code_beans import merge_request_bean
from wardbook.sandbox.gitlab.merge_requests import changed_files
from wardbook.sandbox.gitlab.notes import visible_notes
from wardbook.sandbox.house import records
from wardbook.sandbox.pages import become, show, show_not_found
from wardbook.sandbox.seed import REPORTER
from wardbook.sandbox.store import Body

routes = Blueprint("pages", __name__)
routes.post("/persona")(become)
LINE_LIMIT = 400


@routes.get("/")
def index() -> Response:
    """Return the projects that the persona is a member of."""
    projects = [p for p in records().all("gitlab.project") if g.account and level(p)]
    return show("gitlab/index.html", projects=projects)


def find_page_project(path: str) -> Body | None:
    """Return the project at a path, for a member."""
    project = records().find("gitlab.project", path.lower())
    return project if project and g.account and level(project) else None


@routes.get("/<project:path>")
def project_page(path: str) -> Response:
    """Return a project with its issues and merge requests."""
    project = find_page_project(path)
    if project is None:
        return show_not_found()
    issues = visible(project, records().all("gitlab.issue", project["id"]))[::-1]
    requests = records().all("gitlab.mr", project["id"])[::-1] if sees_code(project) else []
    return show(
        "gitlab/project.html",
        project=project,
        clone_url=f"{project_url(project)}.git",
        issues=[issue_bean(project, issue) for issue in issues],
        requests=[merge_request_bean(project, request_) for request_ in requests],
    )


def sees_code(project: Body) -> bool:
    """Tell whether the persona sees the repository."""
    return level(project) >= REPORTER


@routes.get("/<project:path>/-/issues/<int:iid>")
def issue_page(path: str, iid: int) -> Response:
    """Return an issue with its notes."""
    project = find_page_project(path)
    issue = project and records().find("gitlab.issue", str(iid), project["id"])
    if not project or not issue or not may_see(project, issue):
        return show_not_found()
    return show(
        "gitlab/issue.html",
        project=project,
        issue=issue_bean(project, issue),
        notes=note_lines(project, "gitlab.issue", issue),
    )


@routes.get("/<project:path>/-/merge_requests/<int:iid>")
def merge_request_page(path: str, iid: int) -> Response:
    """Return a merge request with its notes, approvals and changed files."""
    project = find_page_project(path)
    request_ = project and records().find("gitlab.mr", str(iid), project["id"])
    if not project or not request_ or not sees_code(project):
        return show_not_found()
    return show(
        "gitlab/merge_request.html",
        project=project,
        request_=merge_request_bean(project, request_),
        approvals=approvals_bean(project, request_),
        changes=[shorten(change) for change in changed_files(project, request_)],
        notes=note_lines(project, "gitlab.mr", request_),
    )


def note_lines(project: Body, kind: str, item: Body) -> list[Body]:
    """Return the notes with their authors, label numbers in system notes replaced by names."""
    names = {
        f"~{label['id']}": label["name"] for label in records().all("gitlab.label", project["id"])
    }
    lines = []
    for note in visible_notes(project, kind, item):
        body = note["body"]
        if note["system"]:
            body = " ".join(names.get(word, word) for word in body.split(" "))
        lines.append({**note, "body": body, "author": user_bean(note["author"])})
    return lines


def shorten(change: Body) -> Body:
    """Return a changed file with its patch as marked lines, long ones cut."""
    marks = {"+": "added", "-": "removed", "@": "place"}
    lines = change["diff"].split("\n")
    return {
        **change,
        "lines": [(marks.get(line[:1], ""), line) for line in lines[:LINE_LIMIT]],
        "cut": max(0, len(lines) - LINE_LIMIT),
    }


@routes.get("/<project:path>/-/blob/<seg:ref>/<slashed:file>")
@routes.get("/<project:path>/-/raw/<seg:ref>/<slashed:file>")
def file_page(path: str, ref: str, file: str) -> Response:
    """Return a file's text; branch names with slashes are written with %2F."""
    project = find_page_project(path)
    if not project or not sees_code(project):
        return show_not_found()
    store = repository(project)
    sha = store.resolve(ref)
    entry = store.entry(sha, file) if sha else None
    if entry is None:
        return show_not_found()
    content = store.blob(entry.sha)
    if "/-/raw/" in request.path:
        answer = Response(content, mimetype="text/plain")
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
    text = content.decode(errors="replace")
    return show("gitlab/file.html", project=project, ref=ref, file=file, text=text)

"""Plain pages of Jira: the list, a ticket, the form that files one."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response

from wardbook.sandbox.house import house, records
from wardbook.sandbox.jira import workflow
from wardbook.sandbox.jira.beans import custom_fields, custom_value
from wardbook.sandbox.jira.comments import add_comment
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.jira.ticket_beans import (
    attachment_bean,
    comment_bean,
    issue_bean,
    visible_comments,
)
from wardbook.sandbox.jira.tickets import create_issue, do_transition, find_issue
from wardbook.sandbox.pages import become, show, show_not_found
from wardbook.sandbox.store import Body

routes = Blueprint("pages", __name__)
routes.post("/persona")(become)


@routes.get("/")
def index() -> Response:
    """Return the list of tickets, the last changed first."""
    wanted = ("summary", "status", "reporter", "updated", "components")
    issues = sorted(
        records().all("jira.issue"), key=lambda i: str(i["fields"]["updated"]), reverse=True
    )
    return show(
        "jira/list.html",
        tickets=[issue_bean(issue, wanted) for issue in issues],
        projects=records().all("jira.project"),
    )


@routes.get("/browse/<key>")
def ticket(key: str) -> Response:
    """Return one ticket."""
    try:
        issue = find_issue(key)
    except Refused:
        return show_not_found()
    return show_ticket(issue)


def show_ticket(issue: Body, wrong: str = "", status: int = 200) -> Response:
    """Return the page of a ticket, with what was wrong in the form below it."""
    custom = [
        {**field, "value": custom_value(field, issue["fields"].get(field["field"]))}
        for field in custom_fields(issue["project"])
    ]
    state = issue["fields"]["status"]
    return show(
        "jira/ticket.html",
        status,
        ticket=issue_bean(issue),
        custom=[field for field in custom if field["value"] not in (None, "")],
        comments=[comment_bean(c) for c in visible_comments(issue["id"])],
        attachments=[attachment_bean(a) for a in records().all("jira.attachment", issue["id"])],
        remote_links=records().all("jira.remotelink", issue["id"]),
        transitions=workflow.list_available(state) if isinstance(state, str) else [],
        resolutions=workflow.RESOLUTIONS,
        wrong=wrong,
    )


@routes.post("/browse/<key>/comment")
def comment(key: str) -> Response:
    """Add a comment from the form below a ticket."""
    issue = find_issue(key)
    try:
        add_comment(issue, {"body": request.form.get("body", "")})
    except Refused as refused:
        return show_ticket(issue, in_words(refused), 422)
    return redirect(f"/browse/{issue['key']}", 303)


@routes.post("/browse/<key>/transition")
def transition(key: str) -> Response:
    """Do a transition from the buttons of a ticket."""
    issue = find_issue(key)
    chosen = workflow.find_transition(request.form.get("transition", ""))
    resolves = chosen is not None and "resolution" in chosen.screen
    given = {"resolution": {"id": request.form.get("resolution")}} if resolves else {}
    try:
        do_transition(issue, chosen.id if chosen else "", given)
    except Refused as refused:
        return show_ticket(issue, in_words(refused), 422)
    return redirect(f"/browse/{issue['key']}", 303)


def in_words(refused: Refused) -> str:
    """Return a refusal as one text."""
    return " ".join([*refused.messages, *refused.fields.values()])


@routes.get("/create")
def form() -> Response:
    """Return the form that files a ticket."""
    return show_form({}, {})


@routes.get("/secure/CreateIssueDetails!init.jspa")
def prefilled_form() -> Response:
    """Return the form filled in as a link of Jira's own form says, by ids of its lists."""
    given: Body = dict(request.args)
    given["component"] = given.pop("components", "")
    pid = request.args.get("pid", "")
    project = records().get("jira.project", int(pid)) if pid.isdigit() else None
    if project is None:
        return show_not_found()
    return show_form(given, {}, project=project["key"])


def show_form(given: Body, wrong: Body, status: int = 200, project: str = "") -> Response:
    """Return the form of a project, filled with `given`, each wrong field with its message."""
    projects = [
        p for p in records().all("jira.project") if records().count("jira.issuetype", p["id"])
    ]
    wanted = project or request.values.get("project", "")
    found = next((p for p in projects if p["key"] == wanted), projects[0] if projects else None)
    if found is None:
        return show_not_found()
    return show(
        "jira/create.html",
        status,
        project=found,
        issue_types=records().all("jira.issuetype", found["id"]),
        components=records().all("jira.component", found["id"]),
        fields=custom_fields(found["id"]),
        given=given,
        wrong=wrong,
    )


@routes.post("/create")
def create() -> Response:
    """File the ticket of the form, as the chosen persona, and go to it."""
    persona = records().find("account", request.form.get("persona", ""))
    if persona and persona["token"]:
        g.account = persona
    project = records().find("jira.project", request.form.get("project", ""))
    if project is None:
        return show_not_found()
    try:
        issue = create_issue(read_form(project))
    except Refused as refused:
        wrong = refused.fields or {"summary": in_words(refused)}
        return show_form(request.form.to_dict(), wrong, 422)
    answer = redirect(f"/browse/{issue['key']}", 303)
    answer.set_cookie("persona", g.account["username"], samesite="Lax")
    return answer


def read_form(project: Body) -> Body:
    """Return the form's fields as the REST API takes them; empty ones are left out."""
    given = {name: value for name, value in request.form.items() if value.strip()}
    fields: Body = {
        "project": {"key": project["key"]},
        "issuetype": {"id": given.get("issuetype", "")},
        "summary": given.get("summary", ""),
    }
    if "description" in given:
        fields["description"] = given["description"]
    if "component" in given:
        fields["components"] = [{"id": given["component"]}]
    for field in custom_fields(project["id"]):
        if field["field"] in given:
            fields[field["field"]] = field_of_form(field, given[field["field"]])
    return fields


def field_of_form(field: Body, text: str) -> object:
    """Return a custom field of the form as the REST API takes it."""
    match field["type"]:
        case "select":
            return {"id": text}
        case "user":
            account = records().find("account", text)
            cloud = house().flavour == "cloud"
            return {"accountId": cloud_name(account)} if cloud else {"name": text}
        case "number":
            try:
                return float(text.replace(",", "."))
            except ValueError:
                return text
    return text


def cloud_name(account: Body | None) -> str:
    """Return the account id that Cloud knows an account by, or nothing."""
    from wardbook.sandbox.jira.beans import cloud_id

    return cloud_id(account) if account else ""

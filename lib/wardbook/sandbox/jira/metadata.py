"""Routes of what a site is: server, users, fields, projects, statuses and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, g, jsonify, request

from wardbook.sandbox.house import house, instant, records
from wardbook.sandbox.jira import workflow
from wardbook.sandbox.jira.beans import (
    api,
    cloud_id,
    component_bean,
    custom_definition,
    custom_fields,
    field_definitions,
    issue_type_bean,
    jira_time,
    priority_bean,
    project_bean,
    resolution_bean,
    status_bean,
    user_bean,
)
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.store import Body

routes = Blueprint("metadata", __name__)
API = "/rest/api/2"
VERSIONS = {"server": "9.12.14", "cloud": "1001.0.0-SNAPSHOT"}


@routes.get(f"{API}/serverInfo")
def server_info() -> Response:
    """Return what the server is."""
    version = VERSIONS[house().flavour]
    return jsonify(
        baseUrl=house().jira_url,
        version=version,
        versionNumbers=[int(n) for n in version.partition("-")[0].split(".")],
        deploymentType="Cloud" if house().flavour == "cloud" else "Server",
        buildNumber=912014,
        buildDate="2024-10-01T00:00:00.000+0000",
        serverTime=jira_time(instant()),
        scmInfo="sandbox",
        serverTitle="Wardbook sandbox",
    )


@routes.get(f"{API}/myself")
def myself() -> Response:
    """Return the asking account with its groups."""
    groups = [
        {"name": name, "self": api(f"group?groupname={name}")} for name in g.account["groups"]
    ]
    return jsonify(
        {
            **(user_bean(g.account["id"]) or {}),
            "locale": "fr_FR",
            "groups": {"size": len(groups), "items": groups},
            "applicationRoles": {"size": 1, "items": []},
            "expand": "groups,applicationRoles",
        }
    )


@routes.get(f"{API}/user")
def user() -> Response:
    """Return a user by `username`, `key` or `accountId`."""
    for account in records().all("account"):
        bean = user_bean(account["id"]) or {}
        if request.args.get("username") == account["username"]:
            return jsonify(bean)
        if request.args.get("key") == bean.get("key", ""):
            return jsonify(bean)
        if request.args.get("accountId") == cloud_id(account):
            return jsonify(bean)
    raise Refused(404, f"The user named '{request.args.get('username')}' does not exist")


@routes.get(f"{API}/user/search")
def user_search() -> Response:
    """Return the users whose name, user name or address begins with the text."""
    text = (request.args.get("username") or request.args.get("query") or "").lower()
    found = [
        user_bean(account["id"])
        for account in records().all("account")
        if text
        and any(str(account[n]).lower().startswith(text) for n in ("username", "name", "email"))
    ]
    start = request.args.get("startAt", 0, int)
    return jsonify(found[start : start + request.args.get("maxResults", 50, int)])


@routes.get(f"{API}/field")
def fields() -> Response:
    """Return every field of the site."""
    return jsonify(field_definitions())


def find_project(key: str) -> Body:
    """Return a project by key or id.

    Raises:
        Refused: 404.
    """
    project = records().find("jira.project", key.upper())
    if project is None and key.isdigit():
        project = records().get("jira.project", int(key))
    if project is None:
        raise Refused(404, f"No project could be found with key '{key}'.")
    return project


@routes.get(f"{API}/project")
def projects() -> Response:
    """Return every project."""
    return jsonify([project_bean(project) for project in records().all("jira.project")])


@routes.get(f"{API}/project/<key>")
def project(key: str) -> Response:
    """Return a project with its issue types and components."""
    found = find_project(key)
    return jsonify(
        {
            "expand": "description,lead,url,projectKeys",
            **project_bean(found),
            "description": "",
            "lead": user_bean(first_account()),
            "components": component_beans(found),
            "issueTypes": issue_type_beans(found),
            "assigneeType": "UNASSIGNED",
            "versions": [],
            "roles": {},
        }
    )


def first_account() -> int | None:
    """Return the id of the first account, who leads the projects."""
    accounts = records().all("account")
    return accounts[0]["id"] if accounts else None


def component_beans(project: Body) -> list[Body]:
    """Return the components of a project."""
    return [
        {**component_bean(c["id"]), "project": project["key"], "projectId": project["id"],
         "assigneeType": "PROJECT_DEFAULT", "isAssigneeTypeValid": False}
        for c in records().all("jira.component", project["id"])
    ]  # fmt: skip


def issue_type_beans(project: Body) -> list[Body]:
    """Return the issue types of a project."""
    return [issue_type_bean(t["id"]) for t in records().all("jira.issuetype", project["id"])]


@routes.get(f"{API}/project/<key>/components")
def components(key: str) -> Response:
    """Return the components of a project."""
    return jsonify(component_beans(find_project(key)))


@routes.get(f"{API}/project/<key>/statuses")
def project_statuses(key: str) -> Response:
    """Return the statuses of each issue type of a project."""
    statuses = [status_bean(status) for status in workflow.STATUSES]
    return jsonify([{**bean, "statuses": statuses} for bean in issue_type_beans(find_project(key))])


@routes.get(f"{API}/project/<key>/versions")
def versions(key: str) -> Response:
    """Return the versions of a project: none."""
    find_project(key)
    return jsonify([])


@routes.get(f"{API}/issue/createmeta/<key>/issuetypes")
def create_meta(key: str) -> Response:
    """Return a page of the issue types that can be created."""
    return page(issue_type_beans(find_project(key)), "issueTypes")


@routes.get(f"{API}/issue/createmeta/<key>/issuetypes/<type_id>")
def create_meta_fields(key: str, type_id: str) -> Response:
    """Return a page of the fields of an issue type's create screen."""
    project = find_project(key)
    if type_id not in [bean["id"] for bean in issue_type_beans(project)]:
        raise Refused(404, f"Issue type with id '{type_id}' does not exist.")
    system = [
        {
            "required": name in ("summary", "issuetype", "project"),
            "schema": definition["schema"],
            "name": definition["name"],
            "fieldId": name,
            "hasDefaultValue": False,
            "operations": ["set"],
        }
        for definition in field_definitions()
        if (name := definition["id"]) in CREATE_SCREEN
    ]
    return page(system + [custom_meta(f) for f in custom_fields(project["id"])], "fields")


CREATE_SCREEN = frozenset(
    {
        "project",
        "issuetype",
        "summary",
        "description",
        "priority",
        "labels",
        "components",
        "duedate",
    }
)


def custom_meta(field: Body) -> Body:
    """Return a custom field as a create screen shows it."""
    meta = {
        "required": False,
        "schema": custom_definition(field)["schema"],
        "name": field["name"],
        "fieldId": field["field"],
        "hasDefaultValue": False,
        "operations": ["set"],
    }
    if field["options"]:
        meta["allowedValues"] = [
            {"self": api(f"customFieldOption/{o['id']}"), **o} for o in field["options"]
        ]
    return meta


def page(values: Sequence[Body], cloud_name: str) -> Response:
    """Return one page of a list: Server calls it `values`, Cloud by what it holds."""
    start = request.args.get("startAt", 0, int)
    size = min(request.args.get("maxResults", 50, int), 200)
    name = cloud_name if house().flavour == "cloud" else "values"
    return jsonify(
        {
            "maxResults": size,
            "startAt": start,
            "total": len(values),
            "isLast": start + size >= len(values),
            name: list(values[start : start + size]),
        }
    )


@routes.get("/rest/applinks/latest/listApplicationlinks")
def application_links() -> Response:
    """Return the application links: none."""
    return jsonify(list=[])


def list_route(path: str, beans: Callable[[], list[Body | None]]) -> None:
    """Add a list and its single entries, which are all read the same way."""

    def whole() -> Response:
        return jsonify(beans())

    def single(id_: str) -> Response:
        for bean in beans():
            if bean and id_ in (bean["id"], bean["name"]):
                return jsonify(bean)
        raise Refused(404, f"The {path} with id '{id_}' does not exist")

    routes.add_url_rule(f"{API}/{path}", f"{path}_list", whole)
    routes.add_url_rule(f"{API}/{path}/<id_>", f"{path}_single", single)


list_route("status", lambda: [status_bean(id_) for id_ in workflow.STATUSES])
list_route("priority", lambda: [priority_bean(id_) for id_ in workflow.PRIORITIES])
list_route("resolution", lambda: [resolution_bean(id_) for id_ in workflow.RESOLUTIONS])
list_route("issuetype", lambda: [issue_type_bean(t["id"]) for t in records().all("jira.issuetype")])
list_route("component", lambda: [component_bean(c["id"]) for c in records().all("jira.component")])

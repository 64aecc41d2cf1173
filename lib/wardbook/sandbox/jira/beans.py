"""What Jira's answers are made of: the beans of users, statuses, fields' values, tickets.

A stored value that is a mapping already (a recorded foreign issue's) is answered as it is.
"""

from __future__ import annotations

from typing import Any

from wardbook.sandbox.house import house, records
from wardbook.sandbox.jira import workflow
from wardbook.sandbox.store import Body

CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"
CUSTOM_TYPES = {
    "select": ("option", CUSTOM + "select"),
    "text": ("string", CUSTOM + "textfield"),
    "textarea": ("string", CUSTOM + "textarea"),
    "date": ("date", CUSTOM + "datepicker"),
    "user": ("user", CUSTOM + "userpicker"),
    "number": ("number", CUSTOM + "float"),
}
SYSTEM_FIELDS = {
    "summary": ("Résumé", "string"),
    "description": ("Description", "string"),
    "issuetype": ("Type de ticket", "issuetype"),
    "project": ("Projet", "project"),
    "status": ("État", "status"),
    "priority": ("Priorité", "priority"),
    "resolution": ("Résolution", "resolution"),
    "resolutiondate": ("Résolue", "datetime"),
    "reporter": ("Rapporteur", "user"),
    "creator": ("Créateur", "user"),
    "assignee": ("Responsable", "user"),
    "labels": ("Étiquettes", "array"),
    "components": ("Composants", "array"),
    "duedate": ("Date d'échéance", "date"),
    "created": ("Création", "datetime"),
    "updated": ("Mise à jour", "datetime"),
    "issuelinks": ("Demandes liées", "array"),
    "attachment": ("Pièce jointe", "array"),
    "comment": ("Commentaire", "comments-page"),
}
NOT_NAVIGABLE = frozenset({"attachment", "comment"})


def api(path: str) -> str:
    """Return the address of a REST resource."""
    return f"{house().jira_url}/rest/api/2/{path}"


def jira_time(instant: str) -> str:
    """Return a stored instant as Jira writes it: `2026-01-31T12:00:00.123+0000`."""
    return instant.replace("Z", "+0000")


def user_bean(account: int | Body | None) -> Body | None:
    """Return a user, by account id; Cloud hides names behind account ids."""
    if account is None or isinstance(account, dict):
        return account
    body = records().get("account", account)
    if body is None:
        return None
    avatars = {
        size: f"{house().jira_url}/static/avatar.svg"
        for size in ("48x48", "24x24", "16x16", "32x32")
    }
    common = {
        "emailAddress": body["email"],
        "avatarUrls": avatars,
        "displayName": body["name"],
        "active": is_active(body),
        "timeZone": body["time_zone"],
    }
    if house().flavour == "cloud":
        account_id = cloud_id(body)
        return {
            "self": api(f"user?accountId={account_id}"),
            "accountId": account_id,
            "accountType": "atlassian",
            **common,
        }
    return {
        "self": api(f"user?username={body['username']}"),
        "key": f"JIRAUSER{body['id'] + 10_000}",
        "name": body["username"],
        **common,
    }


def is_active(account: Body) -> bool:
    """Tell whether an account may sign in and be assigned."""
    return bool(account.get("active", True))


def cloud_id(account: Body) -> str:
    """Return the account id by which Cloud knows an account."""
    return f"557058:{account['id']:08d}-sandbox"


def describe_user(account: Body) -> str:
    """Return the name by which JQL knows an account."""
    return cloud_id(account) if house().flavour == "cloud" else str(account["username"])


def status_bean(status: str | Body) -> Body:
    """Return a status with its category."""
    if isinstance(status, dict):
        return status
    known = workflow.STATUSES[status]
    category = known.category
    return {
        "self": api(f"status/{known.id}"),
        "description": known.description,
        "iconUrl": f"{house().jira_url}/static/status.svg",
        "name": known.name,
        "id": known.id,
        "statusCategory": {
            "self": api(f"statuscategory/{category.id}"),
            "id": category.id,
            "key": category.key,
            "colorName": category.colour,
            "name": category.name,
        },
    }


def priority_bean(priority: str | Body | None) -> Body | None:
    """Return a priority."""
    if priority is None or isinstance(priority, dict):
        return priority
    return {
        "self": api(f"priority/{priority}"),
        "iconUrl": f"{house().jira_url}/static/priority.svg",
        "name": workflow.PRIORITIES[priority],
        "id": priority,
    }


def resolution_bean(resolution: str | Body | None) -> Body | None:
    """Return a resolution."""
    if resolution is None or isinstance(resolution, dict):
        return resolution
    return {
        "self": api(f"resolution/{resolution}"),
        "id": resolution,
        "description": "",
        "name": workflow.RESOLUTIONS[resolution],
    }


def issue_type_bean(issue_type: int | Body) -> Body:
    """Return an issue type."""
    if isinstance(issue_type, dict):
        return issue_type
    body = records().get("jira.issuetype", issue_type)
    return {
        "self": api(f"issuetype/{issue_type}"),
        "id": str(issue_type),
        "description": "",
        "iconUrl": f"{house().jira_url}/static/issuetype.svg",
        "name": body["name"] if body else "",
        "subtask": False,
        "avatarId": 10318,
    }


def component_bean(component: int | Body) -> Body:
    """Return a component."""
    if isinstance(component, dict):
        return component
    body = records().get("jira.component", component)
    name = body["name"] if body else ""
    return {"self": api(f"component/{component}"), "id": str(component), "name": name}


def project_bean(project: Body) -> Body:
    """Return a project as tickets show it."""
    return {
        "self": api(f"project/{project['id']}"),
        "id": str(project["id"]),
        "key": project["key"],
        "name": project["name"],
        "projectTypeKey": "business",
        "avatarUrls": {
            size: f"{house().jira_url}/static/avatar.svg"
            for size in ("48x48", "24x24", "16x16", "32x32")
        },
    }


def field_definitions() -> list[Body]:
    """Return every field of the site, as `/field` lists them."""
    system = [
        {
            "id": key,
            "name": name,
            "custom": False,
            "orderable": key not in ("created", "updated", "status"),
            "navigable": key not in NOT_NAVIGABLE,
            "searchable": True,
            "clauseNames": [key],
            "schema": {
                "type": type_,
                **({"items": "string"} if type_ == "array" else {}),
                "system": key,
            },
        }
        for key, (name, type_) in SYSTEM_FIELDS.items()
    ]
    return system + [custom_definition(body) for body in custom_fields()]


def custom_definition(body: Body) -> Body:
    """Return one custom field, as `/field` lists it."""
    number = int(body["field"].partition("_")[2])
    type_, custom = CUSTOM_TYPES[body["type"]]
    return {
        "id": body["field"],
        "name": body["name"],
        "custom": True,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": [f"cf[{number}]", body["name"]],
        "schema": {"type": type_, "custom": custom, "customId": number},
    }


def custom_fields(project: int | None = None) -> list[Body]:
    """Return the custom fields of a project, or of all; one id appears once."""
    return list({f["field"]: f for f in records().all("jira.field", project)}.values())


def custom_value(field: Body, stored: Any) -> Any:
    """Return a custom field's value as Jira answers it."""
    if stored is None:
        return None
    if field["type"] == "user":
        return user_bean(stored)
    if field["type"] == "select":
        return {"self": api(f"customFieldOption/{stored['id']}"), **stored}
    return stored

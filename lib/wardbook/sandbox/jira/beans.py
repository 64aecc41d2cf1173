"""What Jira's answers are made of: the beans of users, statuses, fields' values, tickets.

A stored value that is a mapping already (a recorded foreign issue's) is answered as it is.
"""

from __future__ import annotations

import html
from collections.abc import Collection
from typing import Any

from flask import g

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
        "active": True,
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


def comment_bean(comment: Body, *, rendered: bool = False) -> Body:
    """Return a comment."""
    bean = {
        "self": api(f"issue/{comment['issue']}/comment/{comment['id']}"),
        "id": str(comment["id"]),
        "author": user_bean(comment["author"]),
        "body": comment["body"],
        "updateAuthor": user_bean(comment["update_author"]),
        "created": jira_time(comment["created"]),
        "updated": jira_time(comment["updated"]),
    }
    if comment["visibility"]:
        bean["visibility"] = comment["visibility"]
    if rendered:
        bean["renderedBody"] = render(comment["body"])
    return bean


def attachment_bean(attachment: Body) -> Body:
    """Return an attachment's metadata."""
    from urllib.parse import quote

    return {
        "self": api(f"attachment/{attachment['id']}"),
        "id": str(attachment["id"]),
        "filename": attachment["filename"],
        "author": user_bean(attachment["author"]),
        "created": jira_time(attachment["created"]),
        "size": attachment["size"],
        "mimeType": attachment["mime_type"],
        "content": f"{house().jira_url}/secure/attachment/{attachment['id']}/"
        + quote(attachment["filename"]),
    }


def may_see(comment: Body) -> bool:
    """Tell whether the asking account may read a comment; roles are groups of the same name."""
    return not comment["visibility"] or comment["visibility"]["value"] in g.account["groups"]


def visible_comments(issue_id: int) -> list[Body]:
    """Return the comments of a ticket that the asking account may read."""
    return [c for c in records().all("jira.comment", issue_id) if may_see(c)]


def link_beans(issue: Body) -> list[Body]:
    """Return the links of a ticket to other tickets."""
    beans = list(issue["fields"].get("issuelinks") or [])
    for link in records().all("jira.link"):
        for side, other in (("inward", "outward"), ("outward", "inward")):
            # In a link "A blocks B", A's ticket shows B as its outward issue.
            if link[side] == issue["id"] and (ticket := records().get("jira.issue", link[other])):
                beans.append(link_bean(link, f"{other}Issue", ticket))
    return beans


def link_bean(link: Body, side: str, ticket: Body) -> Body:
    """Return a link with the ticket at its other end."""
    return {
        "id": str(link["id"]),
        "self": api(f"issueLink/{link['id']}"),
        "type": link_type_bean(link["type"]),
        side: {
            "id": str(ticket["id"]),
            "key": ticket["key"],
            "self": api(f"issue/{ticket['id']}"),
            "fields": {
                "summary": ticket["fields"]["summary"],
                "status": status_bean(ticket["fields"]["status"]),
                "priority": priority_bean(ticket["fields"].get("priority")),
                "issuetype": issue_type_bean(ticket["fields"]["issuetype"]),
            },
        },
    }


def link_type_bean(type_id: str) -> Body:
    """Return a link type."""
    name, inward, outward = workflow.LINK_TYPES[type_id]
    return {
        "id": type_id,
        "name": name,
        "inward": inward,
        "outward": outward,
        "self": api(f"issueLinkType/{type_id}"),
    }


def issue_bean(
    issue: Body, wanted: Collection[str] = ("*all",), expand: Collection[str] = ()
) -> Body:
    """Return a ticket with the wanted fields (`*all`, `*navigable`, names, `-name`)."""
    names = choose_fields(issue, wanted)
    bean: Body = {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog",
        "id": str(issue["id"]),
        "self": api(f"issue/{issue['id']}"),
        "key": issue["key"],
        "fields": {name: field_value(issue, name) for name in names},
    }
    if "renderedFields" in expand:
        bean["renderedFields"] = rendered_fields(issue, names)
    if "changelog" in expand:
        histories = [history_bean(h) for h in issue["changelog"]]
        bean["changelog"] = {
            "startAt": 0,
            "maxResults": len(histories),
            "total": len(histories),
            "histories": histories,
        }
    if "names" in expand:
        bean["names"] = {d["id"]: d["name"] for d in field_definitions() if d["id"] in names}
    return bean


def choose_fields(issue: Body, wanted: Collection[str]) -> list[str]:
    """Return the names of the fields to answer, in order."""
    custom = [f["field"] for f in custom_fields(issue["project"])]
    names = list(dict.fromkeys([*SYSTEM_FIELDS, *custom, *issue["fields"]]))
    asked = {w for w in wanted if not w.startswith("-")}
    dropped = {w[1:] for w in wanted if w.startswith("-")}
    if "*all" not in asked and asked:
        navigable = "*navigable" in asked
        names = [n for n in names if n in asked or (navigable and n not in NOT_NAVIGABLE)]
    return [n for n in names if n not in dropped]


def field_value(issue: Body, name: str) -> Any:
    """Return one field of a ticket as Jira answers it."""
    fields = issue["fields"]
    stored = fields.get(name)
    match name:
        case "project":
            return project_bean(records().get("jira.project", issue["project"]) or {})
        case "issuetype":
            return issue_type_bean(fields["issuetype"])
        case "status":
            return status_bean(fields["status"])
        case "priority":
            return priority_bean(stored)
        case "resolution":
            return resolution_bean(stored)
        case "reporter" | "creator" | "assignee":
            return user_bean(stored)
        case "components":
            return [component_bean(c) for c in stored or []]
        case "labels":
            return stored or []
        case "created" | "updated" | "resolutiondate":
            return jira_time(stored) if stored else None
        case "issuelinks":
            return link_beans(issue)
        case "attachment":
            return [attachment_bean(a) for a in records().all("jira.attachment", issue["id"])]
        case "comment":
            comments = [comment_bean(c) for c in visible_comments(issue["id"])]
            total = len(comments)
            return {"comments": comments, "maxResults": total, "total": total, "startAt": 0}
    custom = records().find("jira.field", name)
    return custom_value(custom, stored) if custom else stored


def rendered_fields(issue: Body, names: list[str]) -> Body:
    """Return the HTML forms of the text fields; others are null, as in Jira."""
    rendered: Body = dict.fromkeys(names)
    if "description" in names:
        rendered["description"] = render(issue["fields"].get("description") or "")
    if "comment" in names:
        rendered["comment"] = {
            "comments": [
                {**comment_bean(c), "body": render(c["body"])}
                for c in visible_comments(issue["id"])
            ]
        }
    return rendered


def render(text: str) -> str:
    """Return text as HTML paragraphs. Wiki markup is left as it is: this is no Jira renderer."""
    if not text:
        return ""
    return "<p>" + html.escape(text).replace("\r", "").replace("\n", "<br/>\n") + "</p>"


def history_bean(history: Body) -> Body:
    """Return one entry of a ticket's change log."""
    return {
        "id": str(history["id"]),
        "author": user_bean(history["author"]),
        "created": jira_time(history["created"]),
        "items": history["items"],
    }

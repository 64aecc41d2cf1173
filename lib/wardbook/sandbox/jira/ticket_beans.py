"""What Jira's answers about tickets are made of: fields, comments, attachments, links."""

from __future__ import annotations

import html
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from flask import g

from wardbook.sandbox.house import house, records
from wardbook.sandbox.jira import workflow
from wardbook.sandbox.jira.beans import (
    NOT_NAVIGABLE,
    SYSTEM_FIELDS,
    api,
    component_bean,
    custom_fields,
    custom_value,
    field_definitions,
    issue_type_bean,
    jira_time,
    priority_bean,
    project_bean,
    resolution_bean,
    status_bean,
    user_bean,
)
from wardbook.sandbox.store import Body

INTERNAL = "sd.public.comment"


def is_internal(comment: Body) -> bool:
    """Tell whether a comment of a service desk is for its agents only."""
    mark = comment["properties"].get(INTERNAL)
    return isinstance(mark, dict) and mark.get("internal") is True


def is_service_desk(issue_id: int) -> bool:
    """Tell whether a ticket is of a service desk."""
    issue = records().get("jira.issue", issue_id) or {}
    project = records().get("jira.project", issue.get("project", 0)) or {}
    return bool(project.get("service_desk"))


def comment_bean(comment: Body, expand: Collection[str] = ()) -> Body:
    """Return a comment.

    Cloud says of every comment whether it is public; Server does so in service desks only.
    """
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
    if house().flavour == "cloud" or is_service_desk(comment["issue"]):
        bean["jsdPublic"] = not is_internal(comment)
    if "renderedBody" in expand:
        bean["renderedBody"] = render(comment["body"])
    if "properties" in expand:
        bean["properties"] = [{"key": k, "value": v} for k, v in comment["properties"].items()]
    return bean


def attachment_bean(attachment: Body) -> Body:
    """Return an attachment's metadata."""
    return {
        "self": api(f"attachment/{attachment['id']}"),
        "id": str(attachment["id"]),
        "filename": attachment["filename"],
        "author": user_bean(attachment["author"]),
        "created": jira_time(attachment["created"]),
        "size": attachment["size"],
        "mimeType": attachment["mime_type"],
        "content": attachment.get("content") or content_address(attachment),
    }


def content_address(attachment: Body) -> str:
    """Return where the content of an attachment is downloaded."""
    if house().flavour == "cloud":
        return api(f"attachment/content/{attachment['id']}")
    name = quote(attachment["filename"])
    return f"{house().jira_url}/secure/attachment/{attachment['id']}/{name}"


def may_see(comment: Body) -> bool:
    """Tell whether the asking account may read a comment; roles are groups of the same name."""
    return not comment["visibility"] or comment["visibility"]["value"] in g.account["groups"]


def visible_comments(issue_id: int) -> list[Body]:
    """Return the comments of a ticket that the asking account may read."""
    return [c for c in records().all("jira.comment", issue_id) if may_see(c)]


def links_of(issue: Body) -> list[Body]:
    """Return the links between a ticket and others, in order; both ends are looked up by index."""
    inward = records().all("jira.link", issue["id"])
    outward = records().all_with_key("jira.link", str(issue["id"]))
    return sorted({link["id"]: link for link in inward + outward}.values(), key=lambda li: li["id"])


def link_beans(issue: Body) -> list[Body]:
    """Return the links of a ticket to other tickets, those to tickets elsewhere first."""
    beans = list(issue["fields"].get("issuelinks") or [])
    for link in links_of(issue):
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


def link_type_bean(type_id: str | Body) -> Body:
    """Return a link type."""
    if isinstance(type_id, dict):
        return type_id
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

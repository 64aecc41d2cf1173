"""JQL searches: Server's pages by offset, Cloud's by token, over an index that may lag."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, jsonify, request

from wardbook.sandbox.house import house, json_body, moment, now, records
from wardbook.sandbox.jira import jql
from wardbook.sandbox.jira.beans import custom_fields, describe_user
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.jira.ticket_beans import field_value, issue_bean
from wardbook.sandbox.jira.tickets import find_by_key, seen_versions
from wardbook.sandbox.store import Body

routes = Blueprint("search", __name__, url_prefix="/rest/api/2")
PAGE_CAP = 100
COMMENT_CAP = 20
ALIASES = {
    "issuekey": "key",
    "issue": "key",
    "id": "key",
    "component": "components",
    "type": "issuetype",
    "due": "duedate",
    "resolved": "resolutiondate",
}
PLAIN_FIELDS = frozenset(
    {
        "project", "key", "updated", "created", "status", "statuscategory", "labels", "components",
        "assignee", "reporter", "creator", "issuetype", "priority", "resolution", "duedate",
        "resolutiondate", "summary", "description", "text",
    }
)  # fmt: skip
TEXT_FIELDS = frozenset({"summary", "description", "text"})


def search(query: jql.Query) -> list[Body]:
    """Return the tickets that the index shows for a query, as they are now, in order."""
    found = [issue for issue in indexed_issues() if holds(query.condition, issue)]
    for field, descends in reversed(query.order):
        found.sort(key=sort_key(field), reverse=descends)
    present = (records().get("jira.issue", issue["id"]) for issue in found)
    return [issue for issue in present if issue]


def indexed_issues() -> list[Body]:
    """Return every ticket as the search index knows it, newest key first."""
    issues = records().all("jira.issue")
    lag = house().index_lag_seconds
    if lag > 0:
        horizon = time.time() - lag
        seen = [seen_versions(records(), issue["id"], horizon) for issue in issues]
        issues = [versions[-1]["issue"] for versions in seen if versions]
    return sorted(issues, key=lambda issue: -int(issue["id"]))


def sort_key(name: str) -> Callable[[Body], Any]:
    """Return how tickets are put in order by a field; empty values last."""
    field = resolve(name)
    if field == "key":
        return lambda issue: (issue["key"].rpartition("-")[0], int(issue["key"].rpartition("-")[2]))

    def key(issue: Body) -> Any:
        values = read(issue, field)
        return (not values, values[0] if values else "")

    return key


def resolve(name: str) -> str:
    """Return the field that a JQL name means.

    Raises:
        jql.JqlError: there is none.
    """
    lowered = ALIASES.get(name.lower(), name.lower())
    if lowered in PLAIN_FIELDS:
        return lowered
    for custom in custom_fields():
        number = custom["field"].partition("_")[2]
        if lowered in (f"cf[{number}]", custom["field"], custom["name"].lower()):
            return str(custom["field"])
    raise jql.JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")


def read(issue: Body, field: str) -> list[str]:
    """Return the texts by which a field of a ticket is compared."""
    match field:
        case "key":
            return [issue["key"]]
        case "project":
            bean = field_value(issue, "project")
            return [bean["key"], bean["name"], bean["id"]]
        case "statuscategory":
            category = field_value(issue, "status")["statusCategory"]
            return [category["name"], category["key"], str(category["id"])]
        case "text":
            fields = issue["fields"]
            return [fields["summary"], fields.get("description") or ""]
        case "updated" | "created" | "resolutiondate" | "duedate":
            return [issue["fields"][field]] if issue["fields"].get(field) else []
    value = field_value(issue, field)
    return [
        text for item in (value if isinstance(value, list) else [value]) for text in texts(item)
    ]


def texts(value: Any) -> list[str]:
    """Return the names by which one value may be called."""
    if value is None:
        return []
    if isinstance(value, dict):
        names = ("name", "value", "accountId", "emailAddress", "displayName", "key", "id")
        return [str(value[name]) for name in names if value.get(name)]
    return [str(value)]


def holds(condition: jql.Condition | None, issue: Body) -> bool:
    """Tell whether a ticket meets a condition."""
    match condition:
        case None:
            return True
        case jql.Both(parts):
            return all(holds(part, issue) for part in parts)
        case jql.Either(parts):
            return any(holds(part, issue) for part in parts)
        case jql.Not(part):
            return not holds(part, issue)
        case jql.Clause():
            return clause_holds(condition, issue)


def clause_holds(clause: jql.Clause, issue: Body) -> bool:
    """Tell whether a ticket meets one clause."""
    field = resolve(clause.field)
    values = read(issue, field)
    operator = clause.operator
    if operator in ("is", "is not"):
        return bool(values) == (operator == "is not")
    if operator in ("~", "!~"):
        found = any(clause.values[0].lower().strip("*") in v.lower() for v in values)
        return found == (operator == "~")
    if field in jql.DATE_FIELDS:
        return bool(values) and date_holds(clause, values[0])
    wanted = {describe_user(g.account) if v == "currentuser()" else v for v in clause.values}
    if field == "key":
        wanted = {known["key"] for v in wanted if (known := find_by_key(records(), v))}
    matches = bool({v.lower() for v in values} & {w.lower() for w in wanted})
    if operator in ("=", "in"):
        return matches
    if operator in ("!=", "not in"):
        return bool(values) and not matches
    if field == "key":
        own, other = (int(k.rpartition("-")[2] or 0) for k in (issue["key"], clause.values[0]))
        return jql.compare(operator, own, other)
    return bool(values) and jql.compare(operator, values[0], clause.values[0])


def date_holds(clause: jql.Clause, value: str) -> bool:
    """Compare a date field, read in the asking account's time zone, to the minute."""
    zone = ZoneInfo(g.account["time_zone"])
    present = now()
    own = moment(value) if "T" in value else moment(value).replace(tzinfo=zone)
    wanted = [jql.read_date(clause.field, text, zone, present) for text in clause.values]
    if clause.operator in ("in", "not in"):
        return (own in wanted) == (clause.operator == "in")
    return jql.compare(clause.operator, own, wanted[0])


def check(condition: jql.Condition | None) -> None:
    """Refuse what Jira refuses before it looks at any ticket.

    Raises:
        jql.JqlError: an unknown field, operator for it, or value.
    """
    match condition:
        case jql.Both(parts) | jql.Either(parts):
            for part in parts:
                check(part)
        case jql.Not(part):
            check(part)
        case jql.Clause():
            check_clause(condition)


def check_clause(clause: jql.Clause) -> None:
    """Refuse an unknown field, a wrong operator, a bad date or a value that is not there."""
    field = resolve(clause.field)
    if clause.operator in ("~", "!~") and field not in TEXT_FIELDS | {
        c["field"] for c in custom_fields() if c["type"] in ("text", "textarea")
    }:
        raise jql.JqlError(
            f"The operator '{clause.operator}' is not supported by the '{clause.field}' field."
        )
    if clause.operator in ("is", "is not", "~", "!~"):
        return
    for value in clause.values:
        if field in jql.DATE_FIELDS:
            jql.read_date(clause.field, value, ZoneInfo("UTC"), now())
        elif field in ("project", "status", "issuetype", "key") and not exists(field, value):
            raise jql.JqlError(missing(field, clause.field, value))


def missing(field: str, name: str, value: str) -> str:
    """Return what Jira says of a value that is not there."""
    if field == "key":
        return f"An issue with key '{value}' does not exist for field '{name}'."
    return f"The value '{value}' does not exist for the field '{name}'."


def exists(field: str, value: str) -> bool:
    """Tell whether a value names something of the site."""
    if field == "key":
        return find_by_key(records(), value) is not None
    if field == "project":
        projects = records().all("jira.project")
        return any(
            value.lower() in (p["key"].lower(), p["name"].lower(), str(p["id"])) for p in projects
        )
    if field == "issuetype":
        return any(
            value.lower() in (t["name"].lower(), str(t["id"]))
            for t in records().all("jira.issuetype")
        ) or any(value in read(i, field) for i in records().all("jira.issue"))
    from wardbook.sandbox.jira.workflow import STATUSES

    known = {s.name.lower() for s in STATUSES.values()} | set(STATUSES)
    return value.lower() in known or any(
        value in read(i, field) for i in records().all("jira.issue")
    )


def answer_query(text: str) -> tuple[jql.Query, list[Body]]:
    """Parse, check and run a query.

    Raises:
        Refused: 400 with Jira's words.
    """
    try:
        query = jql.parse(text)
        check(query.condition)
        return query, search(query)
    except jql.JqlError as error:
        raise Refused(400, str(error)) from None


def asked() -> Body:
    """Return the search's arguments, from the body of a POST or the address of a GET."""
    if request.method == "POST":
        return json_body()
    arguments: Body = {name: request.args[name] for name in request.args}
    for name in ("fields", "expand"):
        arguments[name] = [p for v in request.args.getlist(name) for p in v.split(",") if p]
    return arguments


def expansions(arguments: Body) -> list[str]:
    """Return the wanted expansions, given as a list or with commas."""
    given = arguments.get("expand") or []
    return given.split(",") if isinstance(given, str) else given


def number(arguments: Body, name: str, default: int) -> int:
    """Return a number among the arguments.

    Raises:
        Refused: 400.
    """
    try:
        return default if arguments.get(name) is None else int(arguments[name])
    except (TypeError, ValueError):
        raise Refused(400, f"The value of '{name}' is not a number.") from None


@routes.route("/search", methods=["GET", "POST"])
def search_by_offset() -> Response:
    """Search as Server and Data Center do."""
    if house().flavour == "cloud":
        raise Refused(
            410,
            "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",
        )
    arguments = asked()
    _, found = answer_query(arguments.get("jql") or "")
    start = max(0, number(arguments, "startAt", 0))
    size = number(arguments, "maxResults", 50)
    size = PAGE_CAP if size < 0 else min(size, PAGE_CAP)
    wanted = arguments.get("fields") or ["*navigable"]
    expand = expansions(arguments)
    return jsonify(
        expand="schema,names",
        startAt=start,
        maxResults=size,
        total=len(found),
        issues=[issue_bean(issue, wanted, expand) for issue in found[start : start + size]],
    )


@routes.route("/search/jql", methods=["GET", "POST"])
def search_by_token() -> Response:
    """Search as Cloud does: no total, the next page by an opaque token."""
    if house().flavour == "server":
        raise Refused(404, "null for uri: " + request.url)
    arguments = asked()
    text = arguments.get("jql") or ""
    query, found = answer_query(text)
    if query.condition is None:
        raise Refused(
            400,
            "Unbounded JQL queries are not allowed here. "
            "Please add a search restriction to your query.",
        )
    start = read_token(arguments.get("nextPageToken"), text)
    size = max(1, min(number(arguments, "maxResults", 50), PAGE_CAP))
    wanted = arguments.get("fields") or ["id"]
    expand = expansions(arguments)
    end = start + size
    body: Body = {"issues": [shorten(issue_bean(i, wanted, expand)) for i in found[start:end]]}
    body["isLast"] = end >= len(found)
    if not body["isLast"]:
        body["nextPageToken"] = write_token(end, text)
    return jsonify(body)


def shorten(bean: Body) -> Body:
    """Keep as many comments of a found ticket as Cloud's search gives; `total` counts all."""
    page = bean["fields"].get("comment")
    if page:
        page |= {"comments": page["comments"][:COMMENT_CAP], "maxResults": COMMENT_CAP}
    return bean


def write_token(start: int, text: str) -> str:
    """Return the token of the page that begins at `start` of this query."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return base64.urlsafe_b64encode(json.dumps([start, digest]).encode()).decode()


def read_token(token: str | None, text: str) -> int:
    """Return where a page begins.

    Raises:
        Refused: 400, the token is not of this query.
    """
    if not token:
        return 0
    try:
        start, digest = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        start, digest = 0, ""
    if digest != hashlib.sha256(text.encode()).hexdigest()[:16]:
        raise Refused(400, "The provided next page token is invalid or expired.")
    return int(start)

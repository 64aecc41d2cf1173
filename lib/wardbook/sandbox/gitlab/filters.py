"""Filters and order of lists of issues and merge requests."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request

from wardbook.sandbox.gitlab import labels
from wardbook.sandbox.gitlab.arguments import is_true
from wardbook.sandbox.gitlab.refusals import bad_parameter
from wardbook.sandbox.house import moment, records
from wardbook.sandbox.store import Body


def choose(issues: list[Body]) -> list[Body]:
    """Return the issues or merge requests that meet the query's filters."""
    args = request.args
    state = args.get("state", "all")
    if state not in ("all", "opened", "closed", "merged", "locked"):
        raise bad_parameter("state does not have a valid value")
    if state != "all":
        issues = [i for i in issues if i["state"] == state]
    wanted = labels.read_labels(args.get("labels") or args.getlist("labels[]"))
    if wanted:
        issues = [i for i in issues if has_labels(i, wanted)]
    for name, field, later in TIME_FILTERS:
        if name in args:
            issues = [i for i in issues if is_beyond(i[field], args[name], name, later)]
    iids = args.getlist("iids[]") + [p for v in args.getlist("iids") for p in v.split(",")]
    if iids:
        issues = [i for i in issues if str(i["iid"]) in iids]
    if "author_id" in args:
        issues = [i for i in issues if str(i["author"]) == args["author_id"]]
    for name, field in (("author_username", "author"), ("assignee_username", "assignees")):
        if name in args:
            account = records().find("account", args[name]) or {"id": 0}
            issues = [i for i in issues if account["id"] in ids_of(i[field])]
    if "confidential" in args:
        wanted_flag = is_true(args["confidential"])
        issues = [i for i in issues if i.get("confidential", False) == wanted_flag]
    if args.get("search"):
        text = args["search"].lower()
        issues = [i for i in issues if text in f"{i['title']}\n{i['description'] or ''}".lower()]
    return issues


def ids_of(value: int | list[int]) -> list[int]:
    """Return one or several account ids as a list."""
    return value if isinstance(value, list) else [value]


TIME_FILTERS = (
    ("updated_after", "updated_at", True),
    ("updated_before", "updated_at", False),
    ("created_after", "created_at", True),
    ("created_before", "created_at", False),
)


def is_beyond(own: str, asked: str, name: str, later: bool) -> bool:
    """Compare two times, both ends included."""
    try:
        limit = moment(asked)
    except ValueError:
        raise bad_parameter(f"{name} is invalid") from None
    return moment(own) >= limit if later else moment(own) <= limit


def has_labels(item: Body, wanted: list[str]) -> bool:
    """Tell whether an item has all labels; `None` and `Any` are special, `a::*` any of a scope."""
    own = item["labels"]
    if wanted == ["None"]:
        return not own
    if wanted == ["Any"]:
        return bool(own)
    return all(
        any(label.startswith(name[:-1]) for label in own) if name.endswith("::*") else name in own
        for name in wanted
    )


def order(items: Iterable[Body]) -> list[Body]:
    """Return items in the asked order, newest first by default."""
    field = request.args.get("order_by", "created_at")
    if field not in ("created_at", "updated_at", "due_date", "title", "priority"):
        raise bad_parameter("order_by does not have a valid value")
    field = "created_at" if field == "priority" else field
    return sorted(
        items,
        key=lambda item: (item.get(field) or "", item["id"]),
        reverse=request.args.get("sort", "desc") != "asc",
    )

"""Filters and order of lists of issues and merge requests."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request

from wardbook.sandbox.gitlab import labels
from wardbook.sandbox.gitlab.access import asker
from wardbook.sandbox.gitlab.arguments import is_true
from wardbook.sandbox.gitlab.refusals import bad_parameter
from wardbook.sandbox.house import moment, records, stamp
from wardbook.sandbox.store import Body, Condition, Order, Selection

# Name, field, whether it must be later; both ends are included.
TIME_FILTERS: tuple[tuple[Condition, str, bool], ...] = (
    ("updated_after", "updated_at", True),
    ("updated_before", "updated_at", False),
    ("created_after", "created_at", True),
    ("created_before", "created_at", False),
)
STAMPS = ("created_at", "updated_at")
PLAIN = frozenset({"page", "per_page", "state", "scope", "order_by", "sort"}) | {
    name for name, _, _ in TIME_FILTERS
}


def read_plain() -> Selection | None:
    """Return the query as one that the database answers; None: it asks for more than that.

    Raises:
        Refused: 400, a bad value.
    """
    args = request.args
    if not PLAIN.issuperset(args) or args.get("order_by") not in (None, *STAMPS):
        return None
    conditions: list[tuple[Condition, object]] = []
    if (state := read_state()) != "all":
        conditions.append(("state", state))
    if (scope := read_scope("all")) == "created_by_me":
        conditions.append(("author", asker()["id"]))
    elif scope != "all":
        return None
    for name, _, _ in TIME_FILTERS:
        if name in args:
            conditions.append((name, read_time(name)))
    order_by: Order = "updated_at" if args.get("order_by") == "updated_at" else "created_at"
    return Selection(tuple(conditions), order_by, args.get("sort", "desc") != "asc")


def read_state() -> str:
    """Return the wanted state.

    Raises:
        Refused: 400.
    """
    state = request.args.get("state", "all")
    if state not in ("all", "opened", "closed", "merged", "locked"):
        raise bad_parameter("state does not have a valid value")
    return state


def read_scope(default: str) -> str:
    """Return whose items are wanted: all, or those that the asking account wrote or works on.

    Raises:
        Refused: 400.
    """
    scope = request.args.get("scope", default).replace("-", "_")
    if scope not in ("all", "created_by_me", "assigned_to_me"):
        raise bad_parameter("scope does not have a valid value")
    return scope


def choose(issues: list[Body], scope: str = "all") -> list[Body]:
    """Return the issues or merge requests that meet the query's filters.

    `scope` is whose items are meant when the query does not say.
    """
    args = request.args
    scope = read_scope(scope)
    if scope != "all":
        field = "author" if scope == "created_by_me" else "assignees"
        issues = [i for i in issues if asker()["id"] in ids_of(i[field])]
    if (state := read_state()) != "all":
        issues = [i for i in issues if i["state"] == state]
    wanted = labels.read_labels(args.get("labels") or args.getlist("labels[]"))
    if wanted:
        issues = [i for i in issues if has_labels(i, wanted)]
    for condition, field, later in TIME_FILTERS:
        if condition in args:
            limit = read_time(condition)
            issues = [i for i in issues if (i[field] >= limit if later else i[field] <= limit)]
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


def read_time(name: str) -> str:
    """Return a time of the query in the form in which times are stored, which sort as text.

    Raises:
        Refused: 400.
    """
    try:
        return stamp(moment(request.args[name]))
    except ValueError:
        raise bad_parameter(f"{name} is invalid") from None


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

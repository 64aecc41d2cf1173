"""Writes notes, people's and the system's, and does what quick actions ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from wardbook.sandbox.gitlab import labels
from wardbook.sandbox.gitlab.access import asker, level, may_see
from wardbook.sandbox.gitlab.mentions import mentioned_accounts
from wardbook.sandbox.gitlab.quick_actions import (
    Action,
    extract,
    read_label_names,
    read_user_names,
)
from wardbook.sandbox.house import instant, records
from wardbook.sandbox.seed import DEVELOPER, REPORTER
from wardbook.sandbox.store import Body

TYPES = {"gitlab.issue": "Issue", "gitlab.mr": "MergeRequest"}


def add_note(
    kind: str, item: Body, body: str, *, internal: bool = False, created_at: str | None = None
) -> Body:
    """Store a person's note."""
    return insert_note(kind, item, body, system=False, internal=internal, created_at=created_at)


def add_system_note(kind: str, item: Body, body: str) -> None:
    """Store what the system says about a change."""
    insert_note(kind, item, body, system=True, internal=False, created_at=None)


def insert_note(
    kind: str, item: Body, body: str, *, system: bool, internal: bool, created_at: str | None
) -> Body:
    """Store a note of an issue or merge request."""
    now = created_at or instant()
    # Notes of issues and of merge requests share one row of ids, as in GitLab.
    return records().insert(
        f"{kind}.note",
        {
            "id": records().number("gitlab.note"),
            "body": body,
            "author": asker()["id"],
            "created_at": now,
            "updated_at": now,
            "system": system,
            "internal": internal,
            "noteable_id": item["id"],
            "noteable_iid": item["iid"],
            "noteable_type": TYPES[kind],
        },
        owner=item["id"],
    )


def set_state(kind: str, item: Body, state: str) -> None:
    """Open or close an issue or merge request, with its system note."""
    if item["state"] == state or item["state"] == "merged":
        return
    closed = state == "closed"
    item["state"] = state
    item["closed_at"] = instant() if closed else None
    item["closed_by"] = asker()["id"] if closed else None
    add_system_note(kind, item, "closed" if closed else "reopened")


def set_confidential(kind: str, item: Body, wanted: bool) -> None:
    """Hide or show an issue, with its system note."""
    if kind == "gitlab.issue" and item["confidential"] != wanted:
        item["confidential"] = wanted
        add_system_note(
            kind,
            item,
            "made the issue confidential" if wanted else "made the issue visible to everyone",
        )


def set_assignees(kind: str, item: Body, users: list[int]) -> None:
    """Assign people, with the system note."""
    if item["assignees"] == users:
        return
    item["assignees"] = users
    names = " and ".join(f"@{a['username']}" for u in users if (a := records().get("account", u)))
    add_system_note(kind, item, f"assigned to {names}" if names else "removed all assignees")


def set_due_date(kind: str, item: Body, due: str | None) -> None:
    """Set the day by which an issue is due, with the system note."""
    if item.get("due_date") != due:
        item["due_date"] = due
        add_system_note(kind, item, f"changed due date to {due}" if due else "removed due date")


def apply_text(kind: str, project: Body, item: Body, text: str) -> tuple[str, list[str]]:
    """Do the quick actions of a text; return the text without them, and what was said of each."""
    cleaned, actions = extract(text)
    said = [apply_action(kind, project, item, action) for action in actions]
    return cleaned, said


def apply_action(kind: str, project: Body, item: Body, action: Action) -> str:
    """Do one quick action, if there is one of this name here and the account may do it."""
    verb = VERBS.get(action.name)
    own = item["author"] == asker()["id"]
    least = DEVELOPER if kind == "gitlab.mr" else REPORTER
    allowed = level(project) >= least or (own and action.name in ("close", "reopen", "title"))
    if verb is None or not allowed or not verb(kind, project, item, action.argument):
        return f"Could not apply {action.name} command."
    return f"Applied {action.name} command."


def _label(kind: str, project: Body, item: Body, argument: str) -> bool:
    names = known_labels(project, argument)
    wanted = labels.with_labels(item["labels"], names)
    return bool(names) and (labels.set_labels(project, item, wanted, kind) or True)


def _relabel(kind: str, project: Body, item: Body, argument: str) -> bool:
    names = known_labels(project, argument)
    return bool(names) and (labels.set_labels(project, item, names, kind) or True)


def _unlabel(kind: str, project: Body, item: Body, argument: str) -> bool:
    gone = read_label_names(argument) if argument else list(item["labels"])
    kept = [name for name in item["labels"] if name not in gone]
    return labels.set_labels(project, item, kept, kind)


def known_labels(project: Body, argument: str) -> list[str]:
    """Return the named labels that exist: quick actions make none."""
    return [
        name
        for name in read_label_names(argument)
        if records().find("gitlab.label", name, project["id"])
    ]


def _assign(kind: str, _project: Body, item: Body, argument: str) -> bool:
    users = read_accounts(argument)
    if users:
        set_assignees(kind, item, users[:1])
    return bool(users)


def read_accounts(argument: str) -> list[int]:
    """Return the ids of the named accounts; `me` is who asks."""
    names = read_user_names(argument)
    found = [a["id"] for n in names if (a := records().find("account", n))]
    return [asker()["id"]] if argument.strip() == "me" else found


def _due(kind: str, _project: Body, item: Body, argument: str) -> bool:
    try:
        due = date.fromisoformat(argument).isoformat()
    except ValueError:
        return False
    set_due_date(kind, item, due)
    return True


def _title(kind: str, _project: Body, item: Body, argument: str) -> bool:
    if not argument:
        return False
    add_system_note(kind, item, f"changed title from **{item['title']}** to **{argument}**")
    item["title"] = argument
    return True


def _draft(kind: str, _project: Body, item: Body, _argument: str) -> bool:
    if kind != "gitlab.mr" or item["title"].lower().startswith("draft:"):
        return False
    item["title"] = f"Draft: {item['title']}"
    return True


def _ready(kind: str, _project: Body, item: Body, _argument: str) -> bool:
    if kind != "gitlab.mr":
        return False
    item["title"] = re.sub(r"^\s*draft:\s*", "", item["title"], flags=re.IGNORECASE)
    return True


def _approve(kind: str, project: Body, item: Body, _argument: str) -> bool:
    from wardbook.sandbox.gitlab.approving import approve, may_approve

    if kind != "gitlab.mr" or not may_approve(project, item):
        return False
    approve(project, item)
    return True


def _merge(kind: str, project: Body, item: Body, _argument: str) -> bool:
    from wardbook.sandbox.gitlab.merging import may_merge, merge

    if kind != "gitlab.mr" or not may_merge(project, item):
        return False
    merge(project, item, squash=False, remove_source=item["remove_source_branch"], message=None)
    return True


def _lock(_kind: str, _project: Body, item: Body, _argument: str) -> bool:
    item["discussion_locked"] = True
    return True


def _nothing(*_: Any) -> bool:
    return True


def _done(act: Callable[[str, Body], None]) -> Callable[[str, Body, Body, str], bool]:
    def verb(kind: str, _project: Body, item: Body, _argument: str) -> bool:
        act(kind, item)
        return True

    return verb


VERBS: dict[str, Callable[[str, Body, Body, str], bool]] = {
    "close": _done(lambda kind, item: set_state(kind, item, "closed")),
    "reopen": _done(lambda kind, item: set_state(kind, item, "opened")),
    "confidential": _done(lambda kind, item: set_confidential(kind, item, True)),
    "unassign": _done(lambda kind, item: set_assignees(kind, item, [])),
    "remove_due_date": _done(lambda kind, item: set_due_date(kind, item, None)),
    "label": _label,
    "relabel": _relabel,
    "unlabel": _unlabel,
    "assign": _assign,
    "reassign": _assign,
    "due": _due,
    "title": _title,
    "draft": _draft,
    "ready": _ready,
    "approve": _approve,
    "merge": _merge,
    "lock": _lock,
    "todo": _nothing,
    "subscribe": _nothing,
    "unsubscribe": _nothing,
}


def record_mentions(kind: str, project: Body, item: Body, text: str, url: str) -> None:
    """Put a to-do on the list of everybody whom a text mentions and who may see it."""
    for account in mentioned_accounts(records(), project, text):
        if account["id"] == asker()["id"] or not level(project, account):
            continue
        if kind == "gitlab.issue" and item["confidential"] and level(project, account) < REPORTER:
            continue
        records().insert(
            "gitlab.todo",
            {
                "project": {"id": project["id"], "path": project["path_with_namespace"]},
                "author": {"id": asker()["id"], "username": asker()["username"]},
                "action_name": "mentioned",
                "target_type": TYPES[kind],
                "target": {"id": item["id"], "iid": item["iid"], "title": item["title"]},
                "target_url": url,
                "body": text,
                "state": "pending",
                "created_at": instant(),
            },
            owner=account["id"],
        )


def may_see_item(kind: str, project: Body, item: Body) -> bool:
    """Tell whether the asking account sees an issue or merge request."""
    return level(project) >= REPORTER if kind == "gitlab.mr" else may_see(project, item)

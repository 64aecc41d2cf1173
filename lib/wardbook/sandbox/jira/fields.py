"""Reads the fields of a create, an edit or a transition: checks them as Jira does, stores them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import g

from wardbook.sandbox.house import house, records
from wardbook.sandbox.jira import workflow
from wardbook.sandbox.jira.beans import cloud_id, custom_fields, is_active
from wardbook.sandbox.jira.refusals import Refused, unsettable
from wardbook.sandbox.store import Body

TEXT_LIMIT = 32_767
LINE_LIMIT = 255
ADMINISTRATORS = "jira-administrators"
Reader = Callable[[Any], Any]


class Wrong(Exception):
    """One field's value is not acceptable; the text is Jira's."""


def read_fields(project: int, given: Body) -> Body:
    """Return the stored form of the fields, by name.

    Raises:
        Refused: 400 with one message for each wrong field.
    """
    readers = field_readers(project)
    stored: Body = {}
    wrong: dict[str, str] = {}
    for name, value in given.items():
        reader = readers.get(name)
        if reader is None:
            wrong[name] = unsettable(name)
            continue
        try:
            stored[name] = reader(value)
        except Wrong as error:
            wrong[name] = str(error)
    if wrong:
        raise Refused(400, fields=wrong)
    return stored


def field_readers(project: int) -> dict[str, Reader]:
    """Return how each field that the screens show is read."""
    readers: dict[str, Reader] = {
        "summary": read_summary,
        "description": read_text,
        "issuetype": lambda value: read_issue_type(project, value),
        "priority": lambda value: read_named(value, workflow.PRIORITIES, "priority"),
        "labels": read_labels,
        "components": lambda value: read_components(project, value),
        "duedate": read_date,
        "assignee": read_assignee,
    }
    if ADMINISTRATORS in g.account["groups"]:
        readers["reporter"] = read_user
    for custom in custom_fields(project):
        readers[custom["field"]] = custom_reader(custom)
    return readers


def custom_reader(custom: Body) -> Reader:
    """Return how a custom field is read."""
    readers: dict[str, Reader] = {
        "text": read_line,
        "textarea": read_text,
        "date": read_date,
        "user": read_user,
        "number": read_number,
        "select": lambda value: read_option(custom, value),
    }
    return readers[custom["type"]]


def read_summary(value: Any) -> str:
    """Read a summary: one line of at most 255 characters."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        raise Wrong("The summary is invalid because it contains newline characters.")
    if len(value) > LINE_LIMIT:
        raise Wrong("Summary must be less than 255 characters.")
    return value.strip()


def read_text(value: Any) -> str | None:
    """Read a text of several lines."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Wrong("Operation value must be a string")
    if len(value) > TEXT_LIMIT:
        raise Wrong(
            "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
        )
    return value


def read_line(value: Any) -> str | None:
    """Read a text of one line of a custom field."""
    text = read_text(value)
    if text is not None and len(text) > LINE_LIMIT:
        raise Wrong("The entered text is too long. It exceeds the allowed limit of 255 characters.")
    return text


def read_number(value: Any) -> float | None:
    """Read a number."""
    if value is None or isinstance(value, int | float):
        return value
    raise Wrong("Operation value must be a number")


def read_date(value: Any) -> str | None:
    """Read a day, `yyyy-MM-dd`."""
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Wrong(f"Error parsing date string: {value}") from None


def read_option(custom: Body, value: Any) -> Body | None:
    """Read an option by id or value."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Wrong("Could not find valid 'id' or 'value' in the Parent Option object.")
    for option in custom["options"]:
        if option["id"] == value.get("id") or option["value"] == value.get("value"):
            return dict(option)
    raise Wrong(f"Option value '{value.get('value', value.get('id'))}' is not valid")


def read_user(value: Any) -> int | None:
    """Read a user: by name on a server, by account id on Cloud."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Wrong("data was not an object")
    cloud = house().flavour == "cloud"
    wanted = value.get("accountId") if cloud else value.get("name")
    if wanted in (None, "", "-1"):
        return None
    for account in records().all("account"):
        if wanted == (cloud_id(account) if cloud else account["username"]):
            return int(account["id"])
    raise Wrong(f"User '{wanted}' does not exist.")


def read_assignee(value: Any) -> int | None:
    """Read who is to work on a ticket: an active user, or nobody."""
    account = read_user(value)
    if account is not None and not is_active(records().get("account", account) or {}):
        name = value.get("name") or value.get("accountId")
        raise Wrong(f"User '{name}' cannot be assigned issues.")
    return account


def read_labels(value: Any) -> list[str]:
    """Read labels: words without spaces."""
    if not isinstance(value, list):
        raise Wrong("data was not an array")
    for label in value:
        if re.search(r"\s", str(label)):
            raise Wrong(f"The label '{label}' contains spaces which is invalid.")
        if len(str(label)) > LINE_LIMIT:
            raise Wrong(
                f"The label '{label}' exceeds the maximum length for a single label of 255."
            )
    return sorted({str(label) for label in value})


def read_components(project: int, value: Any) -> list[int]:
    """Read components by id or name."""
    if not isinstance(value, list):
        raise Wrong("data was not an array")
    known = records().all("jira.component", project)
    return [find_named(known, item, "Component name") for item in value]


def read_issue_type(project: int, value: Any) -> int:
    """Read an issue type by id or name."""
    try:
        return find_named(records().all("jira.issuetype", project), value, "issue type")
    except Wrong:
        raise Wrong("Specify a valid issue type") from None


def find_named(known: list[Body], value: Any, what: str) -> int:
    """Return the id of the record that `{"id": …}` or `{"name": …}` means."""
    value = value if isinstance(value, dict) else {}
    for body in known:
        if str(body["id"]) == str(value.get("id")) or body["name"] == value.get("name"):
            return int(body["id"])
    raise Wrong(f"{what} '{value.get('name', value.get('id'))}' is not valid")


def read_named(value: Any, known: dict[str, str], what: str) -> str | None:
    """Return the id of an entry of one of the site's lists."""
    if value is None:
        return None
    value = value if isinstance(value, dict) else {}
    for id_, name in known.items():
        if id_ == str(value.get("id")) or name == value.get("name"):
            return id_
    raise Wrong(f"The {what} selected is invalid.")


def read_resolution(value: Any) -> str:
    """Read a resolution.

    Raises:
        Refused: 400, it is missing or unknown.
    """
    try:
        resolution = read_named(value, workflow.RESOLUTIONS, "resolution")
    except Wrong as error:
        raise Refused(400, fields={"resolution": str(error)}) from None
    if resolution is None:
        raise Refused(400, fields={"resolution": "Resolution is required."})
    return resolution


def apply_operations(stored: Any, operations: Any) -> Any:
    """Return a list field after `update` operations (`add`, `remove`, `set`), in API form."""
    for operation in operations:
        for verb, value in operation.items():
            if verb == "set":
                stored = value
            elif verb == "add":
                stored = [*(stored or []), value]
            elif verb == "remove":
                stored = [item for item in stored or [] if item != value]
            else:
                raise Refused(400, f"Unsupported operation '{verb}'.")
    return stored

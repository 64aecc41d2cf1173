"""Labels: scoped ones exclude each other; unknown ones are made when first used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.gitlab.access import asker, find_project, level
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter, invalid, not_found
from wardbook.sandbox.house import instant, json_body, records
from wardbook.sandbox.seed import REPORTER
from wardbook.sandbox.store import Body

routes = Blueprint("labels", __name__, url_prefix="/api/v4")
COLOUR = "#6699cc"


def read_labels(value: Any) -> list[str]:
    """Return label names given as a list or as text with commas; each item is split again."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    names = [name.strip() for item in items for name in str(item).split(",")]
    return [name for name in names if name]


def scope(label: str) -> str | None:
    """Return the scope of `scope::value`; the last `::` counts."""
    return label.rpartition("::")[0] or None


def with_labels(present: Iterable[str], added: Iterable[str]) -> list[str]:
    """Return the labels after adding some: of one scope only the last one stays."""
    result = list(present)
    for label in added:
        own = scope(label)
        result = [
            other for other in result if other != label and (own is None or scope(other) != own)
        ]
        result.append(label)
    return sorted(result)


def set_labels(project: Body, item: Body, wanted: list[str], kind: str) -> bool:
    """Give an issue or merge request these labels; write events and a system note.

    Returns whether anything changed.
    """
    from wardbook.sandbox.gitlab.noting import add_system_note

    before = set(item["labels"])
    after = with_labels([], wanted)
    added, removed = sorted(set(after) - before), sorted(before - set(after))
    if not added and not removed:
        return False
    item["labels"] = after
    known = [ensure_label(project, name) for name in added + removed]
    for label, action in zip(known, ["add"] * len(added) + ["remove"] * len(removed), strict=True):
        add_event(item, kind, label, action)
    words = [
        f"{word} {label_marks(project, names)}"
        for word, names in (("added", added), ("removed", removed))
        if names
    ]
    plural = "s" if len(added) + len(removed) > 1 else ""
    add_system_note(kind, item, f"{' and '.join(words)} label{plural}")
    return True


def label_marks(project: Body, names: list[str]) -> str:
    """Return labels as system notes name them: `~1 ~2`."""
    return " ".join(f"~{ensure_label(project, name)['id']}" for name in names)


def add_event(item: Body, kind: str, label: Body, action: str) -> None:
    """Write a resource label event."""
    records().insert(
        f"{kind}.label_event",
        {
            "user": asker()["id"],
            "created_at": instant(),
            "resource_id": item["id"],
            "label": {n: label[n] for n in ("id", "name", "color", "description")},
            "action": action,
        },
        owner=item["id"],
    )


def ensure_label(project: Body, name: str) -> Body:
    """Return a project's label, made when missing."""
    return records().find("gitlab.label", name, project["id"]) or records().insert(
        "gitlab.label",
        {"name": name, "color": COLOUR, "description": None, "priority": None},
        owner=project["id"],
        key=name,
    )


def may_label(project: Body) -> bool:
    """Tell whether the asking account may set labels; a guest's are dropped in silence."""
    return level(project) >= REPORTER


def label_bean(label: Body) -> Body:
    """Return a label."""
    return {
        **label,
        "description_html": "",
        "text_color": "#FFFFFF",
        "subscribed": False,
        "is_project_label": True,
        "archived": False,
    }


def find_label(project: Body, reference: str) -> Body:
    """Return a label by id or name.

    Raises:
        Refused: 404.
    """
    for label in records().all("gitlab.label", project["id"]):
        if reference in (str(label["id"]), label["name"]):
            return label
    raise not_found("Label")


@routes.get("/projects/<seg:project>/labels")
def list_labels(project: str) -> Response:
    """Return a project's labels by name."""
    labels = records().all("gitlab.label", find_project(project)["id"])
    return paginate(sorted(labels, key=lambda label: label["name"]), label_bean)


@routes.post("/projects/<seg:project>/labels")
def create(project: str) -> tuple[Response, int]:
    """Make a label."""
    found = find_project(project, REPORTER)
    given = json_body()
    for name in ("name", "color"):
        if not given.get(name):
            raise bad_parameter(f"{name} is missing")
    if "," in given["name"]:
        raise invalid(title=["is invalid"])
    if records().find("gitlab.label", given["name"], found["id"]):
        raise Refused(409, "Label already exists")
    label = ensure_label(found, given["name"])
    return jsonify(label_bean(change(label, given))), 201


def change(label: Body, given: Body) -> Body:
    """Store a label's colour, description and priority."""
    label |= {n: given[n] for n in ("color", "description", "priority") if n in given}
    records().save("gitlab.label", label)
    return label


@routes.get("/projects/<seg:project>/labels/<seg:label>")
def read(project: str, label: str) -> Response:
    """Return one label."""
    return jsonify(label_bean(find_label(find_project(project), label)))


@routes.put("/projects/<seg:project>/labels/<seg:label>")
def edit(project: str, label: str) -> Response:
    """Change a label, except its name."""
    found = find_project(project, REPORTER)
    return jsonify(label_bean(change(find_label(found, label), json_body())))


@routes.delete("/projects/<seg:project>/labels/<seg:label>")
def delete(project: str, label: str) -> tuple[str, int]:
    """Delete a label; issues keep its name off their lists."""
    found = find_project(project, REPORTER)
    gone = find_label(found, label)
    for kind in ("gitlab.issue", "gitlab.mr"):
        for item in records().all(kind, found["id"]):
            if gone["name"] in item["labels"]:
                item["labels"].remove(gone["name"])
                records().save(kind, item)
    records().delete("gitlab.label", gone["id"])
    return "", 204

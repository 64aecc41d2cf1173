"""Routes of notes on issues and merge requests."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.gitlab.access import asker, find_project, level
from wardbook.sandbox.gitlab.arguments import arguments, is_true
from wardbook.sandbox.gitlab.beans import (
    api_time,
    item_notes,
    note_bean,
    project_url,
    touched,
    touched_by_note,
)
from wardbook.sandbox.gitlab.hooks import announce_note
from wardbook.sandbox.gitlab.noting import add_note, apply_text, may_see_item, record_mentions
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import bad_parameter, forbidden, invalid, not_found
from wardbook.sandbox.house import instant, records
from wardbook.sandbox.seed import MAINTAINER, OWNER, REPORTER
from wardbook.sandbox.store import Body

routes = Blueprint("notes", __name__, url_prefix="/api/v4")
KINDS = {"issues": "gitlab.issue", "merge_requests": "gitlab.mr"}
BASE = "/projects/<seg:project>/<any(issues, merge_requests):what>/<int:iid>/notes"
NOTE_LIMIT = 1_000_000
FILTERS = ("all_notes", "only_comments", "only_activity")


def find_item(project: str, what: str, iid: int) -> tuple[Body, str, Body]:
    """Return the project, the kind, and the issue or merge request.

    Raises:
        Refused: 404.
    """
    found = find_project(project)
    kind = KINDS[what]
    item = records().find(kind, str(iid), found["id"])
    if item is None or not may_see_item(kind, found, item):
        raise not_found()
    return found, kind, item


def visible_notes(project: Body, kind: str, item: Body) -> list[Body]:
    """Return the notes that the asking account may read: internal ones need reporter rights."""
    notes = item_notes(kind, item["id"])
    return [n for n in notes if not n["internal"] or level(project) >= REPORTER]


def find_note(project: Body, kind: str, item: Body, note: int) -> Body:
    """Return one note.

    Raises:
        Refused: 404.
    """
    for body in visible_notes(project, kind, item):
        if body["id"] == note:
            return body
    raise not_found()


@routes.get(BASE)
def list_notes(project: str, what: str, iid: int) -> Response:
    """Return the notes, the system's among them unless filtered out."""
    found, kind, item = find_item(project, what, iid)
    notes = visible_notes(found, kind, item)
    wanted = request.args.get("activity_filter", "all_notes")
    if wanted not in FILTERS:
        raise bad_parameter("activity_filter does not have a valid value")
    if wanted != "all_notes":
        notes = [n for n in notes if n["system"] == (wanted == "only_activity")]
    field = request.args.get("order_by", "created_at")
    if field not in ("created_at", "updated_at"):
        raise bad_parameter("order_by does not have a valid value")
    descends = request.args.get("sort", "desc") == "desc"
    notes.sort(key=lambda note: (note[field], note["id"]), reverse=descends)
    return paginate(notes, note_bean)


def read_body(given: Body) -> str:
    """Return a note's text.

    Raises:
        Refused: 400, missing, blank or too long.
    """
    if "body" not in given:
        raise bad_parameter("body is missing")
    body = str(given["body"] or "")
    if not body.strip():
        raise invalid(note=["can't be blank"])
    if len(body) > NOTE_LIMIT:
        raise invalid(note=[f"is too long (maximum is {NOTE_LIMIT} characters)"])
    return body


@routes.post(BASE)
def create(project: str, what: str, iid: int) -> tuple[Response, int]:
    """Write a note; its quick actions are done, and a note of nothing else is not kept."""
    found, kind, item = find_item(project, what, iid)
    if item["discussion_locked"] and level(found) < REPORTER:
        raise forbidden()
    given = arguments()
    internal = is_true(given.get("internal", given.get("confidential", False)))
    if internal and level(found) < REPORTER:
        raise forbidden()
    before = dict(item)
    text, said = apply_text(kind, found, item, read_body(given))
    if not text:
        records().save(kind, touched(item) if item != before else item)
        return jsonify(commands_changes=changes(item), summary=said), 202
    when = given.get("created_at") if level(found) >= OWNER else None
    note = add_note(kind, item, text, internal=internal, created_at=when and api_time(when))
    records().save(kind, touched(item) if item != before else touched_by_note(item))
    url = f"{project_url(found)}/-/{what}/{iid}#note_{note['id']}"
    record_mentions(kind, found, item, text, url)
    announce_note(found, kind, item, note)
    return jsonify(note_bean(note)), 201


def changes(item: Body) -> dict[str, Any]:
    """Return what a note of nothing but quick actions has changed, as far as it can be told."""
    return {"state": item["state"], "labels": item["labels"]}


@routes.get(BASE.removesuffix("notes") + "discussions")
def list_discussions(project: str, what: str, iid: int) -> Response:
    """Return the discussions, oldest first: each note is one, since nobody replies here."""
    notes = visible_notes(*find_item(project, what, iid))
    return paginate(notes, discussion_bean)


def discussion_bean(note: Body) -> Body:
    """Return the discussion that a note is."""
    digest = hashlib.sha256(f"discussion {note['id']}".encode()).hexdigest()[:40]
    return {"id": digest, "individual_note": True, "notes": [note_bean(note)]}


@routes.get(f"{BASE}/<int:note>")
def read(project: str, what: str, iid: int, note: int) -> Response:
    """Return one note."""
    found, kind, item = find_item(project, what, iid)
    return jsonify(note_bean(find_note(found, kind, item, note)))


@routes.put(f"{BASE}/<int:note>")
def edit(project: str, what: str, iid: int, note: int) -> Response:
    """Change one's own note; quick actions in the new text are done."""
    found, kind, item = find_item(project, what, iid)
    body = find_note(found, kind, item, note)
    require_own(found, body)
    before = dict(item)
    text, _ = apply_text(kind, found, item, read_body(arguments()))
    body |= {"body": text, "updated_at": instant()}
    records().save(f"{kind}.note", body)
    records().save(kind, touched(item) if item != before else touched_by_note(item))
    return jsonify(note_bean(body))


@routes.delete(f"{BASE}/<int:note>")
def delete(project: str, what: str, iid: int, note: int) -> tuple[str, int]:
    """Delete one's own note; the issue's `updated_at` does not tell of it."""
    found, kind, item = find_item(project, what, iid)
    body = find_note(found, kind, item, note)
    require_own(found, body)
    records().delete(f"{kind}.note", body["id"])
    return "", 204


def require_own(project: Body, note: Body) -> None:
    """Refuse to change the system's notes, and another's without maintainer rights."""
    if note["system"] or (note["author"] != asker()["id"] and level(project) < MAINTAINER):
        raise forbidden()

"""Jira's payloads, parsed once: tickets, and what people attached to them."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from typing import Any

from requests_sync.jira_port import JiraPort, Payload, person_id
from wardbook.domain.mirror import Attachment, Remark, Thread, TicketLink
from wardbook.domain.ticket import Person, Ticket
from wardbook.errors import ForeignFault
from wardbook.settings import JiraFields

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}-[0-9]{1,12}")


class UnreadableTicket(ForeignFault):
    """A ticket whose payload is not what Jira's contract promises."""


def ticket_of_payload(payload: Mapping[str, Any], fields: JiraFields) -> Ticket:
    """Parse a Jira issue, as REST v2 gives it, into a ticket.

    Raises:
        UnreadableTicket: a field is missing or is not of its type; the message names the field.
    """
    payload = _whole(payload)
    raw = payload.get("fields")
    if not isinstance(raw, Mapping):
        raise UnreadableTicket(f"{payload.get('key')}: no fields in Jira's answer.")
    key = _text(payload, "key")
    if _KEY.fullmatch(key) is None:
        # It becomes part of paths, branches and addresses.
        raise UnreadableTicket("a ticket whose key is not of Jira's form, as DATA-12.")
    return Ticket(
        key=key,
        id=_text(payload, "id"),
        updated=_text(raw, "updated"),
        status=_text(_mapping(raw, "status"), "name"),
        summary=_text(raw, "summary"),
        description=_optional_text(raw, "description"),
        components=tuple(_text(part, "name") for part in raw.get("components") or ()),
        reporter=_person(_mapping(raw, "reporter")),
        purpose=_optional_text(raw, fields.purpose),
        legal_basis=_optional_text(raw, fields.legal_basis),
        reference=_optional_text(raw, fields.reference),
        expires=_optional_text(raw, fields.expires),
        approver=_optional_person(raw, fields.approver),
        template=_optional_text(raw, fields.template),
        parameters=_optional_text(raw, fields.parameters),
        language=_optional_text(raw, fields.language),
        ethics=_optional_text(raw, fields.ethics),
        dpo=_optional_person(raw, fields.dpo),
        recurrence=_optional_text(raw, fields.recurrence) if fields.recurrence else "",
        colleagues=_people(raw, fields.colleagues) if fields.colleagues else (),
        done=_mapping(raw, "status").get("statusCategory", {}).get("key") == "done",
        issue_type=_name(raw.get("issuetype")),
        priority=_name(raw.get("priority")),
        resolution=_name(raw.get("resolution")),
        labels=tuple(str(label) for label in raw.get("labels") or ()),
        assignee=_person(raw["assignee"]) if raw.get("assignee") else None,
        due=_optional_text(raw, "duedate"),
    )


def thread_of_payload(payload: Payload, jira: JiraPort) -> Thread:
    """Parse what people attached to a ticket: comments that all may read, attachments, links.

    What our own account wrote is left out, and what is restricted to a role, a group or the
    service desk's agents. A search answers only so many comments: then all are asked for.

    Raises:
        ForeignFault: Jira could not be read.
    """
    fields = _whole(payload["fields"])
    answered = fields.get("comment") or {}
    comments = answered.get("comments") or []
    if int(answered.get("total") or 0) > len(comments):
        comments = _whole(list(jira.comments(str(payload["key"]))))
    ours = jira.account
    return Thread(
        remarks=tuple(
            Remark(str(c["id"]), _author(c), str(c["created"]), str(c.get("body") or ""))
            for c in comments
            if is_for_all(c) and person_id(c.get("author") or {}) != ours
        ),
        attachments=tuple(
            Attachment(
                id=str(a["id"]),
                name=str(a.get("filename") or a["id"]),
                author=_author(a),
                at=str(a["created"]),
                size=int(a.get("size") or 0),
                media_type=_media_type(a),
                address=str(a.get("content") or ""),
            )
            for a in fields.get("attachment") or []
            if person_id(a.get("author") or {}) != ours
        ),
        links=tuple(_link(link) for link in fields.get("issuelinks") or []),
    )


def whole_text(text: str) -> str:
    """Return a text without halves of characters, which Jira keeps and no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _whole(value: Any) -> Any:
    """Return a payload, all its texts whole."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, Mapping):
        return {name: _whole(part) for name, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list) else value


def is_for_all(comment: Payload) -> bool:
    """Tell whether a comment may be read by all who may read its ticket."""
    return not comment.get("visibility") and comment.get("jsdPublic", True) is not False


def _media_type(attachment: Payload) -> str:
    """Return an attachment's media type; where Jira has none, the one that its name stands for."""
    told = str(attachment.get("mimeType") or "").casefold()
    if told not in ("", "application/octet-stream"):
        return told
    guessed, _ = mimetypes.guess_type(str(attachment.get("filename") or ""))
    return guessed or "application/octet-stream"


def _author(payload: Payload) -> str:
    """Return the name of who wrote something; an account may be deleted since."""
    author = payload.get("author") or {}
    return str(author.get("displayName") or person_id(author) or "?")


def _link(link: Payload) -> TicketLink:
    end = "outward" if "outwardIssue" in link else "inward"
    other = link[f"{end}Issue"]
    return TicketLink(
        id=str(link["id"]),
        relation=str(link["type"].get(end) or link["type"].get("name") or ""),
        key=str(other["key"]),
        ticket_id=str(other["id"]),
        title=str((other.get("fields") or {}).get("summary") or ""),
    )


def _name(value: Any) -> str:
    return str(value.get("name") or "") if isinstance(value, Mapping) else ""


def _person(raw: Mapping[str, Any]) -> Person:
    return Person(person_id(raw), str(raw.get("displayName") or person_id(raw)))


def _mapping(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    if not isinstance(value, Mapping):
        raise UnreadableTicket(f"the field {name} is missing or is not an object.")
    return value


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableTicket(f"the field {name} is missing or is not a text.")
    return value


def _optional_text(raw: Mapping[str, Any], name: str) -> str:
    """Return a field's text: of a plain field, or of an option (`value`)."""
    value = raw.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableTicket(f"the field {name} is not a text.")
    return value


def _optional_person(raw: Mapping[str, Any], name: str) -> Person | None:
    """Return the person that a field names: an object of Jira's, or an account as mere text."""
    value = raw.get(name)
    if isinstance(value, Mapping):
        return _person(value) if person_id(value) else None
    account = _optional_text(raw, name).strip()
    return Person(account, account) if account else None


def _people(raw: Mapping[str, Any], name: str) -> tuple[Person, ...]:
    """Return the people that a field names: a list of Jira's objects, or accounts with commas."""
    value = raw.get(name)
    if isinstance(value, list):
        return tuple(_person(one) for one in value if isinstance(one, Mapping) and person_id(one))
    accounts = (account.strip() for account in _optional_text(raw, name).split(","))
    return tuple(Person(account, account) for account in accounts if account)

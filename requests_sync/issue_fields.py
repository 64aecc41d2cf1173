"""The fields of a request's GitLab issue: what they should be, and what they are.

Jira owns them: title, description down to our mark, type, priority, labels, due date, resolution.
What an analyst adds stays: text below the mark, labels of other names. The state's label is not
here: it follows the ledger (`GitLabState`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from requests_sync.foreign_text import drop_controls, inline_code, quote_for_gitlab, title_of
from requests_sync.marks import cut_at_mark, request_mark
from requests_sync.markup import to_markdown
from wardbook.domain.mirror import Attachment, IssueView, Thread, digest_of
from wardbook.domain.ticket import Person, Ticket
from wardbook.messages import Language, say
from wardbook.settings import AttachmentSettings, Settings

_MANAGED = ("type::", "priority::", "resolution::", "template::", "purpose::", "jira:")
_LABEL_LENGTH = 255
QUESTION_LENGTH = 100_000
Payload = Mapping[str, Any]


def wanted_fields(ticket: Ticket, thread: Thread, key: str, settings: Settings) -> dict[str, Any]:
    """Return the fields that the issue of a ticket should have, as GitLab's API takes them.

    Args:
        ticket: as last read.
        thread: its attachments and links are listed in the description.
        key: the request's key, which names its folder.
        settings: the unit's language, people and limits.
    """
    language = settings.unit.language
    head, _ = split_text(ticket.description, QUESTION_LENGTH)
    description = say(
        language,
        "issue.description",
        question=to_markdown(head or ticket.summary, gitlab_host=settings.gitlab.host),
        requester=_person(ticket.reporter),
        service=_shown(", ".join(ticket.components)),
        type=_shown(ticket.issue_type),
        priority=_shown(ticket.priority),
        analyst=_person(ticket.assignee),
        purpose=_shown(ticket.purpose),
        basis=_shown(f"{ticket.legal_basis} · {ticket.reference}"),
        expires=_shown(ticket.expires),
        approver=_person(ticket.approver),
        ethics=_shown(ticket.ethics),
        dpo=_person(ticket.dpo),
        every=_shown(ticket.recurrence),
        template=_shown(ticket.template),
        parameters=quote_for_gitlab(ticket.parameters or "—"),
        attachments=_list_attachments(thread, settings, language),
        links=_list_links(thread, settings.jira.url, language),
        folder=f"requests/{key}",
        bench=_tell_bench(key, settings),
        mark=request_mark(ticket),
    )
    return {
        "title": f"{ticket.key} · {title_of(ticket.summary)}",
        "description": description.strip(),
        "labels": labels_of(ticket),
        "due_date": ticket.due or None,
        "confidential": True,
    }


def _tell_bench(key: str, settings: Settings) -> str:
    """Return how an analyst opens the request: the command, and a link where there is one."""
    command = say(settings.unit.language, "issue.bench", key=key)
    address = settings.bench.address
    if address is None:
        return command
    place = f"{str(address).rstrip('/')}/wardbook/open?request={key}"
    return f"{command} · {say(settings.unit.language, 'issue.bench_link', address=place)}"


def split_text(text: str, limit: int) -> tuple[str, str]:
    """Split a text at the last line end before `limit` characters, else at a space, or there."""
    if len(text) <= limit:
        return text, ""
    ends = (text.rfind(end, limit // 2, limit) + 1 for end in ("\n", " "))
    cut = next((end for end in ends if end), limit)
    return text[:cut], text[cut:]


def labels_of(ticket: Ticket) -> list[str]:
    """Return the labels that follow the ticket; foreign names cannot enter another scope."""
    named = {
        "type": ticket.issue_type,
        "priority": ticket.priority,
        "resolution": ticket.resolution,
        "template": ticket.template,
        "purpose": ticket.purpose,
    }
    labels = [f"{scope}::{_plain(name)}" for scope, name in named.items() if _plain(name)]
    labels += [f"jira:{_plain(name)}" for name in ticket.labels if _plain(name)]
    return sorted(set(labels))


def _plain(name: str) -> str:
    """Return a name as a label may hold it: no comma, no scope, one line."""
    line = " ".join(drop_controls(name).replace(",", ";").split())
    return re.sub(":{2,}", ":", line).strip(":")[: _LABEL_LENGTH - 20]


def is_managed(label: str) -> bool:
    """Tell whether a label follows the ticket."""
    return label.startswith(_MANAGED)


def shown_digest(fields: Payload) -> str:
    """Return a digest of the fields that follow the ticket, as wanted or as GitLab answered."""
    head, _ = cut_at_mark(str(fields["description"] or "").strip())
    return digest_of(
        {
            "title": fields["title"],
            "description": head.strip(),
            "labels": sorted(filter(is_managed, fields["labels"])),
            "due_date": fields["due_date"],
            "confidential": bool(fields["confidential"]),
        }
    )


def view_of_issue(issue: Payload) -> IssueView:
    """Return what the ledger keeps of an issue that GitLab answered."""
    assignees = issue["assignees"] or []
    return IssueView(
        updated=version_of_issue(issue),
        closed=issue["state"] == "closed",
        assignee=str(assignees[0]["username"]) if assignees else "",
        shown=shown_digest(issue),
    )


def version_of_issue(issue: Payload) -> str:
    """Return a text that changes when an issue changed or a note came or went.

    GitLab does not stamp an issue anew for a note within a minute of its last stamp, so the number
    of notes counts too.
    """
    return f"{issue['updated_at']}#{issue['user_notes_count']}"


def version_after_note(version: str, more: int) -> str:
    """Return an issue's version once we wrote (1) or deleted (-1) a note of ours on it.

    GitLab's stamp may stay the same: were ours not counted, one that somebody else deletes or
    writes meanwhile would bring the number back to where it was, and pass unseen.
    """
    stamp, _, count = version.partition("#")
    return f"{stamp}#{int(count) + more}" if count else version


def analyst_of(person: Person | None, people: Mapping[str, str]) -> str:
    """Return the GitLab username of somebody in Jira; empty for nobody."""
    return people.get(person.username, person.username) if person else ""


def jira_user_of(username: str, people: Mapping[str, str]) -> str:
    """Return the Jira username of a GitLab username; empty for nobody."""
    return next((jira for jira, gitlab in people.items() if gitlab == username), username)


def is_copied(attachment: Attachment, limits: AttachmentSettings) -> bool:
    """Tell whether an attachment is small enough and of an allowed media type."""
    return attachment.size <= limits.max_bytes and is_allowed(attachment, limits)


def is_allowed(attachment: Attachment, limits: AttachmentSettings) -> bool:
    """Tell whether an attachment's media type is allowed; `text/*` allows a whole kind."""
    kind = attachment.media_type.partition(";")[0].strip()
    return kind in limits.media_types or f"{kind.partition('/')[0]}/*" in limits.media_types


def tell_size(size: int, language: Language) -> str:
    """Return a size in bytes as people read it."""
    from babel.numbers import format_decimal

    units = {"fr": ("o", "ko", "Mo", "Go"), "en": ("B", "kB", "MB", "GB")}[language]
    number, unit = float(size), 0
    while number >= 1000 and unit < len(units) - 1:
        number, unit = number / 1000, unit + 1
    return f"{format_decimal(number, '#,##0.#', locale=language)}\N{NO-BREAK SPACE}{units[unit]}"


def tell_moment(at: str, zone: str) -> str:
    """Return a tracker's stamp in the unit's own time, to the minute."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def _shown(text: str) -> str:
    return inline_code(text) if text.strip(" ·") else "—"


def _person(person: Person | None) -> str:
    return _shown(f"{person.name} ({person.username})" if person else "")


def _list_attachments(thread: Thread, settings: Settings, language: Language) -> str:
    limits = settings.attachments
    lines = []
    for one in thread.attachments:
        code = "attachment"
        if not is_allowed(one, limits):
            code = "attachment_type"
        elif one.size > limits.max_bytes:
            code = "attachment_too_large"
        lines.append(
            say(
                language,
                f"mirror.{code}",
                name=inline_code(one.name),
                size=tell_size(one.size, language),
                media_type=inline_code(one.media_type),
            )
        )
    return _section("attachments", lines, language)


def _list_links(thread: Thread, jira_url: str, language: Language) -> str:
    lines = [
        say(
            language,
            "mirror.link",
            relation=inline_code(one.relation),
            ticket=_ticket_address(one.key, jira_url),
            title=inline_code(one.title),
        )
        for one in thread.links
    ]
    return _section("links", lines, language)


def _ticket_address(key: str, jira_url: str) -> str:
    if re.fullmatch(r"[A-Z][A-Z0-9_]*-\d+", key):
        return f"[{key}]({jira_url.rstrip('/')}/browse/{key})"
    return inline_code(key)


def _section(name: str, lines: Sequence[str], language: Language) -> str:
    if not lines:
        return ""
    return "\n" + say(language, f"mirror.{name}", lines="\n".join(lines)).strip() + "\n"

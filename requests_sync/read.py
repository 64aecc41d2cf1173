"""Reading both sides: what changed in Jira and GitLab goes into the ledger; nothing else happens.

Everything that follows is decided from the ledger alone. A ticket that cannot be read becomes a
dead letter and holds up no other.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from requests_sync.gitlab_port import GitLabPort
from requests_sync.issue_fields import version_of_issue, view_of_issue
from requests_sync.jira_port import JiraPort, Payload, person_id
from requests_sync.marks import evidence_mark, holds_mark
from wardbook.domain.mirror import Attachment, Remark, Side, Thread, TicketLink, digest_of
from wardbook.domain.record import Approval, Record, Review
from wardbook.domain.states import State
from wardbook.domain.ticket import Person, Ticket
from wardbook.errors import ForeignFault
from wardbook.ledger import Ledger
from wardbook.ledger.rows import TakenTicket
from wardbook.settings import JiraFields, Settings

_WATERMARK = "jira.read_until"
_CENSUS, _CENSUS_NUMBER = "jira.census_at", "jira.census"
_BIRTH = "ledger.born_at"
_UNDER_REVIEW = frozenset({State.RUNNING, State.FAILED, State.HELD, State.REJECTED, State.REOPENED})
_CLOCK_SKEW = timedelta(minutes=5)
QUIET = timedelta(seconds=90)
"""After this long an issue's stamp is old enough for the next note to move it (a minute)."""
_PAGE = 100
_Item = TypeVar("_Item")


class UnreadableTicket(ForeignFault):
    """A ticket whose payload is not what Jira's contract promises."""


def read_tickets(ledger: Ledger, jira: JiraPort, settings: Settings, now: datetime) -> int:
    """Take every ticket changed since the last reading into the ledger, a page at a time.

    What counts is Jira's own clock: a reading begins `overlap_minutes` before the latest change
    that was read, since the search index lags. Every `census_hours` all tickets are read, so that
    one which slipped through is found, and one that is gone is noticed. Returns how many were new
    or changed.

    Raises:
        ForeignFault: Jira could not be read; the watermark stays, so nothing is lost.
    """
    born = _birth(ledger, now)
    since = _start_of_reading(ledger, settings, now)
    census = int(ledger.mark(_CENSUS_NUMBER) or 0) + (since is None)
    tickets = jira.search_all() if since is None else jira.search_changed(since)
    taken, latest = 0, ledger.mark(_WATERMARK) or ""
    for page in batched(tickets, _PAGE):
        fresh = _fresh(page, ledger)
        taken += _take(fresh, ledger, jira, settings, born, census, now)
        latest = max([latest, *_stamps(page)], key=_instant)
        if since is None:
            ledger.count_in_census([str(p.get("id")) for p in page], census)
    if latest != ledger.mark(_WATERMARK):
        ledger.set_mark(_WATERMARK, latest)
    if since is None:
        _miss_tickets(ledger, jira, settings, census, now)
        ledger.set_mark(_CENSUS_NUMBER, str(census))
        ledger.set_mark(_CENSUS, now.isoformat())
    return taken


def batched(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield the items in lists of at most `size`."""
    iterator = iter(items)
    while page := list(islice(iterator, size)):
        yield page


def _birth(ledger: Ledger, now: datetime) -> datetime:
    born = ledger.mark(_BIRTH)
    if born is None:
        born = now.isoformat()
        ledger.set_mark(_BIRTH, born)
    return datetime.fromisoformat(born)


def _start_of_reading(ledger: Ledger, settings: Settings, now: datetime) -> datetime | None:
    census, watermark = ledger.mark(_CENSUS), ledger.mark(_WATERMARK)
    if census is None or not watermark:
        return None
    if now - datetime.fromisoformat(census) > timedelta(hours=settings.jira.census_hours):
        return None
    return datetime.fromisoformat(watermark) - timedelta(minutes=settings.jira.overlap_minutes)


def _fresh(page: Sequence[Payload], ledger: Ledger) -> list[Payload]:
    """Return those of a page that changed since they were read: an older one is a lagging index."""
    known = ledger.ticket_versions([str(payload.get("id")) for payload in page])
    return [
        payload
        for payload in page
        if _instant(_stamp(payload)) > _instant(known.get(str(payload.get("id")), ""))
        or not _stamp(payload)
    ]


def _stamp(payload: Payload) -> str:
    fields = payload.get("fields")
    stamp = fields.get("updated") if isinstance(fields, Mapping) else None
    try:
        datetime.fromisoformat(stamp or "")
    except (TypeError, ValueError):
        return ""
    return str(stamp)


def _stamps(page: Sequence[Payload]) -> list[str]:
    return [stamp for payload in page if (stamp := _stamp(payload))]


def _instant(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp) if stamp else datetime.min.replace(tzinfo=UTC)


def _take(
    page: Sequence[Payload],
    ledger: Ledger,
    jira: JiraPort,
    settings: Settings,
    born: datetime,
    census: int,
    now: datetime,
) -> int:
    taken = []
    for payload in page:
        try:
            ticket = ticket_of_payload(payload, settings.jira.fields)
            created = datetime.fromisoformat(payload["fields"]["created"])
            thread = thread_of_payload(payload, jira)
            # Where clocks may differ, a ticket counts as older: then its effects are looked for.
            taken.append(TakenTicket(ticket, thread, created < born + _CLOCK_SKEW))
        except (UnreadableTicket, KeyError, TypeError, ValueError, AttributeError) as error:
            reason = str(error) if isinstance(error, UnreadableTicket) else type(error).__name__
            ledger.bury_ticket(str(payload.get("key", "?")), reason, now)
    if taken:
        ledger.take_tickets(taken, census=census, now=now)
        ledger.revive_tickets([one.ticket.key for one in taken])
    return len(taken)


def _miss_tickets(
    ledger: Ledger, jira: JiraPort, settings: Settings, census: int, now: datetime
) -> None:
    """Look at each ticket that the census did not meet: it may be deleted, or moved elsewhere."""
    for key in ledger.missed_by_census(census):
        record = ledger.record(key)
        if record is None:
            continue
        found = jira.issue(record.ticket.id)
        if found is None or _project_of(found) != settings.jira.project:
            ledger.lose_ticket(key)
        else:  # the index lags, or it came back meanwhile
            _take([found], ledger, jira, settings, now, census, now)


def _project_of(payload: Payload) -> str:
    return str(payload["key"]).rpartition("-")[0]


def ticket_of_payload(payload: Mapping[str, Any], fields: JiraFields) -> Ticket:
    """Parse a Jira issue, as REST v2 gives it, into a ticket.

    Raises:
        UnreadableTicket: a field is missing or is not of its type; the message names the field.
    """
    raw = payload.get("fields")
    if not isinstance(raw, Mapping):
        raise UnreadableTicket(f"{payload.get('key')}: no fields in Jira's answer.")
    return Ticket(
        key=_text(payload, "key"),
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
    fields = payload["fields"]
    answered = fields.get("comment") or {}
    comments = answered.get("comments") or []
    if int(answered.get("total") or 0) > len(comments):
        comments = list(jira.comments(str(payload["key"])))
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


def read_issues(ledger: Ledger, gitlab: GitLabPort, settings: Settings, now: datetime) -> None:
    """Take every issue of ours that changed since the last reading into the ledger.

    One list for each GitLab project; an issue costs a call of its own only when people may have
    written on it. What counts is GitLab's own clock, with an overlap.

    Raises:
        ForeignFault: GitLab could not be read; the watermark of that project stays.
    """
    for project in sorted({service.project for service in settings.services.values()}):
        mark = f"gitlab.read_until:{project}"
        before = ledger.mark(mark)
        since = before and (datetime.fromisoformat(before) - _CLOCK_SKEW).isoformat()
        latest = before
        for page in batched(gitlab.issues_changed(project, since), _PAGE):
            latest = latest or str(page[0]["updated_at"])
            latest = max(latest, str(page[0]["updated_at"]), key=datetime.fromisoformat)
            known = ledger.keys_of_issues(project, [int(issue["iid"]) for issue in page])
            for issue in page:
                key, version = known.get(int(issue["iid"]), (None, ""))
                if key is not None and version != version_of_issue(issue):
                    take_issue(ledger, gitlab, key, issue, now + QUIET)
        if latest and latest != before:
            ledger.set_mark(mark, latest)
    for key in ledger.to_look_at(now):
        record = ledger.record(key)
        if record is None or record.links.project is None or record.links.issue is None:
            continue
        again = gitlab.issue(record.links.project, record.links.issue)
        if again is not None:
            take_issue(ledger, gitlab, key, again, None)


def take_issue(
    ledger: Ledger, gitlab: GitLabPort, key: str, issue: Payload, look_at: datetime | None
) -> None:
    """Take one issue, as just read, into the ledger, with what people wrote on it.

    Args:
        ledger: written to.
        gitlab: read from.
        key: the request's.
        issue: the payload.
        look_at: when it is read once more, if people wrote on it: an edit within a minute of the
            issue's last stamp leaves no trace in it.
    """
    project = str(issue["references"]["full"]).rpartition("#")[0]
    if not issue["user_notes_count"] and not ledger.thread(key, Side.GITLAB).remarks:
        ledger.take_view(key, view_of_issue(issue), None, None)
        return
    thread = thread_of_notes(gitlab, project, int(issue["iid"]))
    view = replace(view_of_issue(issue), said=digest_of(asdict(thread)))
    ledger.take_view(key, view, thread, look_at if thread.remarks else None)


def thread_of_notes(gitlab: GitLabPort, project: str, iid: int) -> Thread:
    """Read what people wrote on an issue: neither the system, nor we, nor internally."""
    return Thread(
        tuple(
            Remark(
                str(note["id"]),
                str(note["author"]["name"]),
                str(note["created_at"]),
                str(note["body"]),
            )
            for note in gitlab.notes(project, "issues", iid)
            if not note["system"]
            and not note.get("internal")
            and not note.get("confidential")
            and note["author"]["username"] != gitlab.account
        )
    )


def read_reviews(ledger: Ledger, gitlab: GitLabPort, now: datetime) -> None:
    """Take every merge request that a person may have touched into the ledger.

    One list per GitLab project in which a request waits for a person; only merge requests that
    changed since they were last read cost calls of their own, and once more a little later, since
    what follows within a minute may leave no trace in a merge request's stamp. They are asked for
    by their numbers: by a date, one approved before this ledger began would never be seen.

    Raises:
        ForeignFault: GitLab could not be read.
    """
    waiting: dict[str, dict[int, Record]] = {}
    for record in ledger.records(_UNDER_REVIEW):
        links = record.links
        if links.project and links.merge_request:
            waiting.setdefault(links.project, {})[links.merge_request] = record
    for project, by_iid in waiting.items():
        for found in gitlab.merge_requests(project, state="all", scope="all", iids=list(by_iid)):
            seen = by_iid.get(int(found["iid"]))
            if seen is None:
                continue
            changed = seen.review.updated != found["updated_at"]
            if changed or (seen.review.again and now >= datetime.fromisoformat(seen.review.again)):
                review = _review(gitlab, project, seen, found)
                again = (now + QUIET).isoformat() if changed else ""
                ledger.take_review(seen.key, replace(review, again=again))


def _review(gitlab: GitLabPort, project: str, record: Record, found: Mapping[str, Any]) -> Review:
    """Read one merge request: its head, its authors, and who approved this run's evidence."""
    evidence = evidence_mark(record.work.run or "")
    approvals: dict[str, Approval] | None = None
    notes = gitlab.notes(project, "mergerequests", int(found["iid"]))
    # In the order of their ids: an approval counts only when it follows the evidence it is about.
    for note in sorted(notes, key=lambda note: int(note["id"])):
        author = note["author"]
        username = str(author["username"])
        if username == gitlab.account and holds_mark(note["body"], evidence):
            approvals = {}
        elif note["system"] and approvals is not None:
            if note["body"].startswith("approved this merge request"):
                approvals[username] = Approval(username, str(author["name"]), note["created_at"])
            elif note["body"].startswith("unapproved this merge request"):
                approvals.pop(username, None)
    return Review(
        updated=str(found["updated_at"]),
        head=str(found["sha"]),
        state=str(found["state"]),
        approvals=tuple((approvals or {}).values()),
        authors=gitlab.commit_authors(
            project, str(found["target_branch"]), str(found["source_branch"])
        ),
    )

"""Jira's side: N tickets that exist only while they are answered, and what was done to them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.fast_trackers.patterns import Bean
from tests.fast_trackers.wire import Call, Reply

JQL = re.compile(
    r'project = "?DATA"?(?: AND updated >= "(?P<since>[^"]+)")?'
    r" ORDER BY (?P<field>key|updated) (?P<way>ASC|DESC)"
)
FIRST_ID = 10_000
PAGE = 100


def stamp(moment: datetime) -> str:
    """Return a time as Jira writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


@dataclass(slots=True)
class Changed:
    """What was done to one ticket."""

    updated: datetime
    status: Bean
    resolution: Bean | None = None
    resolved: str | None = None
    assignee: Bean | None = None
    comments: list[Bean] = field(default_factory=list)
    links: list[Bean] = field(default_factory=list)


class Jira:
    """The tickets `DATA-1` to `DATA-N`, filed evenly over the day before the start."""

    def __init__(self, tickets: int, patterns: dict[str, Any]) -> None:
        self._patterns = patterns
        self._size = tickets
        self._begin = datetime.now(UTC) - timedelta(days=1)
        self._step = timedelta(days=1) / (tickets + 1)
        # In the order of their last change; all others stand before them in the order of keys.
        self._changed: dict[int, Changed] = {}
        self._untouched = list(range(1, tickets + 1))
        self._ids = Counter[str]()
        self._zone = ZoneInfo(patterns["myself"]["timeZone"])

    def answer(self, call: Call) -> Reply:
        """Answer one call."""
        if call.path == ("_state",):
            return Reply(self._state())
        if call.path[-1] == "listApplicationlinks":
            return Reply({"list": []}, kind="applinks")
        if call.path[:3] != ("rest", "api", "2"):
            return self._missing()
        match call.method, call.path[3:]:
            case "GET", ("serverInfo" | "myself" | "field" as name,):
                return Reply(self._patterns[name], kind=name)
            case "GET" | "POST", ("search",):
                return self._search(call)
            case method, ("issue", reference, *rest) if number := self._find(reference):
                return self._about_ticket(method, number, tuple(rest), call)
        return self._missing()

    def _missing(self) -> Reply:
        return Reply(self._patterns["missing"], 404)

    def _find(self, reference: str) -> int | None:
        """Return the number of a ticket by its key or id."""
        if reference.isdigit():
            number = int(reference) - FIRST_ID
        else:
            project, _, text = reference.partition("-")
            number = int(text) if project == "DATA" and text.isdigit() else 0
        return number if 0 < number <= self._size else None

    def _about_ticket(self, method: str, number: int, rest: tuple[str, ...], call: Call) -> Reply:
        match method, rest:
            case "GET", ():
                return Reply(
                    self._ticket(number, ",".join(call.query.get("fields", ()))), kind="issue"
                )
            case "GET", ("transitions",):
                offered = self._patterns["transitions"][self._status(number)["name"]]
                return Reply({"expand": "transitions", "transitions": offered}, kind="transitions")
            case "POST", ("transitions",):
                return self._transition(number, call.body)
            case "GET", ("remotelink",):
                return Reply(self._links(number), kind="remotelink")
            case "POST", ("remotelink",):
                return self._link(number, call.body)
            case "GET", ("comment",):
                return self._comment_page(number, call)
            case "POST", ("comment",):
                return self._comment(number, call.body)
            case "PUT", ("assignee",):
                users = self._patterns["users"]
                self._touch(number).assignee = users.get(call.body["name"])
                return Reply(None, 204, kind="assignee")
        return self._missing()

    # --- reading --------------------------------------------------------------------------

    def _search(self, call: Call) -> Reply:
        given = call.body or {name: ",".join(values) for name, values in call.query.items()}
        asked = JQL.fullmatch(given.get("jql", "").strip())
        if asked is None:
            wrong = {"errorMessages": [f"Not a query of these trackers: {given}"], "errors": {}}
            return Reply(wrong, 400, kind="search")
        numbers = self._choose(asked)
        start, size = int(given.get("startAt") or 0), min(int(given.get("maxResults") or 50), PAGE)
        wanted = given.get("fields") or ""
        wanted = wanted if isinstance(wanted, str) else ",".join(wanted)
        body = {
            "expand": "schema,names",
            "startAt": start,
            "maxResults": size,
            "total": len(numbers),
            "issues": [self._ticket(n, wanted) for n in numbers[start : start + size]],
        }
        return Reply(body, kind="search")

    def _choose(self, asked: re.Match[str]) -> list[int]:
        if asked["field"] == "key":
            numbers = list(range(1, self._size + 1))
            return numbers if asked["way"] == "ASC" else numbers[::-1]
        untouched, changed = self._untouched, list(self._changed)
        if asked["since"]:
            since = datetime.strptime(asked["since"], "%Y/%m/%d %H:%M").replace(tzinfo=self._zone)
            first = -(-(since - self._begin) // self._step)
            untouched = untouched[bisect_left(untouched, first) :]
            changed = [n for n in changed if self._changed[n].updated >= since]
        numbers = untouched + changed
        return numbers if asked["way"] == "ASC" else numbers[::-1]

    def _filed(self, number: int) -> datetime:
        return self._begin + number * self._step

    def _status(self, number: int) -> Bean:
        changed = self._changed.get(number)
        first: Bean = self._patterns["tickets"][0]["fields"]["status"]
        return changed.status if changed else first

    def _ticket(self, number: int, wanted: str) -> Bean:
        pattern = self._patterns["tickets"][number % len(self._patterns["tickets"])]
        fields, changed = pattern["fields"], self._changed.get(number)
        comments = changed.comments if changed else []
        own = {
            "summary": f"Suivi {number}",
            "description": f"Où en sont les hospitalisations du groupe {number} ?",
            "created": stamp(self._filed(number)),
            "updated": stamp(changed.updated if changed else self._filed(number)),
            "status": self._status(number),
            "resolution": changed.resolution if changed else None,
            "resolutiondate": changed.resolved if changed else None,
            "assignee": changed.assignee if changed else None,
            "comment": {"comments": comments, "maxResults": len(comments), "total": len(comments),
                        "startAt": 0},
        }  # fmt: skip
        names = [n for n in wanted.split(",") if n in fields] if wanted else fields
        id_ = FIRST_ID + number
        address = pattern["self"].rpartition("/")[0]
        return {
            "expand": pattern["expand"],
            "id": str(id_),
            "self": f"{address}/{id_}",
            "key": f"DATA-{number}",
            "fields": {name: own.get(name, fields[name]) for name in names},
        }

    def _links(self, number: int) -> list[Bean]:
        changed = self._changed.get(number)
        return changed.links if changed else []

    def _comment_page(self, number: int, call: Call) -> Reply:
        changed = self._changed.get(number)
        comments = changed.comments if changed else []
        start, size = (
            int(call.argument("startAt", "0")),
            int(call.argument("maxResults", "1048576")),
        )
        body = {"startAt": start, "maxResults": size, "total": len(comments),
                "comments": comments[start : start + size]}  # fmt: skip
        return Reply(body, kind="comment")

    # --- writing --------------------------------------------------------------------------

    def _touch(self, number: int) -> Changed:
        changed = self._changed.pop(number, None)
        if changed is None:
            changed = Changed(self._filed(number), self._status(number))
            del self._untouched[bisect_left(self._untouched, number)]
        changed.updated = max(datetime.now(UTC), changed.updated + timedelta(milliseconds=1))
        self._changed[number] = changed
        return changed

    def _transition(self, number: int, body: Bean) -> Reply:
        wanted = str(body.get("transition", {}).get("id"))
        offered = self._patterns["transitions"][self._status(number)["name"]]
        chosen = next((t for t in offered if t["id"] == wanted), None)
        if chosen is None:
            return Reply(self._patterns["refused"], 400, kind="transitions")
        changed = self._touch(number)
        changed.status = chosen["to"]
        name = (body.get("fields") or {}).get("resolution", {}).get("name")
        screen = chosen["fields"].get("resolution", {}).get("allowedValues", [])
        changed.resolution = next((r for r in screen if r["name"] == name), None)
        changed.resolved = stamp(changed.updated) if changed.resolution else None
        return Reply(None, 204, kind="transitions")

    def _link(self, number: int, body: Bean) -> Reply:
        changed = self._touch(number)
        same = [k for k in changed.links if k["globalId"] == body.get("globalId")]
        id_ = same[0]["id"] if same else self._next("link")
        address = f"{self._patterns['link']['self'].partition('/issue/')[0]}/issue/DATA-{number}"
        bean = {
            **self._patterns["link"],
            "id": id_,
            "self": f"{address}/remotelink/{id_}",
            "object": {"icon": {}, "status": {"icon": {}}, **body["object"]},
            "globalId": body["globalId"],
        }
        changed.links = [bean if k["id"] == id_ else k for k in changed.links]
        changed.links += [] if same else [bean]
        body = {"id": id_, "self": bean["self"]}
        return Reply(body, 200 if same else 201, kind="remotelink")

    def _comment(self, number: int, body: Bean) -> Reply:
        changed = self._touch(number)
        id_ = self._next("comment")
        address = self._patterns["comment"]["self"].partition("/issue/")[0]
        bean = {
            **self._patterns["comment"],
            "id": str(id_),
            "self": f"{address}/issue/{FIRST_ID + number}/comment/{id_}",
            "body": body["body"],
            "created": stamp(changed.updated),
            "updated": stamp(changed.updated),
        }
        changed.comments.append(bean)
        return Reply(bean, 201, kind="comment")

    def _next(self, what: str) -> int:
        self._ids[what] += 1
        return FIRST_ID + self._ids[what]

    def _state(self) -> Bean:
        changed = self._changed.values()
        return {
            "tickets": self._size,
            "changed": len(self._changed),
            "comments": sum(len(c.comments) for c in changed),
            "links": sum(len(c.links) for c in changed),
            "statuses": dict(Counter(c.status["name"] for c in changed)),
        }

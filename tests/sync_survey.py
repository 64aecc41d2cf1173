"""What is on both sides, counted: what is there twice, and what is missing.

Read from the trackers' own store and repositories and from the ledger's tables; nothing of the
platform's code is used, so that it cannot agree with its own mistakes.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipelines.demo.world import BOT, DIRECTION, PROJECTS
from tests.sync_world import SyncWorld, custom
from wardbook.sandbox.gitlab.git import Repository
from wardbook.sandbox.store import Body, Records

DONE = {"10003", "10004"}
REQUEST_MARK = re.compile(r"^<!-- wardbook:request:\S+ (\d+) -->$", re.MULTILINE)
COPY_MARK = re.compile(r"^<!-- wardbook:(comment|attachment):(\d+) -->$", re.MULTILINE)
EFFECT_MARK = re.compile(r"^<!-- wardbook:(?!request:|comment:|attachment:)(.+) -->$", re.MULTILINE)
COPY_ANCHOR = re.compile(r"^\{anchor:wardbook-note-(\d+)\}$", re.MULTILINE)
EFFECT_ANCHOR = re.compile(r"^\{anchor:wardbook-(?!note-\d+\})(.+)\}$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is there too often (`duplicate`), not at all (`loss`), or otherwise wrong."""

    sort: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.sort}: {self.where}: {self.what}"


def survey(
    world: SyncWorld, kept: Mapping[int, Collection[str]] | None = None, *, ledger: bool = True
) -> list[Finding]:
    """Return all that is wrong on both sides.

    Args:
        world: nothing may be going on in it.
        kept: what analysts added to an issue by its number; all of it must still be there.
        ledger: whether the ledger is as old as the tickets, so that its history counts.
    """
    with world.sandbox.store.transaction(write=False) as records:
        return sorted(set(_Survey(world, records, kept or {}, ledger).findings()))


class _Survey:
    def __init__(
        self,
        world: SyncWorld,
        records: Records,
        kept: Mapping[int, Collection[str]],
        ledger: bool,
    ) -> None:
        self._world, self._records, self._kept = world, records, kept
        self._with_history = ledger
        bot = records.find("account", BOT)
        project = records.find("gitlab.project", PROJECTS[DIRECTION])
        home = records.find("jira.project", "DATA")
        assert bot is not None
        assert project is not None
        assert home is not None
        self._bot, self._project, self._home = int(bot["id"]), project, int(home["id"])
        self._names = {one["id"]: one["username"] for one in records.all("account")}

    @cached_property
    def _issues(self) -> dict[int, list[Body]]:
        """Every issue of ours by the id of the ticket that it names."""
        found: dict[int, list[Body]] = {}
        for project in self._records.all("gitlab.project"):
            for issue in self._records.all("gitlab.issue", project["id"]):
                mark = REQUEST_MARK.search(issue["description"] or "")
                if mark and issue["author"] == self._bot:
                    found.setdefault(int(mark[1]), []).append(issue)
        return found

    @cached_property
    def _at_home(self) -> set[int]:
        """The tickets that are there, and in the project that is synchronised."""
        tickets = self._records.all("jira.issue")
        return {one["id"] for one in tickets if one["project"] == self._home}

    def findings(self) -> Iterator[Finding]:
        for ticket in self._records.all("jira.issue"):
            if ticket["id"] in self._at_home:
                yield from self._ticket(ticket)
        for ticket_id, issues in self._issues.items():
            gone = ticket_id not in self._at_home
            # A ticket that went while there was no ledger is unknown to the next one.
            if gone and (self._with_history or self._is_known(ticket_id)):
                for issue in issues:
                    yield from self._gone(issue)
        yield from self._uploads()
        yield from self._links()
        yield from self._ledger()

    def _ticket(self, ticket: Body) -> Iterator[Finding]:
        key, issues = ticket["key"], self._issues.get(ticket["id"], [])
        is_good = bool(ticket["fields"].get(custom("reference")))
        is_done = ticket["fields"]["status"] in DONE
        yield from self._notices(ticket)
        if (is_good and not (is_done and self._was_refused(ticket))) or issues:
            yield from _count(key, "issue", len(issues), 1)
        if len(issues) != 1:
            return
        issue = issues[0]
        yield from self._fields(ticket, issue)
        yield from self._comments(ticket, issue)
        yield from self._notes(ticket, issue)
        yield from self._attachments(ticket, issue)
        yield from self._marks(issue, key)
        if (issue["state"] == "closed") != is_done:
            yield Finding("loss", key, f"the issue is {issue['state']}, the ticket done: {is_done}")
        if is_good and not is_done:
            yield from self._branch(ticket)
            yield from self._remote_link(ticket)

    # --- fields ---------------------------------------------------------------------------------

    def _fields(self, ticket: Body, issue: Body) -> Iterator[Finding]:
        fields, key = ticket["fields"], ticket["key"]
        wanted = {
            "title": f"{key} · {fields['summary']}",
            "due date": fields.get("duedate"),
            "labels": sorted(f"jira:{label}" for label in fields.get("labels") or []),
            "assignee": self._names.get(fields.get("assignee")),
            "confidential": True,
        }
        shown = {
            "title": issue["title"],
            "due date": issue.get("due_date"),
            "labels": sorted(one for one in issue["labels"] if one.startswith("jira:")),
            "assignee": self._names.get((issue["assignees"] or [None])[0]),
            "confidential": issue["confidential"],
        }
        for name, value in wanted.items():
            if shown[name] != value:
                yield Finding("loss", key, f"{name}: {shown[name]!r}, not {value!r}")
        states = [one for one in issue["labels"] if one.startswith("state::")]
        yield from _count(key, "state label", len(states), 1)
        text = issue["description"].partition("<!-- wardbook:request:")
        if not has_words(text[0], fields["description"]):
            yield Finding("loss", key, "the description is not the ticket's")
        there = text[2] + "\n" + "\n".join(issue["labels"])
        for added in self._kept.get(issue["iid"], ()):
            yield from _count(key, f"what an analyst added ({added})", there.count(added), 1)

    def _branch(self, ticket: Body) -> Iterator[Finding]:
        key = ticket["key"]
        path = self._world.sandbox.directory / "repositories" / f"{self._project['id']}.git"
        repository = Repository(path)
        head = repository.branch(f"request/{key}")
        if head is None:
            yield Finding("loss", key, "no branch")
            return
        out = repository.run("log", "--format=%T", f"main..{head}").decode().split()
        if len(out) != len(set(out)):
            yield Finding("duplicate", key, "a commit that changes nothing")
        files = repository.run("ls-tree", "-r", "--name-only", head).decode().split()
        if f"requests/{key}/parameters.json" not in files:
            yield Finding("loss", key, "the branch is without its files")

    def _remote_link(self, ticket: Body) -> Iterator[Finding]:
        links = self._records.all("jira.remotelink", ticket["id"])
        ours = [one for one in links if str(one["global_id"]).endswith("/issue")]
        yield from _count(ticket["key"], "remote link", len(ours), 1)

    # --- comments, notes, attachments -----------------------------------------------------------

    def _our_notes(self, issue: Body) -> list[Body]:
        notes = self._records.all("gitlab.issue.note", issue["id"])
        return [one for one in notes if one["author"] == self._bot and not one["system"]]

    def _our_comments(self, ticket: Body) -> list[Body]:
        comments = self._records.all("jira.comment", ticket["id"])
        return [one for one in comments if one["author"] == self._bot]

    def _comments(self, ticket: Body, issue: Body) -> Iterator[Finding]:
        comments = self._records.all("jira.comment", ticket["id"])
        originals = {
            one["id"]: one["body"]
            for one in comments
            if one["author"] != self._bot and not one["visibility"]
        }
        copies: dict[int, list[str]] = {}
        for note in self._our_notes(issue):
            mark = COPY_MARK.search(note["body"])
            if mark and mark[1] == "comment":
                copies.setdefault(int(mark[2]), []).append(note["body"])
        yield from _pair(ticket["key"], "comment", originals, copies)

    def _notes(self, ticket: Body, issue: Body) -> Iterator[Finding]:
        notes = self._records.all("gitlab.issue.note", issue["id"])
        originals = {
            one["id"]: one["body"]
            for one in notes
            if one["author"] != self._bot and not one["system"] and not one["internal"]
        }
        copies: dict[int, list[str]] = {}
        for comment in self._our_comments(ticket):
            if mark := COPY_ANCHOR.search(comment["body"]):
                copies.setdefault(int(mark[1]), []).append(comment["body"])
        yield from _pair(ticket["key"], "note", originals, copies)

    def _attachments(self, ticket: Body, issue: Body) -> Iterator[Finding]:
        key, directory = ticket["key"], self._world.sandbox.directory
        files = {one["id"]: one for one in self._records.all("jira.attachment", ticket["id"])}
        notes: dict[int, list[str]] = {}
        for note in self._our_notes(issue):
            mark = COPY_MARK.search(note["body"])
            if mark and mark[1] == "attachment":
                notes.setdefault(int(mark[2]), []).append(note["body"])
        for theirs in notes.keys() - files.keys():
            yield Finding("duplicate", key, f"the note of attachment {theirs} that is gone")
        for theirs in files:
            found = notes.get(theirs, [])
            yield from _count(key, f"note of attachment {theirs}", len(found), 1)
            for text in found[:1]:
                shown = re.search(r"/uploads/([0-9a-f]+)/", text)
                ours = directory / "uploads" / (shown[1] if shown else "-")
                same = (directory / "attachments" / str(theirs)).read_bytes()
                if not ours.is_file() or ours.read_bytes() != same:
                    yield Finding("loss", key, f"the content of attachment {theirs}")

    def _uploads(self) -> Iterator[Finding]:
        """Each upload belongs to one attachment that is there, or is all that is left of one."""
        wanted = {
            one["id"]
            for one in self._records.all("jira.attachment")
            if one["issue"] in self._issues and one["issue"] in self._at_home
        }
        found = Counter(
            int(one["name"].partition("-")[0]) for one in self._records.all("gitlab.upload")
        )
        for theirs in wanted | found.keys():
            times = found[theirs]
            if theirs not in self._last_copies or times != 1:
                yield from _count("uploads", f"attachment {theirs}", times, theirs in wanted)

    @cached_property
    def _last_copies(self) -> set[int]:
        """The attachments of tickets that are gone: nothing of them is erased in GitLab."""
        marks = (
            COPY_MARK.search(note["body"])
            for ticket, issues in self._issues.items()
            if ticket not in self._at_home
            for issue in issues
            for note in self._our_notes(issue)
        )
        return {int(mark[2]) for mark in marks if mark and mark[1] == "attachment"}

    # --- what is said once ----------------------------------------------------------------------

    def _marks(self, issue: Body, key: str) -> Iterator[Finding]:
        marks = Counter(
            mark[1] for note in self._our_notes(issue) if (mark := EFFECT_MARK.search(note["body"]))
        )
        for mark, count in marks.items():
            yield from _count(key, f"note {mark}", count, 1)

    def _notices(self, ticket: Body) -> Iterator[Finding]:
        key = ticket["key"]
        said = Counter(
            anchor[1]
            for comment in self._our_comments(ticket)
            if (anchor := EFFECT_ANCHOR.search(comment["body"]))
        )
        for anchor, count in said.items():
            yield from _count(key, f"notice {anchor}", count, 1)
        if self._with_history:
            for event, name in (("gate.refused", "refused"), ("request.closed", "closed")):
                told = sum(f"-{name}-jira.comment" in anchor for anchor in said)
                yield from _count(key, f"notices of {event}", told, self._moves(key, event))

    def _moves(self, key: str, event: str) -> int:
        """How often the ledger says that a move was made which the requester is told of."""
        actor = "analyst" if event == "request.closed" else "%"
        with closing(sqlite3.connect(self._world.ledger)) as ledger:
            (count,) = ledger.execute(
                "select count(*) from events where request_key = ? and event = ? and actor like ?",
                (key, event, actor),
            ).fetchone()
        return int(count)

    def _links(self) -> Iterator[Finding]:
        numbers = {
            ticket: issues[0]["id"] for ticket, issues in self._issues.items() if len(issues) == 1
        }
        wanted = {
            frozenset((numbers[one["inward"]], numbers[one["outward"]]))
            for one in self._records.all("jira.link")
            if one["inward"] in numbers and one["outward"] in numbers
        }
        made = Counter(
            frozenset((one["source"], one["target"])) for one in self._records.all("gitlab.link")
        )
        for pair in wanted | made.keys():
            yield from _count("links", f"of issues {sorted(pair)}", made[pair], pair in wanted)

    def _gone(self, issue: Body) -> Iterator[Finding]:
        """The ticket is deleted or moved away: its issue is closed, until somebody opens it."""
        moves = [
            note
            for note in self._records.all("gitlab.issue.note", issue["id"])
            if note["system"] and note["body"] in ("closed", "reopened")
        ]
        opened_by_hand = bool(moves) and moves[-1]["author"] != self._bot
        if issue["state"] != "closed" and not opened_by_hand:
            yield Finding("loss", f"issue {issue['iid']}", "its ticket is gone, and it is open")
        if not {"state::closed", "state::answered", "state::reopened"} & set(issue["labels"]):
            yield Finding("loss", f"issue {issue['iid']}", "its ticket is gone, and it goes on")

    def _was_refused(self, ticket: Body) -> bool:
        """Tell whether a ticket was closed as one that the gate refused: nothing is asked of it."""
        with closing(sqlite3.connect(self._world.ledger)) as ledger:
            query = "select json_type(request) from requests where ticket_id = ?"
            row = ledger.execute(query, (str(ticket["id"]),)).fetchone()
        return row is not None and row[0] in (None, "null")

    def _is_known(self, ticket_id: int) -> bool:
        with closing(sqlite3.connect(self._world.ledger)) as ledger:
            query = "select 1 from requests where ticket_id = ?"
            return ledger.execute(query, (str(ticket_id),)).fetchone() is not None

    def _ledger(self) -> Iterator[Finding]:
        with closing(sqlite3.connect(self._world.ledger)) as ledger:
            for key, error in ledger.execute(
                "select key, error from effects where done_at is null"
            ):
                yield Finding("loss", "ledger", f"{key} was not done: {error}")
            for key, reason in ledger.execute("select ticket_key, reason from dead_letters"):
                yield Finding("loss", "ledger", f"{key} cannot be read: {reason}")
            for key, why in ledger.execute(
                "select request_key, skipped from twins join requests on key = request_key "
                "where skipped != '' and ticket_updated != ''"  # of a ticket that is there
            ):
                yield Finding("loss", "ledger", f"{key}: not copied: {why}")


def _pair(
    key: str, name: str, originals: Mapping[int, str], copies: Mapping[int, list[str]]
) -> Iterator[Finding]:
    for theirs in copies.keys() - originals.keys():
        yield Finding("duplicate", key, f"the copy of {name} {theirs}, which is not there for all")
    for theirs, text in originals.items():
        found = copies.get(theirs, [])
        yield from _count(key, f"copy of {name} {theirs}", len(found), 1)
        if found and not has_words(found[0], text):
            yield Finding("loss", key, f"the copy of {name} {theirs} reads otherwise: {text!r}")


def _count(where: str, what: str, found: int, wanted: int | bool) -> Iterator[Finding]:
    if found > wanted:
        yield Finding("duplicate", where, f"{what}: {found} times, not {int(wanted)}")
    elif found < wanted:
        yield Finding("loss", where, f"{what}: {found} times, not {int(wanted)}")


def has_words(text: str, original: Any) -> bool:
    """Tell whether all words of an original stand in a text, in their order."""
    words: list[str] = re.findall(r"[^\W_]+", str(original or ""))
    there = iter(re.findall(r"[^\W_]+", text))
    return all(word in there for word in words)

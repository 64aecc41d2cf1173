"""What people may do next, chosen by chance among what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from pipelines.demo.world import BOT, DIRECTION, PROJECTS
from tests.sync_hands import PEOPLE, REQUESTER, Hands
from tests.sync_survey import DONE
from tests.sync_world import SyncWorld, custom

Body = Mapping[str, Any]


class Sights:
    """What people see on both trackers, as far as they may touch it."""

    def __init__(self, world: SyncWorld) -> None:
        self._world = world

    def tickets(self, *, done: bool | None = None) -> list[Body]:
        found = [one for one in self._all("jira.issue") if one["key"].startswith("DATA-")]
        if done is None:
            return found
        return [one for one in found if (one["fields"]["status"] in DONE) == done]

    def comments(self, ticket: Body, *, restricted: bool = False) -> list[Body]:
        mine = self._account(REQUESTER)
        return [
            one
            for one in self._all("jira.comment", ticket["id"])
            if one["author"] == mine and bool(one["visibility"]) == restricted
        ]

    def attachments(self, ticket: Body) -> list[Body]:
        return self._all("jira.attachment", ticket["id"])

    def links(self) -> list[Body]:
        return self._all("jira.link")

    def issues(self, state: str | None = None) -> list[Body]:
        project = PROJECTS[DIRECTION]
        with self._world.sandbox.store.transaction(write=False) as records:
            owner = (records.find("gitlab.project", project) or {})["id"]
            found = records.all("gitlab.issue", owner)
        return [one for one in found if state in (None, one["state"])]

    def notes(self, issue: Body) -> list[Body]:
        bot = self._account(BOT)
        notes = self._all("gitlab.issue.note", issue["id"])
        return [
            one
            for one in notes
            if one["author"] != bot and not one["system"] and not one["internal"]
        ]

    def _all(self, kind: str, owner: int | None = None) -> list[Body]:
        with self._world.sandbox.store.transaction(write=False) as records:
            return list(records.all(kind, owner))

    def _account(self, username: str) -> int:
        with self._world.sandbox.store.transaction(write=False) as records:
            return int((records.find("account", username) or {})["id"])


class Acts:
    """Everything that somebody may do; an act that finds nothing to be done on does nothing."""

    def __init__(self, world: SyncWorld, chance: Random) -> None:
        self.hands = Hands(world, chance)
        self._sights = Sights(world)
        self._chance = chance
        self.ledger_counts = True
        self.all: Mapping[str, Callable[[], object]] = {
            "file": self.file,
            "edit": self.edit,
            "mend": self.mend,
            "comment": self.comment,
            "edit comment": self.edit_comment,
            "delete comment": self.delete_comment,
            "hide comment": self.hide_comment,
            "attach": self.attach,
            "detach": self.detach,
            "link": self.link,
            "unlink": self.unlink,
            "assign ticket": self.assign_ticket,
            "close ticket": self.close_ticket,
            "reopen ticket": self.reopen_ticket,
            "delete ticket": self.delete_ticket,
            "move ticket": self.move_ticket,
            "note": self.note,
            "internal note": self.internal_note,
            "edit note": self.edit_note,
            "delete note": self.delete_note,
            "assign issue": self.assign_issue,
            "close issue": self.close_issue,
            "reopen issue": self.reopen_issue,
            "add text": self.add_text,
            "add label": self.add_label,
            "retitle": self.retitle,
        }

    def one(self) -> str:
        """Do one thing; return its name."""
        rare = {"delete ticket", "move ticket", "mend"}
        names = [name for name in self.all for _ in range(1 if name in rare else 3)]
        name = self._chance.choice(names)
        self.all[name]()
        return name

    # --- Jira -----------------------------------------------------------------------------------

    def file(self) -> None:
        if len(self._sights.tickets()) < 3:
            key = self.hands.file(good=self._chance.random() < 0.8)
            if self._chance.random() < 0.4:
                self.hands.comment(key)
            if self._chance.random() < 0.3:
                self.hands.attach(key)

    def edit(self) -> None:
        if ticket := self._pick(self._sights.tickets()):
            fields: dict[str, Any] = {
                "summary": {"summary": f"Titre {self.hands.words()}"},
                "description": {"description": f"Texte {self.hands.words()}"},
                "labels": {"labels": [self.hands.words().split()[0]]},
                "due": {"duedate": f"2030-01-{self._chance.randint(10, 28)}"},
            }
            self.hands.edit(ticket["key"], fields[self._chance.choice(sorted(fields))])

    def mend(self) -> None:
        if ticket := self._pick(self._sights.tickets()):
            is_good = bool(ticket["fields"].get(custom("reference")))
            self.hands.mend(ticket["key"], good=not is_good)

    def comment(self) -> None:
        if ticket := self._pick(self._sights.tickets()):
            self.hands.comment(ticket["key"], restricted=self._chance.random() < 0.2)

    def edit_comment(self) -> None:
        self._on_comment(self.hands.edit_comment)

    def delete_comment(self) -> None:
        self._on_comment(self.hands.delete_comment)

    def hide_comment(self) -> None:
        self._on_comment(self.hands.restrict_comment)

    def _on_comment(self, do: Callable[[str, str], None]) -> None:
        pairs = [(t, c) for t in self._sights.tickets() for c in self._sights.comments(t)]
        if chosen := self._pick(pairs):
            do(chosen[0]["key"], str(chosen[1]["id"]))

    def attach(self) -> None:
        if ticket := self._pick(self._sights.tickets()):
            self.hands.attach(ticket["key"])

    def detach(self) -> None:
        files = [one for t in self._sights.tickets() for one in self._sights.attachments(t)]
        if file := self._pick(files):
            self.hands.detach(file["id"])

    def link(self) -> None:
        tickets = self._sights.tickets()
        if len(tickets) > 1:
            one, other = self._chance.sample(tickets, 2)
            self.hands.link(one["key"], other["key"], self._chance.choice(["Relates", "Blocks"]))

    def unlink(self) -> None:
        if link := self._pick(self._sights.links()):
            self.hands.unlink(link["id"])

    def assign_ticket(self) -> None:
        if ticket := self._pick(self._sights.tickets()):
            self.hands.assign_ticket(ticket["key"], self._chance.choice(PEOPLE))

    def close_ticket(self) -> None:
        if ticket := self._pick(self._sights.tickets(done=False)):
            self.hands.close_ticket(ticket["key"])

    def reopen_ticket(self) -> None:
        if ticket := self._pick(self._sights.tickets(done=True)):
            self.hands.reopen_ticket(ticket["key"])

    def delete_ticket(self) -> None:
        if ticket := self._pick(self._sights.tickets()):
            self.hands.delete_ticket(ticket["key"])

    def move_ticket(self) -> None:
        if ticket := self._pick(self._sights.tickets()):
            self.hands.move_ticket(ticket["key"])

    # --- GitLab ---------------------------------------------------------------------------------

    def note(self) -> None:
        if issue := self._pick(self._sights.issues()):
            self.hands.note(issue["iid"])

    def internal_note(self) -> None:
        if issue := self._pick(self._sights.issues()):
            self.hands.note(issue["iid"], internal=True)

    def edit_note(self) -> None:
        self._on_note(self.hands.edit_note)

    def delete_note(self) -> None:
        self._on_note(self.hands.delete_note)

    def _on_note(self, do: Callable[[int, int], None]) -> None:
        pairs = [(i, n) for i in self._sights.issues() for n in self._sights.notes(i)]
        if chosen := self._pick(pairs):
            do(chosen[0]["iid"], chosen[1]["id"])

    def assign_issue(self) -> None:
        if issue := self._pick(self._sights.issues()):
            self.hands.assign_issue(issue["iid"], self._chance.choice(PEOPLE))

    def close_issue(self) -> None:
        if issue := self._pick(self._sights.issues("opened")):
            self.hands.set_issue(issue["iid"], "close")

    def reopen_issue(self) -> None:
        if issue := self._pick(self._sights.issues("closed")):
            self.hands.set_issue(issue["iid"], "reopen")

    def add_text(self) -> None:
        if issue := self._pick(self._sights.issues()):
            self.hands.add_below(issue["iid"])

    def add_label(self) -> None:
        if issue := self._pick(self._sights.issues()):
            self.hands.add_label(issue["iid"])

    def retitle(self) -> None:
        if issue := self._pick(self._sights.issues()):
            self.hands.retitle(issue["iid"])

    def _pick(self, things: list[Any]) -> Any:
        return self._chance.choice(things) if things else None

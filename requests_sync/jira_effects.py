"""Effects of the request's way on Jira: comments, links to other sites, the status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from requests_sync.jira_port import JiraPort
from requests_sync.marks import effect_anchor
from requests_sync.sight import Sight
from wardbook.domain.record import Intent, Outcome, Record


@dataclass(frozen=True)
class JiraComment:
    """A comment on the ticket."""

    jira: JiraPort
    sight: Sight

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the effect's mark in the comments that our account wrote."""
        comment = self.sight.comment(record.ticket.key, effect_anchor(intent))
        return Outcome(detail={"comment": comment["id"]}) if comment else None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Write the comment with its mark."""
        text = f"{intent.payload['text']}\n{effect_anchor(intent)}"
        return Outcome(detail={"comment": self.jira.add_comment(record.ticket.key, text)})


@dataclass(frozen=True)
class JiraLink:
    """A remote link on the ticket; Jira itself keeps one for each global id."""

    jira: JiraPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for a link with this global id and address."""
        for link in self.jira.remote_links(record.ticket.key):
            same = link.get("globalId") == link_identity(record, intent.payload["what"])
            if same and link["object"]["url"] == _link_url(intent, record):
                return Outcome()
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Create the link or bring it up to date."""
        self.jira.put_remote_link(
            record.ticket.key,
            link_identity(record, intent.payload["what"]),
            _link_url(intent, record),
            intent.payload["title"],
        )
        return Outcome()


def link_identity(record: Record, what: str) -> str:
    """Return the global id of a request's remote link to its issue, or another thing of it."""
    return f"system=wardbook&id={record.key}/{what}"


def _link_url(intent: Intent, record: Record) -> str:
    if intent.payload["what"] == "issue":
        return str(record.links.issue_url)
    return str(intent.payload["url"])


@dataclass(frozen=True)
class JiraTransition:
    """The ticket's status, led through the workflow's own transitions."""

    jira: JiraPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the ticket has the status."""
        status, done = self.jira.status(record.ticket.key)
        return _status_outcome(status, done) if status == intent.payload["status"] else None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Make the transition that leads there, at need by way of the status of reopened tickets.

        One that is not offered, or whose screen wants more than a resolution, is reported, not
        forced.
        """
        key, wanted = record.ticket.key, intent.payload["status"]
        offered = self._offered(key)
        if wanted in offered:
            return self._make(key, offered[wanted], intent)
        status, done = self.jira.status(key)
        if status == wanted:
            return _status_outcome(status, done)
        if done and not record.agreed.ticket_done:
            # Both sides agreed that it is open: somebody closed it since, and is followed.
            seen = {"status": status, "done": done}
            return Outcome(detail={"skipped": f"it was set to {status}"}, ticket=seen)
        if intent.payload["todo"] in offered:
            outcome = self._make(key, offered[intent.payload["todo"]], intent)
            if "skipped" in outcome.detail:
                return outcome
            offered = self._offered(key)
            if wanted in offered:
                return self._make(key, offered[wanted], intent)
            status, done = self.jira.status(key)
        reason = f"from {status} the workflow offers no transition to {wanted}"
        return replace(_status_outcome(status, done), detail={"skipped": reason})

    def _offered(self, key: str) -> dict[str, Mapping[str, Any]]:
        """Return the moves that the workflow offers now, by the status to which they lead."""
        return {move["to"]["name"]: move for move in self.jira.transitions(key)}

    def _make(self, key: str, move: Mapping[str, Any], intent: Intent) -> Outcome:
        """Make a move that is offered, unless its screen wants what we do not have."""
        screen: Mapping[str, Any] = move.get("fields") or {}
        fields = {}
        if "resolution" in screen:
            fields["resolution"] = {"name": intent.payload["resolution"]}
        unknown = [n for n, f in screen.items() if f.get("required") and n not in fields]
        if unknown:
            return Outcome(detail={"skipped": f"the transition's screen wants {unknown}"})
        self.jira.transition(key, move["id"], fields)
        done = (move["to"].get("statusCategory") or {}).get("key") == "done"
        return _status_outcome(
            move["to"]["name"], done, intent.payload["resolution"] if done else ""
        )


def _status_outcome(status: str, done: bool, resolution: str | None = None) -> Outcome:
    known = {} if resolution is None else {"resolution": resolution}
    return Outcome(
        detail={"status": status},
        ticket={"status": status, "done": done} | known,
        agreed={"ticket_done": done},
    )

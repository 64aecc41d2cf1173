"""People at work on both trackers, over the trackers' own APIs, each under their own name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote

import requests

from pipelines.demo.world import ANALYST, DIRECTION, PROJECTS, REVIEWER
from tests.sync_world import ADMINISTRATOR, TEAM, SyncWorld, custom

REQUESTER = "cmoreau"
PROJECT = PROJECTS[DIRECTION]
WORDS = ("été", "hôpital", "*fièvre*", "où", "çà", "œdème", "naïf", "_lits_", "garde")


class Hands:
    """What people can do. Each act gets words of its own, so that nothing is taken for another."""

    def __init__(self, world: SyncWorld, chance: Random) -> None:
        self._world = world
        self._chance = chance
        self._http = requests.Session()
        self._http.trust_env = False
        self._said = 0
        self.last = 0
        """The number of the note that was written last."""
        self.kept: dict[int, list[str]] = {}
        """What an analyst added to an issue's description and labels, by the issue's number."""

    def close(self) -> None:
        self._http.close()

    def words(self) -> str:
        self._said += 1
        return f"dit{self._said} {self._chance.choice(WORDS)} {self._chance.choice(WORDS)}"

    # --- Jira -----------------------------------------------------------------------------------

    def file(self, *, good: bool = True, **fields: Any) -> str:
        """File a ticket, one that the gate accepts or one that it refuses; return its key."""
        expires = datetime.now(UTC).date() + timedelta(days=365)
        body = {
            "project": {"key": "DATA"},
            "issuetype": {"name": "Demande de données"},
            "summary": f"Demande {self.words()}",
            "description": f"Combien ? {self.words()}",
            "components": [{"name": DIRECTION}],
            custom("purpose"): {"value": "Soins"},
            custom("legal_basis"): {"value": "Accord du chef de service"},
            custom("reference"): "NOTE-1" if good else "",
            custom("expires"): expires.isoformat(),
            custom("approver"): {"name": "hbernard"},
            custom("template"): "tiny",
            custom("language"): {"value": "Français"},
        }
        return str(self.jira("POST", "issue", {"fields": body | fields})["key"])

    def edit(self, key: str, fields: dict[str, Any]) -> None:
        self.jira("PUT", f"issue/{key}", {"fields": fields})

    def mend(self, key: str, *, good: bool) -> None:
        self.edit(key, {custom("reference"): "NOTE-1" if good else ""})

    def comment(self, key: str, *, restricted: bool = False) -> str:
        body: dict[str, Any] = {"body": self.words()}
        if restricted:
            body["visibility"] = {"type": "group", "value": TEAM}
        return str(self.jira("POST", f"issue/{key}/comment", body)["id"])

    def edit_comment(self, key: str, comment: str) -> None:
        self.jira("PUT", f"issue/{key}/comment/{comment}", {"body": self.words()})

    def restrict_comment(self, key: str, comment: str) -> None:
        body = {"body": self.words(), "visibility": {"type": "group", "value": TEAM}}
        self.jira("PUT", f"issue/{key}/comment/{comment}", body)

    def delete_comment(self, key: str, comment: str) -> None:
        self.jira("DELETE", f"issue/{key}/comment/{comment}")

    def attach(self, key: str) -> None:
        text = self.words()
        answer = self._http.post(
            f"{self._world.sandbox.jira_url}/rest/api/2/issue/{key}/attachments",
            files={"file": (f"{text.split()[0]}.txt", text.encode(), "text/plain")},
            headers={"X-Atlassian-Token": "no-check"} | self._signed(REQUESTER),
            timeout=30,
        )
        answer.raise_for_status()

    def detach(self, attachment: int) -> None:
        self.jira("DELETE", f"attachment/{attachment}")

    def link(self, key: str, other: str, kind: str = "Relates") -> None:
        ends = {"inwardIssue": {"key": key}, "outwardIssue": {"key": other}}
        self.jira("POST", "issueLink", {"type": {"name": kind}} | ends)

    def unlink(self, link: int) -> None:
        self.jira("DELETE", f"issueLink/{link}")

    def assign_ticket(self, key: str, person: str | None) -> None:
        self.jira("PUT", f"issue/{key}/assignee", {"name": person})

    def close_ticket(self, key: str) -> None:
        """Resolve a ticket by whatever way its status offers."""
        self._walk(key, {"51"}, {"41", "11"})

    def reopen_ticket(self, key: str) -> None:
        self._walk(key, {"71"}, set())

    def _walk(self, key: str, last: set[str], before: set[str]) -> None:
        for _ in range(3):
            offered = self.jira("GET", f"issue/{key}/transitions")["transitions"]
            ids = {one["id"] for one in offered}
            if chosen := (ids & last or ids & before):
                (move,) = sorted(chosen)[:1]
                fields = {"resolution": {"name": "Annulé"}} if move == "51" else {}
                body = {"transition": {"id": move}, "fields": fields}
                self.jira("POST", f"issue/{key}/transitions", body)
            if not chosen or ids & last:
                return

    def delete_ticket(self, key: str) -> None:
        self.jira("DELETE", f"issue/{key}", person=ADMINISTRATOR)

    def move_ticket(self, key: str) -> None:
        self._world.sandbox.move_ticket(key, "AUTRE")

    # --- GitLab ---------------------------------------------------------------------------------

    def note(self, iid: int, *, internal: bool = False) -> int:
        body = {"body": self.words(), "internal": internal}
        self.last = int(self.gitlab("POST", f"issues/{iid}/notes", body)["id"])
        return self.last

    def edit_note(self, iid: int, note: int) -> None:
        self.gitlab("PUT", f"issues/{iid}/notes/{note}", {"body": self.words()})

    def delete_note(self, iid: int, note: int) -> None:
        self.gitlab("DELETE", f"issues/{iid}/notes/{note}")

    def assign_issue(self, iid: int, person: str | None) -> None:
        ids = [self._account(person)] if person else [0]
        self.gitlab("PUT", f"issues/{iid}", {"assignee_ids": ids})

    def set_issue(self, iid: int, event: str) -> None:
        self.gitlab("PUT", f"issues/{iid}", {"state_event": event})

    def add_below(self, iid: int) -> None:
        """Write below the platform's text, as an analyst keeps working notes."""
        text = self.words()
        before = self.gitlab("GET", f"issues/{iid}")["description"]
        self.gitlab("PUT", f"issues/{iid}", {"description": f"{before}\n\n{text}"})
        self.kept.setdefault(iid, []).append(text)

    def add_label(self, iid: int) -> None:
        label = self.words().split()[0]
        self.gitlab("PUT", f"issues/{iid}", {"add_labels": label})
        self.kept.setdefault(iid, []).append(label)

    def retitle(self, iid: int) -> None:
        self.gitlab("PUT", f"issues/{iid}", {"title": self.words()})

    # --- calls ----------------------------------------------------------------------------------

    def jira(self, method: str, path: str, body: Any = None, person: str = REQUESTER) -> Any:
        return self._call(method, f"{self._world.sandbox.jira_url}/rest/api/2/{path}", body, person)

    def gitlab(self, method: str, path: str, body: Any = None, person: str = ANALYST) -> Any:
        project = quote(PROJECT, safe="")
        url = f"{self._world.sandbox.gitlab_url}/api/v4/projects/{project}/{path}"
        return self._call(method, url, body, person)

    def _call(self, method: str, url: str, body: Any, person: str) -> Any:
        answer = self._http.request(
            method, url, json=body, headers=self._signed(person), timeout=30
        )
        assert answer.ok, f"{person}: {method} {url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def _signed(self, person: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._world.demo.token(person)}"}

    def _account(self, username: str) -> int:
        with self._world.sandbox.store.transaction(write=False) as records:
            account = records.find("account", username)
        assert account is not None
        return int(account["id"])


PEOPLE = (ANALYST, REVIEWER, None)

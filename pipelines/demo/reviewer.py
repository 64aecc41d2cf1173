"""The demonstration's reviewers: people of the unit who read the evidence and approve."""

from __future__ import annotations

from typing import Any

from pipelines.demo.world import OFFICER, REVIEWER, World
from pipelines.house import House
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.sandbox import Sandbox


class Reviewer:
    """Approves, in GitLab and with accounts of their own, what is held.

    What is about persons takes two: the reviewer, and the data-protection officer.
    """

    def __init__(self, sandbox: Sandbox, world: World) -> None:
        import gitlab

        self._clients = {
            person: gitlab.Gitlab(sandbox.gitlab_url, private_token=world.token(person), timeout=30)
            for person in (REVIEWER, OFFICER)
        }

    def look_through(self, house: House) -> None:
        """Approve the merge request of every held request whose evidence is shown."""
        for record in house.ledger.records([State.HELD]):
            if not house.ledger.open_intents(record.key):
                needed = house.circumstances.panel_of(record).needed
                for person in (REVIEWER, OFFICER)[:needed]:
                    self._approve(person, record)

    def _approve(self, person: str, record: Record) -> None:
        links = record.links
        if links.project is None or links.merge_request is None:
            return
        project = self._clients[person].projects.get(links.project, lazy=True)
        merge_request: Any = project.mergerequests.get(links.merge_request)
        approved = merge_request.approvals.get().approved_by
        if not any(one["user"]["username"] == person for one in approved):
            merge_request.approve(sha=merge_request.sha)

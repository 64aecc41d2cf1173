"""The demonstration's reviewer: a person of the unit who reads the evidence and approves."""

from __future__ import annotations

from typing import Any

from pipelines.demo.world import REVIEWER, World
from pipelines.house import House
from wardbook.domain.states import State
from wardbook.sandbox import Sandbox


class Reviewer:
    """Approves, in GitLab and with an account of their own, what is held."""

    def __init__(self, sandbox: Sandbox, world: World) -> None:
        import gitlab

        self._client = gitlab.Gitlab(
            sandbox.gitlab_url, private_token=world.token(REVIEWER), timeout=30
        )

    def look_through(self, house: House) -> None:
        """Approve the merge request of every held request whose evidence is shown."""
        for record in house.ledger.records([State.HELD]):
            shown = not house.ledger.open_intents(record.key)
            links = record.links
            if shown and links.project and links.merge_request:
                project = self._client.projects.get(links.project, lazy=True)
                self._approve(project.mergerequests.get(links.merge_request))

    def _approve(self, merge_request: Any) -> None:
        approved = merge_request.approvals.get().approved_by
        if not any(one["user"]["username"] == REVIEWER for one in approved):
            merge_request.approve(sha=merge_request.sha)

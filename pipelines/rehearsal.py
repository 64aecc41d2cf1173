"""A rehearsal: a pass on a copy of the ledger, in which nothing happens outside.

Both trackers are read, everything is decided as in a real pass, and each effect that would be made
is told instead. What an effect would lead to is pretended as far as later ones need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.house import House
from pipelines.story import Pass, sync
from requests_sync.effects import Effect
from requests_sync.issue_fields import shown_digest
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.ledger.copying import copy_ledger
from wardbook.settings import Settings

_NOWHERE = 0
"""The number of an issue that is not there: GitLab counts from 1."""


@dataclass(frozen=True)
class Planned:
    """An effect that a real pass would make: of which request, of what kind, and on what."""

    request: str
    kind: str
    part: str


@dataclass(frozen=True)
class _Pretended:
    """Tells an effect in the place of making it."""

    real: Effect
    planned: list[Planned]

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for it as in a real pass, unless its issue is a pretended one."""
        if record.links.issue == _NOWHERE:
            return None
        return self.real.find(intent, record)

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Tell it."""
        part = intent.key.rpartition("/")[2].partition("~")[0]
        self.planned.append(Planned(record.key, intent.kind, part))
        if intent.kind == "gitlab.issue":
            links = {"project": intent.payload["project"], "issue": _NOWHERE, "issue_url": ""}
            shown = shown_digest(intent.payload["fields"])
            view = {"updated": "pretended", "shown": shown}
            return Outcome(links, view=view, agreed={"wanted": shown, "shown": shown})
        return Outcome(detail={"pretended": True})


class Rehearsal(House):
    """A house whose effects are told, not made."""

    def __init__(self, settings: Settings, given: House) -> None:
        super().__init__(settings, given.now)
        self.planned: list[Planned] = []

    def effects(self) -> Mapping[str, Effect]:
        """Return every kind of effect, pretended."""
        return {kind: _Pretended(real, self.planned) for kind, real in super().effects().items()}


def rehearse(house: House) -> tuple[Pass, list[Planned]]:
    """Rehearse one synchronisation; returns what it came to, and the effects it would make."""
    with TemporaryDirectory(prefix="wardbook-rehearsal-") as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        copy_ledger(house.ledger, url)
        one_worker = house.settings.sync.model_copy(update={"workers": 1})
        settings = house.settings.model_copy(update={"ledger": url, "sync": one_worker})
        rehearsal = Rehearsal(settings, house)
        with rehearsal:
            return sync(rehearsal), rehearsal.planned

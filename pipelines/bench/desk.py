"""The desk: one analyst's bench, its folder, and the house whose requests lie on it.

    FOLDER/KEY/            the clone of the service's repository, on the branch request/KEY
    FOLDER/KEY/requests/KEY/notebook.ipynb, parameters.json, request.json
    FOLDER/try/NAME/       a template tried without a ticket: the same three files
    FOLDER/.bench/         readable by the analyst alone: runs, extracts, sessions; never in git
    FOLDER/.bench/KEY/     what the bench keeps of one request: session/, runs/, bench.json

Production is never written to: the ledger is read, facts are noted in its audit log, and the only
way out is a push to the request's branch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.house import House
from pipelines.steps.prepare import branch_of, folder_of
from wardbook.audit.account import Act
from wardbook.domain.record import Record
from wardbook.errors import Refusal
from wardbook.messages import Language, say
from wardbook.settings import Settings

KEY = re.compile(r"[A-Z][A-Z0-9_]{0,29}-[1-9][0-9]{0,9}")
PRIVATE = ".bench"


class BenchRefusal(Refusal):
    """Something on the bench that the analyst can mend; the message is for them, one sentence."""


@dataclass(frozen=True)
class Desk:
    """One analyst's bench. `settings` are the unit's, `language` is the analyst's."""

    settings: Settings
    language: Language
    act: Act | None = None

    @property
    def folder(self) -> Path:
        """Where requests are opened."""
        return self.settings.bench.folder

    @property
    def private(self) -> Path:
        """What stands beside the requests and is for nobody else: runs, extracts, sessions."""
        return self.folder / PRIVATE

    def open_house(self) -> House:
        """Open the unit's house with the bench as its secure side: the ledger is the unit's.

        Runs, extracts, kept environments and versions of data are the analyst's own, so that what
        is tried here is never taken for what production made. A context manager, for one thread.
        """
        unit = self.settings.unit.model_copy(update={"state": self.private})
        return House(self.settings.model_copy(update={"unit": unit}), act=self.act)

    def place(self, key: str) -> Place:
        """Return where a request lies.

        Raises:
            BenchRefusal: it is not a request's key.
        """
        if not KEY.fullmatch(key):
            raise BenchRefusal(say(self.language, "bench.no_request", key=key[:40]))
        return Place(self, key)


@dataclass(frozen=True)
class Place:
    """Where one request lies on a desk."""

    desk: Desk
    key: str

    @property
    def clone(self) -> Path:
        """The clone of the service's repository."""
        return self.desk.folder / self.key

    @property
    def branch(self) -> str:
        """The request's branch."""
        return branch_of(self.key)

    @property
    def folder(self) -> Path:
        """The request's folder in the clone."""
        return self.clone / folder_of(self.key)

    @property
    def private(self) -> Path:
        """What the bench keeps of it."""
        return self.desk.private / self.key

    @property
    def session(self) -> Path:
        """A folder laid out like a run's, of which the analyst's kernels take their values."""
        return self.private / "session"

    def notebook(self, record: Record, house: House) -> Path:
        """Return the request's notebook.

        Raises:
            BenchRefusal: the request did not pass the gate, or its template is not there any more.
        """
        request = record.request
        template = house.templates.get(request.template) if request else None
        if template is None:
            raise BenchRefusal(say(self.desk.language, "bench.no_template", key=self.key))
        return self.folder / template.spec.notebook

"""What the ledger knows of a request: where it stands and what it has led to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wardbook.domain.made_from import MadeFrom
from wardbook.domain.mirror import Agreed, IssueView, Twin, TwinKind
from wardbook.domain.output import Channel, Check
from wardbook.domain.request import Request
from wardbook.domain.run import Failure
from wardbook.domain.states import State
from wardbook.domain.ticket import Ticket


@dataclass(frozen=True)
class Problem:
    """One thing the gate found: a field of Ticket and a message code of topic `gate`.

    `found` is the requester's own text, cut short; `example` is a valid value; `name` is the
    parameter, source or template that the message is about, where it is about one.
    """

    field: str
    code: str
    found: str = ""
    example: str = ""
    name: str = ""


@dataclass(frozen=True)
class Deliverable:
    """A released output on its channel: how a reader finds it, and its file's name.

    `folder` is where it stands on our side, its receipt beside it. A sealed file's name tells
    nothing; `plain_name` is what its recipient calls what is in it.
    """

    name: str
    run: str
    channel: Channel
    address: str
    folder: str
    file: str
    plain_name: str = ""


@dataclass(frozen=True)
class Links:
    """What exists outside for this request; filled by the outcomes of effects."""

    project: str | None = None
    issue: int | None = None
    issue_url: str | None = None
    branch: str | None = None
    head: str | None = None
    merge_request: int | None = None
    merge_request_url: str | None = None
    deliverables: tuple[Deliverable, ...] = ()


@dataclass(frozen=True)
class Approval:
    """One person's approval of a merge request; `at` is GitLab's stamp (ISO 8601).

    `account` is GitLab's number of the account, which stays when it is renamed; `state` is active
    or blocked.
    """

    username: str
    name: str
    at: str
    account: int = 0
    state: str = "active"


@dataclass(frozen=True)
class TurnDown:
    """A reviewer's refusal of what they were shown: who, and why.

    `causes` are numbers of the usual causes that they named; `text` is their own, which stays in
    GitLab. Closing the merge request needs neither.
    """

    username: str
    name: str
    causes: tuple[int, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Review:
    """The merge request as it was last read.

    `approvals` are those of the present run's evidence, given after it was shown; `authors` are the
    names of those who wrote commits on the branch, `hands` their accounts and addresses and those
    of whoever pushed; `refusals` are what people wrote in the form of a refusal since, `closed_by`
    who closed the merge request; `again` is when it is to be read once more, if at all.
    """

    updated: str = ""
    head: str = ""
    state: str = "opened"
    approvals: tuple[Approval, ...] = ()
    authors: tuple[str, ...] = ()
    hands: tuple[str, ...] = ()
    refusals: tuple[TurnDown, ...] = ()
    closed_by: TurnDown | None = None
    again: str = ""


@dataclass(frozen=True)
class Work:
    """What this revision of the request has come to so far.

    `period` is the one for which a recurring request runs, "" for what runs once; `passed_over` is
    the last that was passed over since; `made_from` are the parts that its run's key was made of,
    `forced` how often a person had it run all the same.
    `unchanged` says that the notebook at `commit` is the template's own, byte for byte;
    `evidence` is the digest of what a reviewer was shown of it; `released_by` are those who let it
    out: on what `ground`, a review or a standing approval.
    """

    run: str | None = None
    period: str = ""
    passed_over: str = ""
    commit: str | None = None
    made_from: MadeFrom | None = None
    forced: int = 0
    unchanged: bool = False
    failure: Failure | None = None
    checks: tuple[Check, ...] = ()
    dropped: tuple[str, ...] = ()
    evidence: str = ""
    released_by: tuple[Approval, ...] = ()
    ground: Literal["review", "standing", ""] = ""
    problems: tuple[Problem, ...] = ()

    @property
    def settled(self) -> str:
        """The last period of which nothing is to be done any more; "" before the first."""
        return self.passed_over or self.period


@dataclass(frozen=True)
class Record:
    """One request in the ledger.

    `key` is the ticket's key when it was first read; `ticket.key` is its key now. `asked` is the
    fingerprint of the ticket as last read, `gated` as last judged: where they differ, the gate is
    due. `warned` is the expiry of the legal basis that the requester was last told of ahead of
    time. `view` is the issue as last read, `agreed` what both sides were last brought to, and
    `compared` the version of both at which they were compared last; `purged` is when the texts of
    ticket and issue were deleted here.
    `known_before` says that the ticket is older than this ledger, so its
    effects may exist outside without an intent here.
    """

    key: str
    state: State
    revision: int
    known_before: bool
    ticket: Ticket
    asked: str
    gated: str
    request: Request | None
    links: Links
    work: Work
    review: Review
    changed_at: str
    warned: str = ""
    view: IssueView = field(default_factory=IssueView)
    agreed: Agreed = field(default_factory=Agreed)
    compared: str = ""
    purged: str = ""

    @property
    def version(self) -> str:
        """The version of both sides: it changes whenever either was touched."""
        return f"{self.ticket.updated}|{self.view.updated}|{self.view.said}"


@dataclass(frozen=True)
class Intent:
    """An effect on the outside world that is to happen exactly once; `key` is unique for ever."""

    key: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int = 0
    error: str | None = None
    next_try: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What an effect led to, written down with its confirmation.

    `links`, `view`, `agreed` and `ticket` are changes of the request's Links, IssueView, Agreed and
    Ticket, by field name; `twin` is the copy that exists now, or that is gone; `is_first` says that
    nothing of this request can be older than this effect.
    """

    links: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    agreed: Mapping[str, Any] = field(default_factory=dict)
    ticket: Mapping[str, Any] = field(default_factory=dict)
    twin: Twin | Untwin | None = None
    is_first: bool = False


@dataclass(frozen=True)
class Untwin:
    """A copy that is gone, with its original."""

    kind: TwinKind
    theirs: str

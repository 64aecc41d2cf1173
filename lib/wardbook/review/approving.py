"""Who may let an output out, how many it takes, and which approvals count: pure rules.

Roles: a *reviewer* of the service judges the figures; a *data-protection officer* of the unit may
be the second of two. One approval of a reviewer lets an ordinary output out. What is about persons,
and what the disclosure policy says so of, takes two different persons, one of them a reviewer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wardbook.domain.output import Check, Sensitivity, Verdict, worst_of
from wardbook.domain.record import Approval, Record, TurnDown
from wardbook.settings import Settings
from wardbook.template.spec import TemplateSpec

_BOT = re.compile(r"(project|group)_\d+_bot(_[0-9a-z]+)?|service_account_.+|ghost", re.IGNORECASE)
"""Names that GitLab gives to the accounts of access tokens, of services, and of deleted people."""


class Role(StrEnum):
    """What somebody judges an output as."""

    REVIEWER = "reviewer"
    OFFICER = "officer"


class Uncounted(StrEnum):
    """Why an approval does not count; each has a message `review.uncounted_…`."""

    NEW_COMMIT = "new_commit"
    NO_ROLE = "no_role"
    BOT = "bot"
    BLOCKED = "blocked"
    OTHER_ACCOUNT = "other_account"
    REQUESTER = "requester"
    AUTHOR = "author"
    TWICE = "twice"


@dataclass(frozen=True)
class Panel:
    """Who may review a request, by their accounts in GitLab.

    `requester` holds the account and the name of whoever asked; `accounts` the numeric ids of those
    whose account is pinned; `needed` is how many approvals it takes.
    """

    reviewers: frozenset[str] = frozenset()
    officers: frozenset[str] = frozenset()
    requester: frozenset[str] = frozenset()
    accounts: Mapping[str, int] = field(default_factory=dict)
    needed: int = 1

    def roles_of(self, username: str) -> frozenset[Role]:
        """Return what an account may judge as; nothing for everybody else."""
        roles = {Role.REVIEWER: self.reviewers, Role.OFFICER: self.officers}
        return frozenset(role for role, people in roles.items() if username in people)

    @property
    def members(self) -> tuple[str, ...]:
        """Everybody whose approval may count, and who may see the evidence, by name."""
        officers = self.officers if self.needed > 1 else frozenset()
        return tuple(sorted(self.reviewers | officers))


NOBODY = Panel()


@dataclass(frozen=True)
class Judged:
    """One approval, and why it does not count; None where it does."""

    approval: Approval
    roles: frozenset[Role]
    why_not: Uncounted | None = None


def panel_of(settings: Settings, record: Record, spec: TemplateSpec | None) -> Panel:
    """Return who may review a request now, and how many have to.

    Args:
        settings: the unit's, as they are now: whoever was removed from them counts no more.
        record: the request.
        spec: its template's declaration; a template that is gone takes two.
    """
    request = record.request
    service = settings.services.get(request.service) if request else None
    if request is None or service is None:
        return NOBODY
    people = settings.gitlab.people
    asker = people.get(request.requester, request.requester)
    officers = settings.unit.data_protection_officers
    needed = approvals_needed(spec, record.work.checks)
    return Panel(
        reviewers=frozenset(service.reviewers),
        officers=frozenset(people.get(officer, officer) for officer in officers),
        requester=frozenset({plain_name(asker), plain_name(request.requester_name)}),
        accounts=settings.gitlab.accounts,
        needed=max(needed.values(), default=1 if spec else 2),
    )


def approvals_needed(spec: TemplateSpec | None, checks: Iterable[Check]) -> dict[str, int]:
    """Return for each output how many people have to let it out, where that is more than one.

    The policy says how many for what it holds (`Check.approvals`). What is about persons takes two
    whatever a policy says.
    """
    needed: dict[str, int] = {}
    for check in checks:
        declared = spec.outputs.get(check.output) if spec else None
        sensitive = declared is not None and declared.sensitivity is Sensitivity.SENSITIVE
        asked = check.approvals if check.verdict is Verdict.HOLD else 1
        most = max(needed.get(check.output, 1), asked, 2 if sensitive else 1)
        if most > 1:
            needed[check.output] = most
    return needed


def worst_verdict(record: Record) -> Verdict:
    """Return the strictest verdict among a run's checks; nothing checked is a hold."""
    return worst_of(check.verdict for check in record.work.checks)


def judge_approvals(record: Record, panel: Panel) -> tuple[Judged, ...]:
    """Say of each approval of the present evidence whether it counts, and why not.

    That it was given to the present evidence, after it was shown, is seen when it is read: only
    such approvals stand in `record.review`.
    """
    judged: list[Judged] = []
    for approval in record.review.approvals:
        roles = panel.roles_of(approval.username)
        why = _why_not(approval, roles, record, panel)
        same = [j for j in judged if _is_same_person(j.approval, approval) and j.why_not is None]
        judged.append(Judged(approval, roles, why or (Uncounted.TWICE if same else None)))
    return tuple(judged)


def _why_not(
    approval: Approval, roles: frozenset[Role], record: Record, panel: Panel
) -> Uncounted | None:
    who = frozenset({plain_name(approval.username), plain_name(approval.name)})
    pinned = panel.accounts.get(approval.username)
    reasons = {
        Uncounted.NEW_COMMIT: record.review.head and record.review.head != record.work.commit,
        Uncounted.BOT: _BOT.fullmatch(approval.username),
        Uncounted.NO_ROLE: not roles,
        Uncounted.BLOCKED: approval.state != "active",
        Uncounted.OTHER_ACCOUNT: pinned is not None and pinned != approval.account,
        Uncounted.REQUESTER: who & panel.requester,
        Uncounted.AUTHOR: who & hands_of((*record.review.authors, *record.review.hands)),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def hands_of(written: Iterable[str]) -> frozenset[str]:
    """Return by which names those are known who wrote or pushed commits.

    Args:
        written: names, accounts and e-mail addresses as commits and GitLab tell them. Of an address
            the part before the @ may be an account, also in GitLab's own form `12-account@…`.
    """
    found = set()
    for one in written:
        found.add(plain_name(one))
        local, at, _ = one.partition("@")
        if at:
            found |= {plain_name(local), plain_name(re.sub(r"^\d+-", "", local))}
    return frozenset(found - {""})


def plain_name(name: str) -> str:
    """Return a name so that case and blanks do not tell two apart."""
    return " ".join(name.casefold().split())


def _is_same_person(one: Approval, other: Approval) -> bool:
    return one.username == other.username or bool(one.account and one.account == other.account)


def valid_approvals(record: Record, panel: Panel) -> tuple[Approval, ...]:
    """Return the approvals that count."""
    return tuple(one.approval for one in judge_approvals(record, panel) if one.why_not is None)


def is_approved(record: Record, panel: Panel) -> bool:
    """Tell whether those who approved are enough: their number, and a reviewer among them."""
    counted = [one for one in judge_approvals(record, panel) if one.why_not is None]
    return len(counted) >= panel.needed and are_enough(
        (one.approval.username for one in counted), panel
    )


def are_enough(usernames: Iterable[str], panel: Panel) -> bool:
    """Tell whether these different people may let something out together."""
    roles = [panel.roles_of(username) for username in set(usernames)]
    able = [one for one in roles if one]
    return len(able) >= panel.needed and any(Role.REVIEWER in one for one in able)


def find_refusal(record: Record, panel: Panel) -> TurnDown | None:
    """Return who turned the outputs down, and why; None while nobody did.

    A refusal needs no second person, and may come from somebody who had a hand in the work: it
    only keeps things in. Anybody who may close the merge request turns down by that alone.
    """
    written = next((one for one in record.review.refusals if panel.roles_of(one.username)), None)
    if written is None and record.review.state != "opened":
        return record.review.closed_by or TurnDown("", "")
    return written


# --- who sees what --------------------------------------------------------------------------------

SAFE_DETAILS = frozenset(
    {
        "approvals",
        "base",
        "cells",
        "column",
        "columns",
        "count",
        "days",
        "dimension",
        "file",
        "least",
        "limit",
        "month",
        "most",
        "needed",
        "of",
        "percent",
        "redacted",
        "rows",
        "rules",
        "sources",
        "steps",
        "sums",
        "tables",
        "types",
    }
)
"""What of a check's details is shown on GitLab: numbers of cells, thresholds, declared names."""
UNSAFE_DETAILS = frozenset({"day", "other", "place", "problem"})
"""What is not: columns are named there as the file does, files as the notebook did; on a day
that is missing there may have been nobody; places are named as the data do."""

HIDDEN = "…"


def details_to_show(check: Check, *, public: bool) -> dict[str, str]:
    """Return a check's details as those may see them who can read the merge request.

    Args:
        check: a verdict.
        public: whether everything that the run read is published already: then nothing is hidden.
    """
    return {
        name: value if public or name in SAFE_DETAILS else HIDDEN for name, value in check.details
    }

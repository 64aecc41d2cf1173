"""Where a request stands in GitLab, and what asking a tracker again cannot change."""

from __future__ import annotations

from wardbook.domain.record import Intent, Record
from wardbook.errors import ForeignFault

REFUSED_FOR_GOOD = frozenset({400, 404, 413, 415, 422})
"""What asking again cannot change."""


def may_exist(intent: Intent, record: Record) -> bool:
    """Tell whether an effect may exist without the ledger's knowing."""
    return bool(intent.attempts or record.known_before)


def project_of(record: Record) -> str:
    """Return the GitLab project of a request."""
    return place_of(record)[0]


def place_of(record: Record) -> tuple[str, int]:
    """Return the project and number of a request's issue.

    Raises:
        ForeignFault: it has none yet.
    """
    if record.links.project is None or record.links.issue is None:
        raise ForeignFault(f"{record.key} has no GitLab issue yet; it is tried again.")
    return record.links.project, record.links.issue

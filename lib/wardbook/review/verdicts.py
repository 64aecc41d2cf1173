"""Many checks, one answer."""

from __future__ import annotations

from collections.abc import Iterable

from wardbook.domain.output import Check, Verdict
from wardbook.domain.record import Record


def worst_verdict(record: Record) -> Verdict:
    """Return the strictest verdict among a run's checks; nothing checked is a hold."""
    return strictest(record.work.checks)


def strictest(checks: Iterable[Check]) -> Verdict:
    """Return the strictest of some verdicts; of none, a hold."""
    verdicts = {check.verdict for check in checks}
    for verdict in (Verdict.REFUSE, Verdict.HOLD):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS if verdicts else Verdict.HOLD

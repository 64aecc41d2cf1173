"""What is due of a recurring request: a pure decision over its last period and the moment.

A fire is *missed* when no run began between it and the next fire: nobody looked, or the request
was still busy with an earlier period. The present fire is not missed: there is still time.

| policy | of the missed | of the present |
|---|---|---|
| latest | passed over | runs |
| all | run one after the other, the oldest first; of more than the bound the newest | runs last |
| skip | passed over | runs if none was missed before it; else it is passed over as well |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile

from wardbook.domain.cron import fires_until
from wardbook.domain.periods import Schedule


@dataclass(frozen=True)
class Due:
    """Periods by name: those to pass over, from the first to the last, then the one to run."""

    passed_over: tuple[str, str] | None
    run: str | None


def find_due(schedule: Schedule, settled: str, now: datetime) -> Due | None:
    """Decide what is due now; None when it is nothing.

    A clock that goes back makes nothing due: what is settled stays settled.

    Args:
        schedule: the request's.
        settled: the last period that ran or was passed over; "" before the first.
        now: the moment.
    """
    if not settled:
        return Due(None, schedule.period_at(now))
    following = schedule.start_after(settled)
    if following is None or following > now:
        return None
    before = schedule.start_of(settled)
    kept = schedule.max_catch_up if schedule.catch_up == "all" else 0
    later = takewhile(lambda fire: fire > before, fires_until(schedule.cron, schedule.zone, now))
    # The present one, the missed that may be made up for, and one more: whether any is too old.
    newest = [schedule.name_of(fire) for fire in islice(later, kept + 2)]
    present, *missed = newest
    if len(missed) <= kept:
        return Due(None, newest[-1])
    first = schedule.name_of(following)
    if schedule.catch_up == "skip":
        return Due((first, present), None)
    return Due((first, missed[kept]), missed[kept - 1] if kept else present)

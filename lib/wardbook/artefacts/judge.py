"""The verdict on an artefact: what was found in it, as checks that tell no value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wardbook.artefacts.accounts import Explained
from wardbook.artefacts.finding import Grid, Reading
from wardbook.domain.output import Check, PolicyReference, Sensitivity, Verdict
from wardbook.identifiers.checking import RULE as IDENTIFIERS
from wardbook.identifiers.checking import judge_findings
from wardbook.identifiers.context import Context
from wardbook.identifiers.fragments import Rows, Text, make_table
from wardbook.identifiers.searching import scan_fragments

RULE = "artefact"
TOPIC = "artefact"
NAMES_UNREAD = "identifier.names_unread"

_REFUSED = (
    "unknown_type blocked_type disguised bomb too_deep oversize broken encoding entities "
    "too_many_cells too_much_text too_many_parts too_many_pixels too_costly script encrypted"
)
_HELD = (
    "hidden comment metadata foreign_address appended embedded formula external_link defined_name "
    "pivot_cache attachment widget output traceback path escapes hover_data point_cloud "
    "expression query markup markup_panel index statistics invisible_text not_read quick_action"
)
VERDICTS: Mapping[str, Verdict] = dict.fromkeys(_REFUSED.split(), Verdict.REFUSE) | dict.fromkeys(
    _HELD.split(), Verdict.HOLD
)
"""What each problem comes to. A reader that reports another code has a defect: a KeyError."""


@dataclass(frozen=True)
class Ground:
    """What an artefact is judged by.

    Args:
        public: whether everything that the run read is published already.
        checked: the tables that were declared and checked, as they stand in their files and as a
            page shows them; what else is shown counts as not checked.
        least: the least count of persons that may be shown (the policy's).
        context: what a search for identifiers may know; None where nobody searches.
        sensitivity: who may see it: what is about persons on purpose may name them.
        most_rows: how many rows a table may have; 0 for any number.
        policy: which policy the numbers are from.
        unread: sources whose list of persons' names could not be read: nobody knows that no name
            of theirs is there.
    """

    public: bool
    checked: Sequence[Grid] = ()
    least: int = 11
    context: Context | None = None
    sensitivity: Sensitivity = Sensitivity.INTERNAL
    most_rows: int = 0
    policy: PolicyReference | None = None
    unread: tuple[str, ...] = ()


def judge_readings(output: str, readings: Sequence[Reading], ground: Ground) -> tuple[Check, ...]:
    """Return the checks of one output whose files were read; one that passes if nothing is wrong.

    A figure's or a page's own problems and identifiers count whatever the data are; how many rows
    and what is shown of persons only where the data are not public already.
    """
    checks = [*_judge_problems(output, readings)]
    if not ground.public:
        checks += _judge_numbers(output, readings, ground)
    checks += _judge_identifiers(output, readings, ground)
    if not checks:
        checks = [Check(output, RULE, Verdict.PASS, f"{TOPIC}.clean", _count(len(readings)))]
    return tuple(replace(check, policy=ground.policy) for check in checks)


def _judge_problems(output: str, readings: Sequence[Reading]) -> list[Check]:
    counts: Counter[str] = Counter()
    for reading in readings:
        for problem in reading.problems:
            counts[problem.code] += problem.count
    return [
        Check(output, RULE, VERDICTS[code], f"{TOPIC}.{code}", _count(count))
        for code, count in sorted(counts.items(), key=lambda one: (VERDICTS[one[0]], one[0]))
    ]


def _judge_numbers(output: str, readings: Sequence[Reading], ground: Ground) -> list[Check]:
    explained = Explained(ground.checked)
    grids = [grid for reading in readings for grid in reading.grids]
    account = explained.account(grids, least=ground.least)
    found = []
    rows = max((len(grid.rows) for grid in grids), default=0)
    if ground.most_rows and rows > ground.most_rows:
        details = (*_count(rows), ("limit", str(ground.most_rows)))
        found.append(Check(output, RULE, Verdict.HOLD, f"{TOPIC}.too_many_rows", details))
    if account.small:
        details = (*_count(account.small), ("least", str(ground.least)))
        found.append(Check(output, RULE, Verdict.HOLD, f"{TOPIC}.small_counts", details))
    if account.unexplained:
        details = _count(account.unexplained)
        found.append(Check(output, RULE, Verdict.HOLD, f"{TOPIC}.unexplained", details))
    return found


def _judge_identifiers(output: str, readings: Sequence[Reading], ground: Ground) -> list[Check]:
    if ground.context is None:
        return []
    # The same text is looked at once; the cells of a table with their column, all in one search.
    texts = dict.fromkeys(fragment.text for reading in readings for fragment in reading.fragments)
    grids = [grid for reading in readings for grid in reading.grids]
    tables = (make_table([list(row) for row in (grid.header, *grid.rows)]) for grid in grids)
    fragments: list[Text | Rows] = [*map(Text, texts), *tables]
    found = scan_fragments(fragments, context=ground.context)
    checks = judge_findings(output, found, sensitivity=ground.sensitivity)
    held = [check for check in checks if check.verdict is not Verdict.PASS]
    if ground.unread and ground.sensitivity is not Sensitivity.SENSITIVE:
        details = (("sources", ", ".join(ground.unread)),)
        held.append(Check(output, IDENTIFIERS, Verdict.HOLD, NAMES_UNREAD, details))
    return held


def _count(number: int) -> tuple[tuple[str, str], ...]:
    return (("count", str(number)),)

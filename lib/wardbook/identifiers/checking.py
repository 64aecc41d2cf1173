"""The verdict on an output by what was found in it: the identifiers' part of `check_outputs`.

Structured identifiers and secrets have no business in any output that leaves in the clear: refuse.
A name or a sentence may be a coincidence: a person looks, hold.
"""

from __future__ import annotations

from collections.abc import Iterable

from wardbook.domain.output import Check, Sensitivity, Verdict
from wardbook.identifiers.finding import JUDGED_BY_PEOPLE, Certainty, Kind
from wardbook.identifiers.searching import Located

RULE = "identifiers"


def judge_findings(
    output: str, found: Iterable[Located], *, sensitivity: Sensitivity
) -> tuple[Check, ...]:
    """Return one check for each kind that was found, and a pass where nothing was.

    What is declared sensitive is about persons on purpose and leaves sealed: it may name them,
    canaries among them, which stand for patients; but it holds no secret.

    Args:
        output: name of the declared output.
        found: what the search says of its file.
        sensitivity: as declared.
    """
    by_kind: dict[Kind, list[Located]] = {}
    for one in found:
        by_kind.setdefault(one.kind, []).append(one)
    checks = []
    for kind, hits in sorted(by_kind.items()):
        if sensitivity is Sensitivity.SENSITIVE and kind is not Kind.CREDENTIAL:
            continue
        details = (("count", str(len(hits))), ("place", str(min(hits).place)))
        checks.append(Check(output, RULE, _judge(hits), f"identifier.{kind}", details))
    return tuple(checks) or (Check(output, RULE, Verdict.PASS, "identifier.none"),)


def _judge(hits: list[Located]) -> Verdict:
    if hits[0].kind in JUDGED_BY_PEOPLE:
        return Verdict.HOLD
    unsure = all(one.certainty is Certainty.POSSIBLE for one in hits)
    return Verdict.HOLD if unsure else Verdict.REFUSE

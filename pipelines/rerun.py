"""Whether running again could come to anything else: pure rules over what changed since.

Decision record: docs/decisions/0010-run-keys.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wardbook.domain.made_from import Change, Part
from wardbook.domain.run import FailureKind

_ALL = frozenset(Part)
CURES: Mapping[FailureKind, frozenset[Part]] = {
    FailureKind.CELL_ERROR: _ALL,
    FailureKind.DATA_PROBLEM: frozenset({Part.COMMIT, Part.SOURCE}),
    FailureKind.OUT_OF_MEMORY: _ALL,
    FailureKind.OUT_OF_TIME: _ALL,
    FailureKind.KERNEL_DIED: _ALL,
    FailureKind.NODE_LOST: _ALL,
    FailureKind.ENVIRONMENT_BROKEN: frozenset({Part.COMMIT, Part.TEMPLATE, Part.ENVIRONMENT}),
    FailureKind.OUTPUT_BROKEN: _ALL,
    FailureKind.REQUEST_BROKEN: frozenset({Part.COMMIT, Part.TEMPLATE}),
    FailureKind.CANCELLED: frozenset({Part.COMMIT}),
}
"""What a change of can have removed the cause of a failure: then the request runs again by itself.

What a person cancelled stays so until a person changes the notebook or says `retry`.
"""
_BOUND_TO_RECUR = frozenset(
    {
        FailureKind.CELL_ERROR,
        FailureKind.DATA_PROBLEM,
        FailureKind.OUTPUT_BROKEN,
        FailureKind.REQUEST_BROKEN,
    }
)


def can_be_cured(kind: FailureKind, changes: Iterable[Change]) -> bool:
    """Tell whether one of these changes can have removed the cause of a failure."""
    return any(change.part in CURES[kind] for change in changes)


def is_bound_to_recur(kind: FailureKind) -> bool:
    """Tell whether the same parts would fail in the same way: the machine had no share in it.

    Memory, time, a lost node or a killed kernel may be otherwise the next time.
    """
    return kind in _BOUND_TO_RECUR

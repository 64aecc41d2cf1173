"""The five usual causes for which an output is turned down, each looked at before a person does.

docs/review.md says why these five. A cause is *found* where a rule fired or our own look found it;
*clear* where it was looked at and is not there; *open* where nothing here can tell, so that the
reviewer has to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from wardbook.domain.output import Check, Output, OutputKind, Verdict
from wardbook.review.difference import Difference
from wardbook.template.spec import OutputSpec, TemplateSpec

MOST_ROWS, MOST_OUTPUTS = 1000, 20
"""More than a person reads through in one review."""


class Cause(IntEnum):
    """The causes, in the order in which they are looked at; the numbers serve in refusals."""

    SMALL_COUNTS = 1
    NO_COUNTS = 2
    DOMINANCE = 3
    DIFFERENCING = 4
    UNCLEAR = 5

    @property
    def word(self) -> str:
        """The cause's name in messages."""
        return self.name.lower()


class Finding(StrEnum):
    """What a look at one cause came to."""

    FOUND = "found"
    OPEN = "open"
    CLEAR = "clear"


@dataclass(frozen=True)
class Look:
    """One cause, what was found of it, and in which outputs."""

    cause: Cause
    finding: Finding
    outputs: tuple[str, ...] = ()


_BY_REASON: Mapping[str, Cause] = {
    "cannot_be_counted": Cause.NO_COUNTS,
    "text_from_patients": Cause.NO_COUNTS,
    "too_large": Cause.UNCLEAR,
    "missing": Cause.UNCLEAR,
}
_BY_WORD: Mapping[str, Cause] = {
    "uncounted": Cause.NO_COUNTS,
    "undeclared": Cause.UNCLEAR,
    "count": Cause.SMALL_COUNTS,
    "small": Cause.SMALL_COUNTS,
    "threshold": Cause.SMALL_COUNTS,
    "minimum": Cause.SMALL_COUNTS,
    "zero": Cause.SMALL_COUNTS,
    "rounding": Cause.SMALL_COUNTS,
    "suppression": Cause.SMALL_COUNTS,
    "freedom": Cause.SMALL_COUNTS,
    "dominance": Cause.DOMINANCE,
    "nk": Cause.DOMINANCE,
    "ratio": Cause.DOMINANCE,
    "contributor": Cause.DOMINANCE,
    "extreme": Cause.DOMINANCE,
    "differenc": Cause.DIFFERENCING,
    "register": Cause.DIFFERENCING,
    "attack": Cause.DIFFERENCING,
    "complete": Cause.UNCLEAR,
    "size": Cause.UNCLEAR,
    "declar": Cause.UNCLEAR,
    "file": Cause.UNCLEAR,
}
"""Parts of the names of rules and reasons, the first that fits counting."""


def cause_of(check: Check) -> Cause | None:
    """Return the usual cause that a check is about; None for any other."""
    if check.reason in _BY_REASON:
        return _BY_REASON[check.reason]
    names = f"{check.reason} {check.rule}"
    return next((cause for word, cause in _BY_WORD.items() if word in names), None)


def look_for_causes(
    spec: TemplateSpec,
    outputs: Sequence[Output],
    checks: Iterable[Check],
    dropped: Sequence[str],
    differences: Iterable[Difference],
    *,
    public: bool,
    parameters_changed: bool = False,
) -> tuple[Look, ...]:
    """Look at each of the five causes, in their order.

    Args:
        spec: the template's declaration.
        outputs: what the run recorded.
        checks: what the rules said.
        dropped: undeclared files.
        differences: to the last release of the same request.
        public: whether everything that the run read is published already.
        parameters_changed: whether it asks something else than the last release did.
    """
    found: dict[Cause, list[str]] = {cause: [] for cause in Cause}
    weighed = set()
    for check in checks:
        cause = cause_of(check)
        if cause is Cause.DOMINANCE:
            weighed.add(check.output)
        if cause is not None and check.verdict is not Verdict.PASS:
            found[cause].append(check.output)
    differences = list(differences)
    found[Cause.DIFFERENCING] += [] if public else [d.output for d in differences if d.small_moves]
    found[Cause.UNCLEAR] += _unclear(spec, outputs)
    unweighed = [
        one.name
        for one in outputs
        if not public and one.name not in weighed and _may_hold_amounts(spec, one)
    ]
    changed = [one.output for one in differences if not one.is_empty]
    left_open = {
        Cause.DOMINANCE: unweighed,
        Cause.DIFFERENCING: changed if parameters_changed and not public else [],
    }
    looks = []
    for cause in Cause:
        named = tuple(dict.fromkeys(found[cause]))
        if named or (cause is Cause.UNCLEAR and dropped):
            looks.append(Look(cause, Finding.FOUND, named))
        elif left_open.get(cause):
            looks.append(Look(cause, Finding.OPEN, tuple(left_open[cause])))
        else:
            looks.append(Look(cause, Finding.CLEAR))
    return tuple(looks)


def _unclear(spec: TemplateSpec, outputs: Sequence[Output]) -> list[str]:
    many = [one.name for one in outputs[MOST_OUTPUTS:]]
    return many + [
        one.name
        for one in outputs
        if one.rows > MOST_ROWS
        or (one.kind is OutputKind.FIGURE and not (one.caption or one.alternative))
        or one.name not in spec.outputs
    ]


def _may_hold_amounts(spec: TemplateSpec, output: Output) -> bool:
    """Tell whether a table may hold sums or means: one may be one person's, however many count."""
    declared: OutputSpec | None = spec.outputs.get(output.name)
    if declared is None or declared.kind is not OutputKind.TABLE:
        return False
    return len([column for column in declared.columns if column != declared.count]) > 1

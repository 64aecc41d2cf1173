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


_REASONS: Mapping[str, Mapping[Cause | None, str]] = {
    "check": {
        Cause.SMALL_COUNTS: "small_counts zero everybody nobody not_rounded rounded_margins "
        "percentiles survival_steps few_degrees cut not_cut counts_suffice survival_suffices "
        "degrees_suffice",
        Cause.NO_COUNTS: "cannot_be_counted text_from_patients columns_untold backing_missing "
        "counts_unreadable values_unreadable figure_by_itself figure_from_cut figure_from_held "
        "figure_from_tables",
        Cause.DOMINANCE: "dominance p_ratio contributors_unknown contributions_untold extremes "
        "nobody_dominates",
        Cause.UNCLEAR: "missing kind_differs type_blocked too_large not_a_table columns_differ "
        "too_many_rows rows_repeat label_varies sums_differ period_missing period_none "
        "period_unreadable code_too_long",
        None: "public_sources about_persons model model_refused",
    },
    "artefact": {
        Cause.SMALL_COUNTS: "small_counts point_cloud",
        Cause.NO_COUNTS: "unexplained",
        Cause.UNCLEAR: "unknown_type blocked_type disguised bomb too_deep oversize broken encoding "
        "entities too_many_cells too_much_text too_many_parts too_many_pixels too_costly encrypted "
        "too_many_rows not_rendered not_read hidden comment metadata appended embedded "
        "external_link defined_name pivot_cache attachment widget output hover_data index "
        "statistics invisible_text",
        None: "clean script markup foreign_address formula traceback path escapes expression query "
        "markup_panel quick_action",
    },
    "data": {
        None: "values_unknown values_impossible values_ahead data_late place_silent place_new "
        "place_renamed place_paused place_incomplete",
    },
    "identifier": {
        None: "nir ins ipp nda rpps adeli finess phone email address birth_date iban passport "
        "credential canary name free_text names_unread none",
    },
}
"""What each reason of a check is about, by the topic of its message; under None, what has a name
of its own: persons who are named, programs that would run, models, data that are not ready."""
CAUSES: Mapping[str, Cause | None] = {
    f"{topic}.{reason}": cause
    for topic, causes in _REASONS.items()
    for cause, reasons in causes.items()
    for reason in reasons.split()
}


def cause_of(check: Check) -> Cause | None:
    """Return the usual cause that a check is about; None for any other."""
    if check.rule == "differencing":  # of the same reasons as where nothing was released before
        return Cause.DIFFERENCING
    reason = check.reason if "." in check.reason else f"check.{check.reason}"
    return CAUSES.get(reason)


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

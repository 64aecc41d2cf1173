"""The checks between a finished run and the outside: a verdict on each output, with its reasons.

This is the one place that puts them together. Whatever is looked at, the file comes first: one of
a blocked kind or size is never opened. What the outputs say of patients is judged by a policy
(`wardbook.disclosure.policy`); public sources are published already and need no suppression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.disclosure.case import Case, Checker, stays_inside
from wardbook.disclosure.policy import Policy
from wardbook.disclosure.sheet import Unreadable, read_header
from wardbook.disclosure.table_checks import check_table
from wardbook.domain.output import (
    Check,
    Output,
    OutputKind,
    Sensitivity,
    Verdict,
    verdicts_of,
    worst_of,
)
from wardbook.domain.run import RunSpec
from wardbook.messages import Language, say
from wardbook.metrics.checking import check_series

if TYPE_CHECKING:
    from wardbook.template.spec import TemplateSpec

_TABLE_TYPES = frozenset({".csv", ".parquet", ".xlsx"})


def check_file(case: Case) -> Iterator[Check]:
    """Judge a file without opening more than its first line: kind, type, size, columns."""
    output, policy = case.output, case.policy
    if output is None:
        return
    file = case.folder / output.file
    kind, file_type = case.declared.kind, file.suffix.lower()
    if output.kind is not kind or (kind is OutputKind.FIGURE and file_type in _TABLE_TYPES):
        yield case.refuses("file", "kind_differs")
    if file_type not in policy.file_types:
        yield case.refuses("file", "type_blocked", types=", ".join(policy.file_types))
    elif file.stat().st_size > policy.most_bytes:  # what the run recorded is its own word
        yield case.refuses("file", "too_large", limit=f"{policy.most_bytes / 1024**2:g}")
    elif kind is OutputKind.TABLE:
        try:
            header = read_header(file)
        except Unreadable:
            yield case.refuses("file", "not_a_table")
        else:
            if header != tuple(case.declared.columns):
                yield case.refuses("file", "columns_differ")


def check_content(case: Case) -> Iterator[Check]:
    """Judge what an output says of patients, by what it is and where it comes from."""
    approvals = case.policy.approvals
    if case.declared.kind is OutputKind.MODEL:
        if case.policy.models == "refuse":
            yield case.refuses("model", "model_refused")
        else:
            yield case.holds_for(approvals.model, "model", "model", approvals=approvals.model)
    elif case.declared.sensitivity is Sensitivity.SENSITIVE:
        yield case.holds_for(approvals.sensitive, "sensitivity", "about_persons")
    elif case.is_public:
        yield case.passes("sources", "public_sources")
    elif case.declared.kind is OutputKind.REPORT:
        yield case.holds("sources", "text_from_patients")
    elif case.declared.kind is OutputKind.FIGURE:
        yield check_figure(case)
    else:
        yield from check_table(case)


def check_figure(case: Case) -> Check:
    """Let a figure pass that shows nothing but declared tables, all of which passed."""
    tables = case.declared.drawn_from
    if not tables or case.policy.figures == "hold":
        return case.holds("figure", "figure_by_itself")
    if worst_of(case.verdicts.get(table, Verdict.HOLD) for table in tables) is Verdict.PASS:
        return case.passes("figure", "figure_from_tables", tables=", ".join(tables))
    return case.holds("figure", "figure_from_held", tables=", ".join(tables))


CHECKERS: tuple[Checker, ...] = (check_content, check_series)
"""Everything that is asked of each output whose file may be opened, in this order.

A further check is a function from `Case` to `Check`s, named here.
"""


def check_outputs(
    outputs: Sequence[Output], folder: Path, spec: TemplateSpec, run: RunSpec, policy: Policy
) -> tuple[Check, ...]:
    """Judge every output that the template declares, but what stays inside.

    Args:
        outputs: what the run recorded.
        folder: the run's `outputs` folder.
        spec: the template's declaration.
        run: what the run read.
        policy: the rules in force.

    Returns:
        The checks of each output in the order of its declaration, one or more for each.
    """
    found: dict[str, tuple[Check, ...]] = {}
    cases = cases_of(outputs, folder, spec, run, policy)
    # The tables first: figures are judged by those that they are drawn from.
    for case in sorted(cases, key=lambda one: one.declared.kind is not OutputKind.TABLE):
        verdicts = verdicts_of(check for checks in found.values() for check in checks)
        found[case.name] = tuple(_check_case(replace(case, verdicts=verdicts)))
    return tuple(check for name in spec.outputs for check in found[name])


def cases_of(
    outputs: Sequence[Output], folder: Path, spec: TemplateSpec, run: RunSpec, policy: Policy
) -> tuple[Case, ...]:
    """Return each declared output as a case, with the arguments of `check_outputs`."""
    produced = {output.name: output for output in outputs}
    return tuple(
        Case(name, declared, produced.get(name), folder, produced, spec, run, policy)
        for name, declared in spec.outputs.items()
    )


def _check_case(case: Case) -> Iterator[Check]:
    if case.output is None and case.declared.kind is not OutputKind.REPORT:
        if case.declared.required:
            yield case.refuses("complete", "missing")
    elif not stays_inside(case.declared):
        refused = tuple(check_file(case))
        yield from refused
        if not refused:
            for checker in CHECKERS:
                yield from checker(case)


def find_undeclared(outputs: Sequence[Output], folder: Path, spec: TemplateSpec) -> tuple[str, ...]:
    """Return the names of the files in `folder` that no declared output accounts for.

    They never leave. Their names may say something of a patient, so they stay inside as well.
    """
    declared = {output.file for output in outputs if output.name in spec.outputs}
    files = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return tuple(sorted(set(files) - declared - {"index.json"}))


def tell_dropped(names: Sequence[str], run: RunSpec, language: Language) -> tuple[str, ...]:
    """Name the dropped files; only count them where a name could tell of a patient."""
    if not names or run.reads_only_public:
        return tuple(names)
    return (say(language, "check.dropped_count", count=len(names)),)


def tell_reason(check: Check, language: Language) -> str:
    """Return a check's reason in words.

    Raises:
        KeyError: the catalogue does not know it.
    """
    message = check.reason if "." in check.reason else f"check.{check.reason}"
    values: Mapping[str, str] = dict(check.details)
    return say(language, message, **values)

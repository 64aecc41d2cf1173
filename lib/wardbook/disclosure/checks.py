"""The checks between a finished run and the outside: one verdict per output, each with its reason.

Public sources are published already, so what is computed from them needs no suppression. From any
other source: a table whose count column shows a group of 1 to 10 persons is held, and so is
whatever cannot be judged by counting; a person decides on both. The threshold of 11 is the one of
France's national health data system (SNDS).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from wardbook.domain.output import Check, Output, OutputKind, Sensitivity, Verdict
from wardbook.domain.run import RunSpec
from wardbook.messages import Language, say
from wardbook.template.spec import OutputSpec, TemplateSpec

LEAST_COUNT = 11
LARGEST_BYTES = 100 * 1024 * 1024


def check_outputs(
    outputs: Sequence[Output], folder: Path, spec: TemplateSpec, run: RunSpec
) -> tuple[Check, ...]:
    """Judge every output that the template declares.

    Args:
        outputs: what the run recorded.
        folder: the run's `outputs` folder.
        spec: the template's declaration.
        run: what the run read.
    """
    produced = {output.name: output for output in outputs}
    checks: list[Check] = []
    for name, declared in spec.outputs.items():
        output = produced.get(name)
        if declared.kind is OutputKind.REPORT:
            checks.append(_check_report(name, public=run.reads_only_public))
        elif output is not None:
            checks.append(_check_file(output, folder, declared, public=run.reads_only_public))
        elif declared.required:
            checks.append(Check(name, "complete", Verdict.REFUSE, "missing"))
    return tuple(checks)


def find_undeclared(outputs: Sequence[Output], folder: Path) -> tuple[str, ...]:
    """Return the names of the files in `folder` that no declared output accounts for.

    They never leave. Their names may say something of a patient, so they stay inside as well.
    """
    known = {output.file for output in outputs} | {"index.json"}
    files = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return tuple(sorted(set(files) - known))


def tell_dropped(names: Sequence[str], run: RunSpec, language: Language) -> tuple[str, ...]:
    """Name the dropped files; only count them where a name could tell of a patient."""
    if not names or run.reads_only_public:
        return tuple(names)
    return (say(language, "check.dropped_count", count=len(names)),)


def _check_report(name: str, *, public: bool) -> Check:
    if public:
        return Check(name, "sources", Verdict.PASS, "public_sources")
    return Check(name, "sources", Verdict.HOLD, "text_from_patients")


def _check_file(output: Output, folder: Path, declared: OutputSpec, *, public: bool) -> Check:
    if output.size > LARGEST_BYTES:
        limit = str(LARGEST_BYTES // 1024**2)
        return Check(output.name, "size", Verdict.REFUSE, "too_large", (("limit", limit),))
    if declared.sensitivity is Sensitivity.SENSITIVE:
        return Check(output.name, "sensitivity", Verdict.HOLD, "about_persons")
    if public:
        return Check(output.name, "sources", Verdict.PASS, "public_sources")
    if declared.count is None:
        return Check(output.name, "counts", Verdict.HOLD, "cannot_be_counted")
    small = sum(1 for count in _read_counts(folder / output.file, declared.count) if count)
    if small:
        details = (("cells", str(small)), ("least", str(LEAST_COUNT)))
        return Check(output.name, "counts", Verdict.HOLD, "small_counts", details)
    return Check(
        output.name, "counts", Verdict.PASS, "counts_suffice", (("least", str(LEAST_COUNT)),)
    )


def _read_counts(file: Path, column: str) -> Iterator[bool]:
    """Yield for each row whether its count is too small; an unreadable count is."""
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            try:
                count = float(row[column])
            except (ValueError, TypeError):
                yield True
            else:
                yield not (count == 0 or count >= LEAST_COUNT)

"""Cutting the tables of a run that small groups hold back, and registering what is released.

Both look at what was released before. Between a check and its release another table may leave: so
the register is written under a claim, after looking once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.house import House
from pipelines.steps.prepare import request_of
from wardbook.disclosure.checks import cases_of
from wardbook.disclosure.leaving import hidden_rows, write_leaving
from wardbook.domain.output import Check, Output, OutputKind, Sensitivity, Verdict, verdicts_of
from wardbook.domain.record import Record
from wardbook.domain.run import RunResult, RunSpec

if TYPE_CHECKING:
    from wardbook.disclosure.case import Case
    from wardbook.disclosure.cutting import Neighbours
    from wardbook.disclosure.policy import Policy
    from wardbook.disclosure.register import Release, Scope
    from wardbook.template.spec import TemplateSpec

REGISTER = "register"
"""The claim under which tables are registered and released: one worker at a time."""


def cut_outputs(house: House, record: Record, checks: Sequence[Check]) -> tuple[Check, ...]:
    """Write the run's tables as they may leave, and return the checks as they are then.

    Args:
        house: the unit.
        record: the request; its work names the run.
        checks: of the outputs as the run produced them.
    """
    folder = house.run_folder(str(record.work.run))
    spec, policy = _rules_of(house, record)
    return cut_run(folder, spec, policy, checks, _others_of(house, record), house.now())


def cut_run(
    folder: Path,
    spec: TemplateSpec,
    policy: Policy,
    checks: Sequence[Check],
    neighbours: Neighbours,
    now: datetime,
) -> tuple[Check, ...]:
    """Do the same for any run's folder, beside what `neighbours` says was released before."""
    judged = _tables_of(folder, spec, policy, checks)
    if not judged:
        return tuple(checks)
    from wardbook.disclosure.cutting import leave_together, tell_cut, tell_figures, write_cut

    told: dict[str, tuple[Check, ...]] = {}
    cut: dict[str, tuple[bytes, frozenset[int]]] = {}
    for leaving in leave_together(judged, neighbours, now):
        found, case = leaving.cut, leaving.case
        if found is None:
            continue
        told[case.name] = tuple(tell_cut(case, found, _checks_of(case.name, checks)))
        if found.is_safe and found.rows:
            content = write_cut(case.table.sheet, case.declared, found.rows)
            cut[case.name] = (content, found.rows)
    write_leaving(folder, _outputs_of(folder), cut)
    names = dict.fromkeys(check.output for check in checks)
    as_cut = [one for name in names for one in told.get(name, _checks_of(name, checks))]
    cases = cases_of(_outputs_of(folder), folder / "outputs", spec, RunSpec.read(folder), policy)
    return tuple(tell_figures(cases, as_cut, cut.keys()))


def register_release(house: House, record: Record) -> bool | None:
    """Write down the tables that are released now; False where others left meanwhile that matter.

    None where another worker is at the register: the next pass tries again.
    """
    folder = house.run_folder(str(record.work.run))
    spec, policy = _rules_of(house, record)
    judged = _tables_of(folder, spec, policy, record.work.checks)
    if not judged:
        return True
    with house.ledger.claim(REGISTER) as mine:
        return _register(house, record, judged) if mine else None


def _register(house: House, record: Record, judged: Sequence[tuple[Case, Sequence[Check]]]) -> bool:
    from wardbook.disclosure.cutting import leave_together

    hidden = hidden_rows(house.run_folder(str(record.work.run)))
    verdicts = verdicts_of(check for _, checks in judged for check in checks)
    releases: list[Release] = []
    for one in leave_together(judged, _others_of(house, record), house.now(), hidden):
        rows = hidden.get(one.case.name, frozenset())
        # Whoever released a held table knew why; a table that passed must still be safe.
        by_itself = verdicts[one.case.name] is Verdict.PASS
        if by_itself and one.cut and not (one.cut.is_safe and one.cut.rows <= rows):
            return False
        releases += one.releases
    house.ledger.add_releases(releases)
    return True


def _others_of(house: House, record: Record) -> Neighbours:
    """Return what was released before of other runs: of this one we know the tables themselves."""

    def others(scope: Scope) -> Sequence[Release]:
        found = house.ledger.neighbours(scope)
        return [one for one in found if one.run != record.work.run]

    return others


def _rules_of(house: House, record: Record) -> tuple[TemplateSpec, Policy]:
    request = request_of(record)
    template = house.templates[request.template]
    return template.spec, house.policy_for(request.service, template)


def _tables_of(
    folder: Path, spec: TemplateSpec, policy: Policy, checks: Sequence[Check]
) -> list[tuple[Case, Sequence[Check]]]:
    """Return the tables of counts and sums that may leave in the clear, with their own checks."""
    run = RunSpec.read(folder)
    if run.reads_only_public:
        return []
    from wardbook.artefacts.judge import RULE as ARTEFACT
    from wardbook.identifiers.checking import RULE as IDENTIFIERS
    from wardbook.metrics.checking import RULE as SERIES

    # What a file holds beside its figures says nothing of what may be cut.
    beside, verdicts = {ARTEFACT, IDENTIFIERS, SERIES}, verdicts_of(checks)
    return [
        (case, [one for one in _checks_of(case.name, checks) if one.rule not in beside])
        for case in cases_of(_outputs_of(folder), folder / "outputs", spec, run, policy)
        if case.output is not None
        and case.declared.kind is OutputKind.TABLE
        and case.declared.sensitivity is not Sensitivity.SENSITIVE
        and verdicts.get(case.name, Verdict.REFUSE) is not Verdict.REFUSE
    ]


def _checks_of(name: str, checks: Sequence[Check]) -> tuple[Check, ...]:
    return tuple(check for check in checks if check.output == name)


def _outputs_of(folder: Path) -> Sequence[Output]:
    result = RunResult.read(folder)
    return result.outputs if result else ()

"""Cutting the tables of a run that small groups hold back, and registering what is released.

Both look at what was released before. Between a check and its release another table may leave: so
the register is written under a claim, after looking once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.house import House
from pipelines.steps.prepare import request_of
from wardbook.disclosure.checks import cases_of
from wardbook.disclosure.leaving import hidden_rows, write_leaving
from wardbook.domain.output import Check, Output, Verdict, verdicts_of
from wardbook.domain.record import Record
from wardbook.domain.run import RunResult, RunSpec

if TYPE_CHECKING:
    from wardbook.disclosure.case import Case
    from wardbook.disclosure.cutting import Cut
    from wardbook.disclosure.register import Release, Scope

REGISTER = "register"
"""The claim under which tables are registered and released: one worker at a time."""


def cut_outputs(house: House, record: Record, checks: Sequence[Check]) -> tuple[Check, ...]:
    """Write the run's tables as they may leave, and return the checks as they are then.

    Args:
        house: the unit.
        record: the request; its work names the run.
        checks: of the outputs as the run produced them.
    """
    cases = {case.name: case for case in _cases_to_cut(house, record, checks)}
    if not cases:
        return tuple(checks)
    from wardbook.disclosure.cutting import cut_table, tell_cut, write_cut

    told: dict[str, tuple[Check, ...]] = {}
    cut: dict[str, tuple[bytes, frozenset[int]]] = {}
    for name, case in cases.items():
        found = cut_table(case, house.ledger.neighbours)
        if found is None:
            continue
        of_case = [check for check in checks if check.output == name]
        told[name] = tuple(tell_cut(case, found, of_case))
        if found.is_safe and found.rows:
            content = write_cut(case.table.sheet, case.declared, found.rows)
            cut[name] = (content, found.rows)
    folder = house.run_folder(str(record.work.run))
    write_leaving(folder, _outputs_of(folder), cut)
    names = dict.fromkeys(check.output for check in checks)
    kept = {name: tuple(c for c in checks if c.output == name) for name in names}
    return tuple(check for name in names for check in told.get(name, kept[name]))


def register_release(house: House, record: Record) -> bool | None:
    """Write down the tables that are released now; False where others left meanwhile that matter.

    None where another worker is at the register: the next pass tries again.
    """
    cases = list(_cases_to_cut(house, record, record.work.checks, released=True))
    if not cases:
        return True
    with house.ledger.claim(REGISTER) as mine:
        return _register(house, record, cases) if mine else None


def _register(house: House, record: Record, cases: Sequence[Case]) -> bool:
    from wardbook.disclosure.cutting import cut_table, describe_releases

    hidden = hidden_rows(house.run_folder(str(record.work.run)))
    verdicts = verdicts_of(record.work.checks)
    releases: list[Release] = []
    for case in cases:
        rows = hidden.get(case.name, frozenset())
        now = cut_table(case, lambda scope: _others(house, record, scope))
        if now is None:
            continue
        # Whoever released a held table knew why; a table that passed must still be safe.
        by_itself = verdicts[case.name] is Verdict.PASS
        if by_itself and not (now.is_safe and now.rows <= rows):
            return False
        releases += describe_releases(case, _show(now, rows), record.key, house.now())
    house.ledger.add_releases(releases)
    return True


def _show(cut: Cut, rows: frozenset[int]) -> Cut:
    """Return a cut with the rows that are really hidden: those, and never fewer."""
    parts = tuple((t, replace(s, suppressed=rows), scope) for t, s, scope in cut.parts)
    return replace(cut, rows=rows, parts=parts)


def _others(house: House, record: Record, scope: Scope) -> Sequence[Release]:
    """Return what was released before of other runs: of this one we know the tables themselves."""
    found = house.ledger.neighbours(scope)
    return [one for one in found if one.run != record.work.run]


def _cases_to_cut(
    house: House, record: Record, checks: Sequence[Check], *, released: bool = False
) -> Iterator[Case]:
    folder = house.run_folder(str(record.work.run))
    spec = RunSpec.read(folder)
    if spec.reads_only_public:
        return
    from wardbook.disclosure.cutting import may_be_cut

    request = request_of(record)
    template = house.templates[request.template]
    policy = house.policy_for(request.service, template)
    verdicts = verdicts_of(checks)
    outputs = _outputs_of(folder)
    for case in cases_of(outputs, folder / "outputs", template.spec, spec, policy):
        of_case = [check for check in checks if check.output == case.name]
        if not of_case:
            continue
        if released:
            if verdicts[case.name] is not Verdict.REFUSE and may_be_cut(case, ()):
                yield case
        elif may_be_cut(case, of_case):
            yield case


def _outputs_of(folder: Path) -> Sequence[Output]:
    result = RunResult.read(folder)
    return result.outputs if result else ()

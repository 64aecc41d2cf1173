"""The flow of persons through the criteria: how many are left at each step, and what may be shown.

A box of the flow is `kept_K` (those who are left after step K; `kept_0`: all of the source) or
`left_K` (those whom step K leaves out). Each `kept` is the sum of the two boxes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from wardbook.cohort.criteria import Cohort
from wardbook.cohort.grammar import MOST
from wardbook.disclosure.reader import Reader
from wardbook.disclosure.relations import Codes, find_relations
from wardbook.disclosure.suppress import suppress
from wardbook.disclosure.table import Cell, Table
from wardbook.errors import DataProblem

MOST_STEPS = MOST + 2
"""The entry, the period, and the criteria; the template declares a box for each."""
LEAST = 11
"""A count below it is not drawn or said: the least of the policy that Wardbook comes with."""


def count_flow(persons: pd.DataFrame, cohort: Cohort, *, file: str) -> pd.DataFrame:
    """Return the flow: columns box, step, criterion (as asked), persons.

    Steps that leave out too few persons are one with the step after them (the last ones with the
    one before), like "2-4": who alone is left out by one criterion is told by nobody.

    Args:
        persons: rows of the dataset `cohort-persons`.
        cohort: what was asked; its entry is step 1.
        file: name of the source's file, for a problem.

    Raises:
        DataProblem: the rows were made for other criteria.
    """
    steps, marks = len(cohort.steps), len(cohort.characteristics)
    inside = persons[persons["step"] == steps]
    traits = inside["traits"].astype("str")
    if persons["step"].max() > steps or not traits.str.fullmatch(f"T[01]{{{marks}}}").all():
        raise DataProblem("cohort_step_unknown", file=file, column="step, traits")
    kept = [int(persons["source_persons"].iloc[0]), len(persons)]
    kept += [int((persons["step"] > step).sum()) for step in range(steps)]
    asked = ("", str(cohort.entry), *cohort.steps)
    rows = [("kept_0", "0", "", kept[0])]
    before = 0
    for last in _end_blocks(kept):
        block = range(before + 1, last + 1)
        step = str(last) if len(block) == 1 else f"{block[0]}-{last}"
        criterion = "; ".join(asked[at] for at in block)
        rows.append((f"left_{last}", step, criterion, kept[before] - kept[last]))
        rows.append((f"kept_{last}", step, criterion, kept[last]))
        before = last
    return pd.DataFrame(rows, columns=["box", "step", "criterion", "persons"])


def write_boxes(flow: pd.DataFrame, write: Callable[[int], str], hidden: str) -> dict[str, str]:
    """Return each box's number in words, `hidden` for those that are not shown."""
    pairs = zip(flow["box"], flow["persons"], strict=True)
    return {box: hidden if pd.isna(count) else write(int(count)) for box, count in pairs}


def _end_blocks(kept: Sequence[int]) -> list[int]:
    """Return the last step of each block of steps that together leave out enough persons."""
    ends: list[int] = []
    before = 0
    for step in range(1, len(kept)):
        if kept[before] - kept[step] >= LEAST:
            ends.append(step)
            before = step
    final = len(kept) - 1
    return [*ends[:-1], final]


def hide_small(flow: pd.DataFrame) -> pd.DataFrame:
    """Return the flow with `persons` empty (Int64) where it is small, or would tell a small one.

    It is for what is drawn and said: the table itself is judged and cut when it leaves, by the
    unit's own policy and beside what left before.
    """
    persons = flow["persons"].astype("int64")
    places = [(str(box),) for box in flow["box"]]
    steps = range(2, MOST_STEPS + 1)
    parents = {f"{side}_{step}": f"kept_{step - 1}" for step in steps for side in ("left", "kept")}
    table = Table(
        name="flow",
        dimensions=("box",),
        cells=tuple(Cell(at, n, n) for at, n in zip(places, persons, strict=True)),
        relations=find_relations(places, [Codes("kept_0", parents)]),
    )
    unsafe = [at for at, count in enumerate(persons) if count < LEAST]
    chosen = suppress(table, unsafe, Reader(minimum=LEAST))
    hidden = chosen.suppressed if chosen.is_safe else range(len(flow))
    shown = [pd.NA if at in hidden else count for at, count in enumerate(persons)]
    return flow.assign(persons=pd.array(shown, dtype="Int64"))

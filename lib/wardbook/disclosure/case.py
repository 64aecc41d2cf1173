"""One output before the rules: what was declared, what was produced, by which policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.disclosure.declared import DeclaredTable
from wardbook.disclosure.policy import Policy
from wardbook.disclosure.sheet import Sheet, Unreadable, read_sheet
from wardbook.domain.output import Channel, Check, Output, Verdict
from wardbook.domain.run import RunSpec

if TYPE_CHECKING:
    from wardbook.template.outputs import OutputSpec
    from wardbook.template.spec import TemplateSpec


@dataclass(frozen=True)
class Case:
    """A declared output that was produced, or the report, which is rendered later.

    Args:
        name: of the output.
        declared: its declaration.
        output: what the run recorded of it; None for the report.
        folder: the run's `outputs` folder.
        produced: everything that the run recorded, by name.
        template: the whole declaration.
        run: what the run read.
        policy: the rules in force.
        verdicts: on the outputs that were judged before; the tables come first.
    """

    name: str
    declared: OutputSpec
    output: Output | None
    folder: Path
    produced: Mapping[str, Output]
    template: TemplateSpec
    run: RunSpec
    policy: Policy
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def file(self) -> Path | None:
        """Where the output's file stands."""
        return self.folder / self.output.file if self.output else None

    @property
    def is_public(self) -> bool:
        """Whether everything that the run read is published already."""
        return self.run.reads_only_public

    @cached_property
    def table(self) -> DeclaredTable:
        """The output's file as a declared table, read once for all checkers.

        Raises:
            Unreadable: it is no CSV file with the declared columns, or its backing is none.
        """
        backing = self.declared.backing if self.declared.backing in self.produced else ""
        return DeclaredTable(
            self.name,
            self.declared,
            self._read(self.name),
            self._read(backing) if backing else None,
        )

    def _read(self, name: str) -> Sheet:
        sheet = read_sheet(self.folder / self.produced[name].file)
        if sheet.header != tuple(self.template.outputs[name].columns):
            raise Unreadable
        return sheet

    def passes(self, rule: str, reason: str, **details: object) -> Check:
        """Say that a rule lets the output pass."""
        return self._say(rule, Verdict.PASS, reason, details)

    def holds(self, rule: str, reason: str, **details: object) -> Check:
        """Say that a person must decide."""
        return self._say(rule, Verdict.HOLD, reason, details, self.policy.approvals.held)

    def holds_for(self, people: int, rule: str, reason: str, **details: object) -> Check:
        """Say that so many people must agree."""
        return self._say(rule, Verdict.HOLD, reason, details, people)

    def refuses(self, rule: str, reason: str, **details: object) -> Check:
        """Say that the output never leaves."""
        return self._say(rule, Verdict.REFUSE, reason, details)

    def _say(
        self,
        rule: str,
        verdict: Verdict,
        reason: str,
        details: Mapping[str, object],
        approvals: int = 1,
    ) -> Check:
        told = tuple((key, str(value)) for key, value in details.items())
        return Check(self.name, rule, verdict, reason, told, self.policy.reference, approvals)


Checker = Callable[[Case], Iterable[Check]]
"""Judges one output: a check for each rule that it knows, none where it has nothing to say.

It decides by itself whether `case.is_public` or `case.declared.sensitivity` matter to it.
"""


def stays_inside(declared: OutputSpec) -> bool:
    """Tell whether an output never leaves: it is there for the checks alone."""
    return declared.channel is Channel.INSIDE

"""The evidence of a run: everything that a reviewer judges by, gathered from its folder.

It is shown twice: whole on a page of the secure side, `evidence/index.html` in the run's folder;
and on the merge request without any value that was read from patients' data.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.house import House
from pipelines.steps.prepare import request_of
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import Channel, Output, Verdict, verdicts_of
from wardbook.domain.record import Record
from wardbook.domain.run import RunResult, RunSpec
from wardbook.review.approving import Panel, approvals_needed
from wardbook.review.causes import Look, look_for_causes
from wardbook.review.difference import Difference, Sheet, compare_sheets, read_sheet
from wardbook.review.standing import (
    Obstacle,
    find_obstacles,
    find_standing,
    parts_of_record,
)
from wardbook.settings import StandingApproval
from wardbook.template.spec import Template


@dataclass(frozen=True)
class Run:
    """A run's folder, read: what was asked, what came of it, its notebook's code by lines."""

    folder: Path
    spec: RunSpec
    outputs: Mapping[str, Output]
    code: tuple[str, ...]
    leaving: Path
    """Where the outputs stand as they leave; `outputs` tells of those."""

    @classmethod
    def read(cls, folder: Path) -> Run | None:
        """Read a run's folder; None where the run did not end well, or was purged."""
        try:
            result, spec = RunResult.read(folder), RunSpec.read(folder)
        except (OSError, ValueError):
            return None
        if result is None or result.failure is not None:
            return None
        where, leaving = read_leaving(folder, result.outputs)
        outputs = {output.name: output for output in leaving}
        return cls(folder, spec, outputs, _read_code(folder / "notebook.ipynb"), where)

    def sheet(self, name: str) -> Sheet | None:
        """Return one of the outputs as a table; None where it is none."""
        output = self.outputs[name]
        try:
            return read_sheet((self.leaving / output.file).read_bytes())
        except OSError:
            return None


@dataclass(frozen=True)
class Evidence:
    """What a reviewer judges by. `earlier` is the last run of the request that was released.

    `least` is the policy's least count. `recipients` are those to whom the outputs in `sealed` are
    sealed, each with the fingerprint that counts now; "" for somebody without a confirmed key.
    """

    record: Record
    template: Template
    run: Run
    earlier: Run | None
    panel: Panel
    needed: Mapping[str, int]
    standing: tuple[str, StandingApproval] | None
    obstacles: tuple[Obstacle, ...]
    least: int
    recipients: Mapping[str, str]

    @property
    def sealed(self) -> tuple[str, ...]:
        """The outputs that would leave sealed, by name."""
        declared = self.template.spec.outputs
        verdicts = verdicts_of(self.record.work.checks)
        return tuple(
            name
            for name in self.run.outputs
            if name in declared
            and declared[name].channel is Channel.SHARE
            and verdicts.get(name) is not Verdict.REFUSE
        )

    @property
    def public(self) -> bool:
        """Whether everything that the run read is published already."""
        return self.run.spec.reads_only_public

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """For each output that both runs have, what its release would add."""
        return tuple(self._compare()) if self.earlier else ()

    def _compare(self) -> Iterator[Difference]:
        assert self.earlier is not None  # noqa: S101  for the type checker
        for name, output in self.run.outputs.items():
            before = self.earlier.outputs.get(name)
            if before is None:
                continue
            if before.sha256 == output.sha256:
                yield Difference(name)
                continue
            then, now = self.earlier.sheet(name), self.run.sheet(name)
            declared = self.template.spec.outputs.get(name)
            if then is None or now is None:
                yield Difference(name, compared=False)
            else:
                yield compare_sheets(
                    name, then, now, least=self.least, count=declared.count if declared else None
                )

    @cached_property
    def code_lines(self) -> tuple[str, ...]:
        """The notebook's code since the earlier release, as a unified difference."""
        if self.earlier is None:
            return ()
        lines = difflib.unified_diff(self.earlier.code, self.run.code, lineterm="", n=2)
        return tuple(lines)[2:]

    @cached_property
    def changed_parameters(self) -> Mapping[str, tuple[str, str]]:
        """The parameters that differ from those of the earlier release: before and now."""
        if self.earlier is None:
            return {}
        before, now = self.earlier.spec.parameters, self.run.spec.parameters
        return {
            name: (_told(before.get(name)), _told(now.get(name)))
            for name in sorted({*before, *now})
            if before.get(name) != now.get(name)
        }

    @property
    def changed_sources(self) -> tuple[str, ...]:
        """The sources whose bytes differ from those that the earlier release read."""
        if self.earlier is None:
            return ()
        before, now = self.earlier.spec.sources, self.run.spec.sources
        return tuple(
            name
            for name in sorted({*before, *now})
            if name not in before or name not in now or before[name].sha256 != now[name].sha256
        )

    @cached_property
    def looks(self) -> tuple[Look, ...]:
        """The five usual causes, each looked at."""
        periodic = {name for name, one in self.template.spec.parameters.items() if one.from_period}
        return look_for_causes(
            self.template.spec,
            tuple(self.run.outputs.values()),
            self.record.work.checks,
            self.record.work.dropped,
            self.differences,
            public=self.public,
            parameters_changed=bool(set(self.changed_parameters) - periodic),
        )


def gather_evidence(house: House, record: Record) -> Evidence | None:
    """Gather what there is to judge the present run by; None where its folder is gone."""
    from pipelines.recipients import trusted_key  # a pass with nothing to judge stays quick

    run = Run.read(house.run_folder(str(record.work.run)))
    if run is None:
        return None
    request = request_of(record)
    template = house.templates[request.template]
    panel = house.circumstances.panel_of(record)
    standing = find_standing(house.settings.standing_approvals, record)
    parts = parts_of_record(record, template)
    return Evidence(
        record=record,
        template=template,
        run=run,
        earlier=find_last_release(house, record),
        panel=panel,
        needed=approvals_needed(template.spec, record.work.checks),
        standing=standing,
        obstacles=(
            find_obstacles(standing[1], record, parts, panel, house.today) if standing else ()
        ),
        least=house.policy_for(request.service, template).minimum_count,
        recipients={one: trusted_key(house, one) or "" for one in request.recipients},
    )


def find_last_release(house: House, record: Record) -> Run | None:
    """Return the last run of a request that was released before the present one."""
    runs = [one.run for one in record.links.deliverables if one.run != record.work.run]
    return Run.read(house.run_folder(runs[-1])) if runs else None


def _read_code(notebook: Path) -> tuple[str, ...]:
    """Return the lines of a notebook's code cells, a blank line after each cell."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(line for source in sources for line in (*source.splitlines(), ""))


def _told(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("date", value)
    return "" if value is None else str(value)

"""`wardbook why` says what the pass does, and names what changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answered_unit import answered, lay_out_unit, remade, write_records
from click.testing import CliRunner

from pipelines.circumstances import Circumstances
from pipelines.cli.main import wardbook
from pipelines.cli.why import _as_json
from pipelines.decide import Step, next_step
from pipelines.rerun import CURES
from pipelines.why import Decision, decide_run, tell_change
from wardbook.data_versions import TICK_NS, DataVersions
from wardbook.domain.made_from import MadeFrom, Part
from wardbook.domain.record import Approval, Record, Review
from wardbook.domain.run import Failure, FailureKind, RunResult
from wardbook.domain.states import State
from wardbook.ledger.glance import Waiting
from wardbook.settings import Settings

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RUNNING = {Step.PREPARE, Step.START, Step.MEND, Step.AGAIN}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return lay_out_unit(tmp_path)


@pytest.fixture
def unit(settings: Settings) -> Circumstances:
    circumstances = Circumstances(settings, lambda: NOW)
    file = settings.unit.state / "data-versions.json"
    later = lambda: int(datetime.now(UTC).timestamp() * 1e9) + 2 * TICK_NS  # noqa: E731
    circumstances.data = DataVersions(file, later)
    return circumstances


def failed(unit: Circumstances, kind: FailureKind = FailureKind.CELL_ERROR) -> Record:
    failure = Failure(kind, cell=3, error_class="KeyError")
    return answered(unit, 1, state=State.FAILED, failure=failure)


def told(decision: Decision, unit: Circumstances) -> list[str]:
    return [line for one in decision.changes for line in tell_change(one, unit.known_environment)]


# --- the same decision as the pass ----------------------------------------------------------------

CHANGED: dict[Part | None, dict[str, Any]] = {
    None: {},
    Part.TEMPLATE: {"template_digest": "0" * 64},
    Part.SOURCE: {"sources": {}},
    Part.ENVIRONMENT: {"environment": "0" * 64},
}


def generate(unit: Circumstances) -> Iterator[tuple[Record, bool]]:
    """Every state × what changed × how it failed × what people did; and whether it is cured."""
    for state in State:
        kinds = list(FailureKind) if state is State.FAILED else [None]
        for part, change in CHANGED.items():
            for kind in kinds:
                for number in (1, 3):  # once, and each month
                    failure = Failure(kind) if kind else None
                    record = remade(answered(unit, number, state=state, failure=failure), **change)
                    cured = kind is not None and part is not None and part in CURES[kind]
                    yield record, cured
                    yield replace(record, review=Review(head="9" * 40)), cured
                    period = "2026-02" if number == 3 else ""
                    yield replace(record, work=replace(record.work, period=period)), cured
                    yield replace(record, asked="edited"), cured
                    yield replace(record, ticket=replace(record.ticket, done=True)), cured


def test_why_and_the_pass_decide_the_same_over_generated_records(unit: Circumstances) -> None:
    seen = set()
    for record, cured in generate(unit):
        step = next_step(
            record,
            unit.panel_of(record),
            now=NOW,
            zone=unit.zone,
            notice_days=30,
            cause_gone=cured,
        )
        decision = decide_run(record, unit)
        if step not in {Step.COMPARE, Step.WARN}:
            assert decision.step is step, (record, decision)
        assert (decision.runs == "yes") == (decision.step in RUNNING)
        assert decision.because
        seen.add(decision.step)
    assert {*RUNNING, Step.REST, Step.FOLLOW, Step.GATE, Step.CLOSE} <= seen


def test_the_comparison_of_both_sides_is_looked_through(unit: Circumstances) -> None:
    """The pass compares and goes on at once; so what follows is what counts."""
    touched = replace(answered(unit, 1, state=State.PREPARED), compared="before")
    assert unit.decide(touched) is Step.COMPARE
    assert decide_run(touched, unit).step is Step.START
    at_rest = replace(answered(unit, 1), compared="before")
    assert decide_run(at_rest, unit).runs == "no"


def test_the_notice_of_an_expiry_is_looked_through(unit: Circumstances) -> None:
    record = answered(unit, 3, period="2026-02")
    assert record.request
    soon = replace(record, request=replace(record.request, expires="2026-03-20"))
    assert unit.decide(soon) is Step.WARN
    assert decide_run(soon, unit).step is Step.AGAIN


# --- what changed ---------------------------------------------------------------------------------


def test_nothing_changed_and_the_run_stands(unit: Circumstances) -> None:
    record = answered(unit, 1)
    decision = decide_run(record, unit)
    assert (decision.runs, decision.changes) == ("no", ())
    assert str(record.work.run) in decision.because
    assert "nothing has changed" in decision.because


def test_an_answered_request_names_the_changes_and_does_not_run(unit: Circumstances) -> None:
    record = answered(unit, 1)
    assert isinstance(record.work.made_from, MadeFrom)
    file = Path(record.work.made_from.sources["stays"].path)
    file.write_bytes(b"others")
    decision = decide_run(record, unit)
    assert decision.runs == "no"
    assert "--force" in decision.because
    (line,) = told(decision, unit)
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")
    assert line == f'source "data1": file replaced {written}'


def test_a_file_that_is_gone_or_there_again_is_told(unit: Circumstances) -> None:
    record = answered(unit, 1)
    without = remade(record, sources={})
    assert told(decide_run(without, unit), unit)[0].startswith('source "data1": file there now')
    assert record.work.made_from
    Path(record.work.made_from.sources["stays"].path).unlink()
    assert told(decide_run(record, unit), unit) == ['source "data1": file gone']


def test_packages_are_named_with_both_versions(unit: Circumstances) -> None:
    from wardbook.environment import keep_environment

    now = dict(unit.environment("python3"))
    then = now | {"pandas": "2.0.0", "left-pad": "1"}
    del then["numpy"]
    before = keep_environment(unit.environments, then)
    decision = decide_run(remade(answered(unit, 1), environment=before), unit)
    assert told(decision, unit) == [
        "environment: left-pad 1 → gone",
        f"environment: numpy absent → {now['numpy']}",
        f"environment: pandas 2.0.0 → {now['pandas']}",
    ]
    lost = decide_run(remade(answered(unit, 1), environment="0" * 64), unit)
    assert told(lost, unit) == ["environment: other packages than then; what there was is not kept"]


def test_commit_and_template_are_named(unit: Circumstances) -> None:
    record = remade(answered(unit, 1), template_digest="0" * 64, template_version="0.9")
    seen = replace(record, review=Review(head="2" * 40))
    lines = told(decide_run(seen, unit), unit)
    template = unit.templates["line_list"]
    assert lines == [
        "commit 11111111 → 22222222",
        f"template line_list: 0.9 ({'0' * 12}) → {template.spec.version} ({template.digest[:12]})",
    ]


def test_parameters_are_named_without_their_values(unit: Circumstances) -> None:
    record = answered(unit, 1)
    decision = decide_run(record, unit, parameters={"start": "other", "region": "new"})
    assert told(decision, unit) == [
        "parameter end: gone",
        "parameter region: new",
        "parameter start: changed",
    ]


# --- when a change makes it run -------------------------------------------------------------------


def test_a_failed_request_runs_when_its_cause_can_have_gone(unit: Circumstances) -> None:
    record = failed(unit, FailureKind.DATA_PROBLEM)
    assert decide_run(record, unit).runs == "no"
    assert decide_run(remade(record, environment="0" * 64), unit).runs == "no"
    mended = decide_run(remade(record, sources={}), unit)
    assert (mended.runs, mended.step) == ("yes", Step.MEND)


def test_the_same_parts_are_tried_by_themselves_once_only(unit: Circumstances) -> None:
    """Two machines with different packages must not take turns at failing."""
    from wardbook.domain.made_from import run_key

    record = remade(failed(unit), environment="0" * 64)
    assert decide_run(record, unit).runs == "yes"
    made = unit.made_now(record)
    assert made is not None
    tried = unit.settings.unit.state / "runs" / run_key(record.key, "", made, 0)
    tried.mkdir(parents=True)
    failure = Failure(FailureKind.CELL_ERROR)
    RunResult(tried.name, NOW.isoformat(), 1.0, failure=failure).write(tried)
    decision = decide_run(record, unit)
    assert decision.runs == "no"
    assert "tried already" in decision.because
    RunResult(tried.name, NOW.isoformat(), 1.0).write(tried)
    assert decide_run(record, unit).runs == "yes", "a result that stands is taken over"


def test_a_failure_of_the_machine_says_that_a_retry_may_help(unit: Circumstances) -> None:
    assert (
        "`wardbook retry DATA-1`" in decide_run(failed(unit, FailureKind.NODE_LOST), unit).because
    )
    assert "would fail again" in decide_run(failed(unit), unit).because
    assert "KeyError in cell 3" in decide_run(failed(unit), unit).because


def test_a_new_period_runs_although_nothing_else_changed(unit: Circumstances) -> None:
    record = answered(unit, 3)
    waiting = decide_run(record, unit)
    assert waiting.runs == "no"
    assert "looked at again at 2026-04-01 00:00" in waiting.because
    begun = decide_run(replace(record, work=replace(record.work, period="2026-02")), unit)
    assert (begun.runs, begun.changes) == ("yes", ())
    assert "since 2026-02" in begun.because


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (State.HELD, "approval"),
        (State.REJECTED, "not released"),
        (State.REFUSED, "gate refused"),
        (State.CLOSED, "closed by hand"),
        (State.REOPENED, "opened again"),
        (State.PAUSED, "legal basis ended on 2099-12-31"),
        (State.RUNNING, "running now"),
        (State.CHECKED, "judged"),
        (State.RELEASED, "delivered next"),
        (State.DELIVERED, "answered next"),
    ],
)
def test_what_comes_first_is_told(unit: Circumstances, state: State, word: str) -> None:
    record = answered(unit, 1, state=state)
    closed = state is State.CLOSED
    decision = decide_run(
        replace(record, ticket=replace(record.ticket, done=closed),
                agreed=replace(record.agreed, ticket_done=closed)),
        unit,
    )  # fmt: skip
    assert decision.runs == "no"
    assert word in decision.because


def test_the_end_of_the_legal_basis_comes_before_everything(unit: Circumstances) -> None:
    record = answered(unit, 1, state=State.PREPARED)
    assert record.request
    ended = replace(record, request=replace(record.request, expires="2026-03-01"))
    decision = decide_run(ended, unit)
    assert (decision.runs, decision.step) == ("no", Step.PAUSE)
    assert "2026-03-01" in decision.because


def test_an_approval_is_seen(unit: Circumstances) -> None:
    reviewer = unit.settings.services["Direction médicale"].reviewers[0]
    approval = Approval(reviewer, "Somebody", NOW.isoformat())
    held = replace(answered(unit, 1, state=State.HELD), review=Review(approvals=(approval,)))
    assert decide_run(held, unit).step is Step.REVIEW


def test_an_effect_that_waits_holds_a_run_up(unit: Circumstances) -> None:
    record = answered(unit, 1, state=State.PREPARED)
    soon = (NOW + timedelta(minutes=5)).isoformat()
    decision = decide_run(record, unit, [Waiting("gitlab.branch", "GitLab is away", soon)])
    assert decision.runs == "unknown"
    assert "gitlab.branch could not be made; it is tried again from 2026-03-02 12:05 UTC" in (
        decision.because
    )
    past = (NOW - timedelta(minutes=5)).isoformat()
    assert decide_run(record, unit, [Waiting("gitlab.branch", "…", past)]).runs == "yes"


# --- the command ----------------------------------------------------------------------------------


def call(settings: Settings, *arguments: str) -> Any:
    file = settings.unit.state.parent / "wardbook.toml"
    command = ["--settings", str(file), "why", *arguments]
    return CliRunner().invoke(wardbook, command, standalone_mode=False)


def test_the_command_tells_one_line_for_each(settings: Settings, unit: Circumstances) -> None:
    records = [answered(unit, 1), failed(unit), answered(unit, 12, state=State.PREPARED)]
    records[1] = replace(records[1], key="DATA-2", ticket=replace(records[1].ticket, id="2"))
    write_records(settings.ledger, records)
    lines = call(settings).output.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["DATA-1", "no"], ["DATA-2", "no"], ["DATA-12", "yes"],
    ]  # fmt: skip
    told = json.loads(call(settings, "--json").output)
    assert [(one["key"], one["runs"], one["step"]) for one in told] == [
        ("DATA-1", "no", "rest"),
        ("DATA-2", "no", "rest"),
        ("DATA-12", "yes", "start"),
    ]


def test_a_key_that_is_not_there_and_a_ledger_that_is_not(
    settings: Settings, unit: Circumstances
) -> None:
    from wardbook.errors import ForeignFault

    absent = call(settings)
    assert isinstance(absent.exception, ForeignFault)
    assert "wardbook tick" in str(absent.exception)
    write_records(settings.ledger, [answered(unit, 1)])
    unknown = call(settings, "DATA-9")
    assert unknown.return_value == 1
    assert "not in the ledger" in unknown.output


SLOW = {"sqlalchemy", "alembic", "jira", "gitlab", "pandas", "rich"}


def modules_of(settings: Settings, command: str) -> set[str]:
    """What a fresh interpreter has imported after a command."""
    file = settings.unit.state.parent / "wardbook.toml"
    code = (
        "import sys; from pipelines.cli.main import main; "
        f"main(['--settings', {str(file)!r}, {command!r}, '--json']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    return set(done.stderr.split())


def test_deciding_imports_nothing_that_is_slow(settings: Settings, unit: Circumstances) -> None:
    write_records(settings.ledger, [answered(unit, 1)])
    assert not SLOW & modules_of(settings, "why")
    assert {"sqlalchemy", "rich"} <= modules_of(settings, "status"), (
        "the look at modules finds some"
    )


def test_no_digest_of_a_value_is_told(settings: Settings, unit: Circumstances) -> None:
    record = answered(unit, 1)
    decision = decide_run(record, unit, parameters={"start": "5ec2e7" * 3})
    told = json.dumps(_as_json(decision, unit))
    assert '"start"' in told
    assert "5ec2e7" not in told
    assert "0" * 16 not in told, "nor that of the former value"

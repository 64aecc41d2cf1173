"""Whether a request would run at the next pass, and why or why not, for its analyst.

The decision itself is `Circumstances.decide`, the one that the pass takes; here it is only followed
through the steps that run nothing (comparing both sides, telling of an expiry) and put into words.
No value of a parameter is told, only its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from pipelines.circumstances import Circumstances
from pipelines.decide import Step, wakes_at
from pipelines.rerun import is_bound_to_recur
from wardbook.domain.made_from import Change, Part
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.environment import Environment
from wardbook.ledger.glance import Waiting

Answer = Literal["yes", "no", "unknown"]
"""Whether its notebook runs at the next pass; unknown where something else decides that first."""

_RUNS = frozenset({Step.PREPARE, Step.START, Step.MEND, Step.AGAIN})
_UNKNOWN = frozenset({Step.GATE, Step.REOPEN})


@dataclass(frozen=True)
class Decision:
    """What the next pass does with one request.

    `because` is a sentence; `changes` are the parts that differ from those of its last `run`.
    """

    key: str
    state: State
    runs: Answer
    step: Step
    because: str
    run: str | None
    changes: tuple[Change, ...]


def decide_run(
    record: Record,
    circumstances: Circumstances,
    waiting: Sequence[Waiting] = (),
    parameters: Mapping[str, str] | None = None,
) -> Decision:
    """Decide whether a request runs at the next pass, from the ledger and what is there now.

    Args:
        record: the request.
        circumstances: the unit as it is now.
        waiting: its effects that are not confirmed.
        parameters: the digests of those on its branch, where that was read.
    """
    step, ahead = _next_deciding_step(record, circumstances)
    changes = circumstances.changes_since(ahead, parameters)
    runs: Answer = "unknown" if step in _UNKNOWN else "yes" if step in _RUNS else "no"
    because = _REASONS[step](ahead, circumstances, changes)
    held_up = _held_up(waiting, circumstances.now())
    if held_up and runs != "no":
        runs, because = "unknown", f"{held_up} Once that is made: {because}"
    return Decision(record.key, record.state, runs, step, because, record.work.run, changes)


def _next_deciding_step(record: Record, circumstances: Circumstances) -> tuple[Step, Record]:
    """Follow the pass through the steps after which it goes on as before."""
    step = circumstances.decide(record)
    if step is Step.COMPARE:
        record = replace(record, compared=record.version)
        step = circumstances.decide(record)
    if step is Step.WARN and record.request:
        record = replace(record, warned=record.request.expires)
        step = circumstances.decide(record)
    return step, record


def _held_up(waiting: Sequence[Waiting], now: datetime) -> str:
    """Say what outside has to be made first, where a try of it has failed."""
    for one in waiting:
        if one.next_try and now < datetime.fromisoformat(one.next_try):
            return f"{one.kind} could not be made; it is tried again from {_when(one.next_try)} on."
    return ""


# --- reasons, by step -----------------------------------------------------------------------------

_Reason = Callable[[Record, Circumstances, Sequence[Change]], str]


def _say(text: str) -> _Reason:
    return lambda _record, _circumstances, _changes: text


def _started(record: Record, *_: object) -> str:
    if record.work.forced:
        return "Somebody has it run again, changed or not."
    return "It is ready. A run that was made from the same parts is taken over."


def _mended(record: Record, _: Circumstances, changes: Sequence[Change]) -> str:
    if record.state is State.FAILED:
        return f"It failed ({_cause(record)}), and what it was made from has changed since."
    if any(change.part is Part.COMMIT for change in changes):
        return "There is a new commit on its branch."
    return "Its branch is not at the commit that was run."


def _again(record: Record, _: Circumstances, changes: Sequence[Change]) -> str:
    if changes:
        return f"A new period has begun since {record.work.period}, and parts have changed."
    return (
        f"A new period has begun since {record.work.period}. Nothing else has changed; it runs "
        "all the same, since the period is a part of the run."
    )


def _rests(record: Record, circumstances: Circumstances, changes: Sequence[Change]) -> str:
    return _RESTS[record.state](record, circumstances, changes)


def _answered(record: Record, circumstances: Circumstances, changes: Sequence[Change]) -> str:
    stands = f"Its run {record.work.run} stands: answered {_when(record.changed_at)}"
    wakes = wakes_at(record, circumstances.zone, circumstances.settings.unit.expiry_notice_days)
    if wakes is not None:
        until = wakes.astimezone(circumstances.zone).strftime("%Y-%m-%d %H:%M")
        return f"{stands}, for the period {record.work.period}. It is looked at again at {until}."
    if changes:
        return (
            f"{stands}. What was asked once and is answered does not run again by itself; "
            f"`wardbook retry {record.key} --force --reason …` runs it."
        )
    return f"{stands}, and nothing has changed since."


def _failed(record: Record, _: Circumstances, changes: Sequence[Change]) -> str:
    failure = record.work.failure
    told = f"It failed {_when(record.changed_at)} ({_cause(record)})"
    if changes:
        return f"{told}. What changed since cannot have removed the cause, or was tried already."
    if failure is None or is_bound_to_recur(failure.kind):
        return f"{told}, and nothing has changed since: it would fail again."
    return (
        f"{told}, and nothing has changed since. The machine may have had a share in it: "
        f"`wardbook retry {record.key}` tries again."
    )


def _cause(record: Record) -> str:
    failure = record.work.failure
    if failure is None:
        return "cause unknown"
    place = f" in cell {failure.cell}" if failure.cell else ""
    detail = failure.problem or failure.error_class
    return f"{failure.kind}{f': {detail}' if detail else ''}{place}"


def _paused(record: Record, *_: object) -> str:
    expires = record.request.expires if record.request else "?"
    return f"It is paused: its legal basis ended on {expires}. An edited ticket wakes it."


_RESTS: Mapping[State, _Reason] = {
    State.ANSWERED: _answered,
    State.FAILED: _failed,
    State.PAUSED: _paused,
    State.HELD: _say("Its results wait for the approval of a reviewer."),
    State.REJECTED: _say(
        "Its results were not released. A new commit on its branch runs it again."
    ),
    State.REFUSED: _say("The gate refused its ticket. An edited ticket is judged again."),
    State.CLOSED: _say("It was closed by hand. Opening its ticket or issue takes it up again."),
    State.REOPENED: _say("It was opened again after its answer. A commit on its branch runs it."),
}
_REASONS: Mapping[Step, _Reason] = {
    Step.CLOSE: _say("Its ticket or issue was closed by hand; the other side follows."),
    Step.REOPEN: _say("Its ticket or issue was opened again; that is looked at first."),
    Step.GATE: _say("Its ticket is new or was edited: the gate judges it first."),
    Step.COMPARE: _say("Both sides are compared first."),
    Step.PREPARE: _say("The gate let it through: its branch is prepared, then it runs."),
    Step.START: _started,
    Step.FOLLOW: _say("It is running now, or its run has just ended."),
    Step.MEND: _mended,
    Step.RELEASE: _say("Its run has ended; its outputs are being judged."),
    Step.REVIEW: _say("A reviewer approved its results; they are released."),
    Step.TURN_DOWN: _say("Its merge request was closed: its results are not released."),
    Step.DELIVER: _say("Its results are released, and delivered next."),
    Step.ANSWER: _say("Its results are delivered; the ticket is answered next."),
    Step.AGAIN: _again,
    Step.WARN: _say("The requester is told first that its legal basis ends soon."),
    Step.PAUSE: lambda record, *_: (
        f"Its legal basis ended on {record.request.expires if record.request else '?'}: "
        "it pauses at the next pass."
    ),
    Step.REST: _rests,
}


# --- changes --------------------------------------------------------------------------------------

Kept = Callable[[str], Environment | None]
"""Gives the environment of a digest, if it is known."""


def tell_change(change: Change, environment: Kept) -> Iterator[str]:
    """Put one change into words; a changed environment takes a line for each package."""
    match change.part:
        case Part.COMMIT:
            yield f"commit {change.before[:8]} → {change.after[:8]}"
        case Part.PARAMETER:
            yield f"parameter {change.name or '(all: not readable)'}: {_how(change)}"
        case Part.TEMPLATE:
            yield f"template {change.name}: {change.before or 'absent'} → {change.after or 'gone'}"
        case Part.SOURCE:
            yield f'source "{change.name}": {_how_file(change)}'
        case Part.ENVIRONMENT:
            yield from _tell_packages(environment(change.before), environment(change.after))


def _how(change: Change) -> str:
    return "new" if not change.before else "gone" if not change.after else "changed"


def _how_file(change: Change) -> str:
    if not change.after:
        return "file gone"
    if not change.mtime_ns:
        return "database loaded anew" if change.before else "database there now"
    written = datetime.fromtimestamp(change.mtime_ns / 1e9, UTC).isoformat(timespec="seconds")
    return f"file {'replaced' if change.before else 'there now, written'} {_when(written)}"


def _tell_packages(before: Environment | None, after: Environment | None) -> Iterator[str]:
    if before is None or after is None:
        yield "environment: other packages than then; what there was is not kept"
        return
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"environment: {name} {old or 'absent'} → {new or 'gone'}"


def _when(stamp: str) -> str:
    """Shorten an ISO stamp to the minute, in UTC."""
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")

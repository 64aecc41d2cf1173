"""A run's failure in the requester's words."""

from __future__ import annotations

from dataclasses import dataclass

from wardbook.domain.run import Failure, FailureKind
from wardbook.messages import Language, say


@dataclass(frozen=True)
class FailureText:
    """What happened, where, and what to do next: whole sentences except for the place."""

    cause: str
    place: str
    next_step: str


def describe_failure(failure: Failure, language: Language) -> FailureText:
    """Tell a failure to the person who asked for the run; any Failure can be told."""
    return FailureText(
        cause=_tell_cause(failure, language),
        place=_tell_place(failure, language),
        next_step=say(language, f"failure.{failure.kind}_next"),
    )


def _tell_cause(failure: Failure, language: Language) -> str:
    if failure.kind is FailureKind.DATA_PROBLEM:
        try:
            return say(language, f"data.{failure.problem}", **failure.details)
        except (KeyError, ValueError, IndexError):  # a code or places that the catalogue lacks
            return say(language, "failure.data_problem", problem=failure.problem)
    return say(
        language,
        f"failure.{failure.kind}",
        error_class=failure.error_class or say(language, "failure.unknown_class"),
        memory_mb=failure.details.get("memory_mb"),
        duration=_tell_duration(failure.details.get("seconds")),
        output=failure.details.get("output"),
    )


def _tell_place(failure: Failure, language: Language) -> str:
    parts = [
        say(language, f"failure.place_{part}", **{part: failure.details[part]})
        for part in ("file", "row", "column")
        if part in failure.details
    ]
    if failure.cell is not None:
        key = "place_cell" if failure.line is None else "place_cell_line"
        parts.append(say(language, f"failure.{key}", cell=failure.cell, line=failure.line))
    return ", ".join(parts) or say(language, "failure.place_none")


def _tell_duration(seconds: object) -> str:
    if isinstance(seconds, int) and seconds >= 60 and seconds % 60 == 0:
        return f"{seconds // 60}\N{NO-BREAK SPACE}min"
    return f"{seconds}\N{NO-BREAK SPACE}s"

"""The dashboard of the unit itself, over the tables `unit_*`: requests, lead times, runs."""

# ruff: noqa: S608  # made of constants

from __future__ import annotations

from collections.abc import Mapping

from wardbook.dashboards.board import Board, Panel
from wardbook.domain.states import State
from wardbook.messages import Language, say

NAME = "unit"
WHOLE = "whole"

_IN_TIME = '$__timeFilter("time")'
_MEDIAN = """WITH ranked AS (
  SELECT {key}, seconds,
    row_number() OVER (PARTITION BY {key} ORDER BY seconds) AS n,
    count(*) OVER (PARTITION BY {key}) AS total
  FROM (SELECT {taken}, seconds FROM unit_lead_times WHERE {where}) AS left_states
)
SELECT {shown}, avg(seconds) / 3600.0 AS hours
FROM ranked
WHERE n IN ((total + 1) / 2, (total + 2) / 2)
GROUP BY ranked.{key}
ORDER BY {order}"""
"""A median that both databases can compute: the mean of the middle one or two."""


def unit_board(language: Language) -> Board:
    """Return the board of the unit itself."""
    words = {state.value: say(language, f"dashboard.state_{state}") for state in State}
    steps = {**words, WHOLE: say(language, "dashboard.state_whole")}
    outcomes = {"succeeded": say(language, "dashboard.outcome_succeeded")}
    return Board(
        name=NAME,
        title=say(language, "dashboard.unit_name"),
        help=say(language, "dashboard.unit_help"),
        language=language,
        span_days=90,
        panels=(
            *_requests(language, words),
            *_lead_times(language, steps),
            _refusals(language),
            *_runs(language, outcomes),
        ),
    )


def _requests(language: Language, words: Mapping[str, str]) -> tuple[Panel, ...]:
    state = _in_words("state", words)
    latest = f'(SELECT max("time") FROM unit_requests WHERE {_IN_TIME})'
    return (
        Panel(
            name="now",
            table="unit_requests",
            title=say(language, "dashboard.unit_now"),
            kind="bar",
            query=(
                f'SELECT "time", {state} AS state, requests\nFROM unit_requests\n'
                f'WHERE "time" = {latest}\nORDER BY unit_requests.state'
            ),
            labels=_labels(language, "state", "requests"),
            latest=True,
        ),
        Panel(
            name="states",
            table="unit_requests",
            title=say(language, "dashboard.unit_states"),
            help=say(language, "dashboard.unit_states_help"),
            kind="timeseries",
            query=(
                f'SELECT "time", {state} AS metric, requests\nFROM unit_requests\n'
                f'WHERE {_IN_TIME}\nORDER BY "time", state'
            ),
            labels=_labels(language, "requests"),
        ),
    )


def _lead_times(language: Language, words: Mapping[str, str]) -> tuple[Panel, ...]:
    by_step = _MEDIAN.format(
        key="step",
        taken="step",
        where=_IN_TIME,
        shown=f"{_in_words('ranked.step', words)} AS step",
        order="hours DESC",
    )
    by_week = _MEDIAN.format(
        key='"time"',
        taken="""$__timeGroupAlias("time", '7d')""",
        where=f"{_IN_TIME} AND step = '{WHOLE}'",
        shown='ranked."time"',
        order='ranked."time"',
    )
    return (
        Panel(
            name="lead",
            table="unit_lead_times",
            title=say(language, "dashboard.unit_lead"),
            help=say(language, "dashboard.unit_lead_help"),
            kind="bar",
            query=by_step,
            labels=_labels(language, "step", "hours"),
            latest=True,
            unit="hours",
            decimals=1,
        ),
        Panel(
            name="whole",
            table="unit_lead_times",
            title=say(language, "dashboard.unit_whole"),
            help=say(language, "dashboard.unit_whole_help"),
            kind="timeseries",
            query=by_week,
            labels=_labels(language, "hours"),
            unit="hours",
            decimals=1,
        ),
    )


def _refusals(language: Language) -> Panel:
    return Panel(
        name="refusals",
        table="unit_refusals",
        title=say(language, "dashboard.unit_refusals"),
        help=say(language, "dashboard.unit_refusals_help"),
        kind="bar",
        query=(
            "SELECT cause, sum(refusals) AS refusals\nFROM unit_refusals\n"
            f"WHERE {_IN_TIME}\nGROUP BY cause\nORDER BY sum(refusals) DESC, cause"
        ),
        labels=_labels(language, "cause", "refusals"),
        latest=True,
    )


def _runs(language: Language, words: Mapping[str, str]) -> tuple[Panel, ...]:
    day = """$__timeGroupAlias("time", '1d')"""
    return (
        Panel(
            name="runs",
            table="unit_runs",
            title=say(language, "dashboard.unit_runs"),
            help=say(language, "dashboard.unit_runs_help"),
            kind="bar",
            query=(
                f"SELECT {day}, {_in_words('outcome', words)} AS metric, sum(runs) AS runs\n"
                f"FROM unit_runs\nWHERE {_IN_TIME}\nGROUP BY 1, outcome\nORDER BY 1, outcome"
            ),
            labels=_labels(language, "runs"),
        ),
        Panel(
            name="compute",
            table="unit_runs",
            title=say(language, "dashboard.unit_compute"),
            kind="bar",
            query=(
                f"SELECT {day}, sum(cpu_seconds) / 3600.0 AS hours\nFROM unit_runs\n"
                f"WHERE {_IN_TIME}\nGROUP BY 1\nORDER BY 1"
            ),
            labels=_labels(language, "hours"),
            unit="hours",
            decimals=2,
        ),
        Panel(
            name="templates",
            table="unit_runs",
            title=say(language, "dashboard.unit_templates"),
            kind="table",
            query=(
                "SELECT template, sum(runs) AS runs, max(peak_mb) AS memory\nFROM unit_runs\n"
                f"WHERE {_IN_TIME}\nGROUP BY template\nORDER BY template"
            ),
            labels=_labels(language, "template", "runs", "memory"),
            latest=True,
            decimals=0,
        ),
    )


def _labels(language: Language, *columns: str) -> dict[str, str]:
    named = {column: say(language, f"dashboard.unit_column_{column}") for column in columns}
    return {"time": say(language, "dashboard.column_time"), **named}


def _in_words(column: str, words: Mapping[str, str]) -> str:
    texts = {code: word.replace("'", "''") for code, word in words.items()}
    cases = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in texts.items())
    return f"CASE {column} {cases} ELSE {column} END"

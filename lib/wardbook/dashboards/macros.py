"""Grafana's macros and variables in a query, expanded as its data source for PostgreSQL does.

Known here are those that our queries use: `$__timeFilter(COLUMN)`, `$__timeGroupAlias(COLUMN,
'Nd')` and `${NAME:sqlstring}`. The embedded default is SQLite, whose times are texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from wardbook.errors import Refusal

Dialect = Literal["postgresql", "sqlite"]
DAY_SECONDS = 86_400
_FILTER = re.compile(r"\$__timeFilter\(([^)]*)\)")
_GROUP = re.compile(r"\$__timeGroupAlias\(([^,)]*),\s*'(\d+)d'\)")
_VARIABLE = re.compile(r"\$\{(\w+):sqlstring\}")


class UnknownMacro(Refusal):
    """A query asks Grafana for something that is not expanded here."""


@dataclass(frozen=True)
class Window:
    """The time that a dashboard shows; both ends belong to it."""

    start: datetime
    end: datetime

    @classmethod
    def ending(cls, end: datetime, days: int) -> Window:
        """Return the days that end at `end`."""
        return cls(end - timedelta(days=days), end)


def expand(
    query: str, window: Window, chosen: Mapping[str, Sequence[str]], dialect: Dialect
) -> str:
    """Return the query that Grafana would send to the database.

    Args:
        query: with macros.
        window: the time that is shown.
        chosen: the codes chosen of each variable; of one without any, the empty text, as Grafana
            has it.
        dialect: of the database.

    Raises:
        UnknownMacro: something of Grafana's is left over.
    """

    def choose(found: re.Match[str]) -> str:
        codes = chosen.get(found[1]) or ("",)
        return ",".join("'" + code.replace("'", "''") + "'" for code in codes)

    left = _GROUP.sub("", _FILTER.sub("", _VARIABLE.sub("", query)))
    if "$" in left:
        raise UnknownMacro(
            f"{left[left.index('$') :][:40]!r} in a query is none of the macros that we expand; "
            "see lib/wardbook/dashboards/macros.py."
        )
    # Codes last: they are foreign, and nothing in them is to be expanded.
    query = _FILTER.sub(lambda found: _filter(found[1], window, dialect), query)
    query = _GROUP.sub(lambda found: _group(found[1], int(found[2]), dialect), query)
    return _VARIABLE.sub(choose, query)


def _filter(column: str, window: Window, dialect: Dialect) -> str:
    start, end = (_literal(moment, dialect) for moment in (window.start, window.end))
    return f"{column} BETWEEN '{start}' AND '{end}'"


def _group(column: str, days: int, dialect: Dialect) -> str:
    seconds = days * DAY_SECONDS
    if dialect == "postgresql":
        return f'floor(extract(epoch from {column})/{seconds})*{seconds} AS "time"'
    return f"CAST(strftime('%s', {column}) AS INTEGER)/{seconds}*{seconds} AS \"time\""


def _literal(moment: datetime, dialect: Dialect) -> str:
    moment = moment.astimezone(UTC)
    if dialect == "postgresql":
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def read_moment(value: object) -> datetime:
    """Return the moment in a column of time: of either database, or grouped (seconds)."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        parsed = datetime.fromisoformat(value)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(value), UTC)  # type: ignore[arg-type]

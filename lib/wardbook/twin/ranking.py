"""Numbers by classes of rank: each class's mean, judged as a table of means by class is.

The greatest and the least values count as those of somebody with enough persons beyond them: what
single persons have at the ends is in no mean.
"""

# ruff: noqa: S608  what is put into the queries are the plans' own column names

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wardbook.disclosure.policy import Policy, publish_count
from wardbook.twin.judging import Code, count_cells, find_untold, make_list, round_mean, round_rows
from wardbook.twin.marginals import Classes

if TYPE_CHECKING:
    import duckdb

MOST = 16
"""Classes of a group, at most; fewer are half of them, and so on."""


def rank_classes(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    given: Sequence[str],
    value: str,
    person: str,
    policy: Policy,
) -> tuple[Classes, ...]:
    """Return the means of a number's classes of rank, by group.

    Each class has the same number of rows. A group has as many as leave enough persons in each and
    nobody dominating one, at most `MOST`; it is left out where it has too few for two.

    Args:
        connection: where the table is.
        table: its name, or a query in brackets.
        given: what groups are told apart by, in SQL.
        value: the number, in SQL; rows without one are left out.
        person: the column that tells persons apart.
        policy: what may be told.
    """
    codes = [f"c{number}" for number in range(len(given))]
    chosen = "".join(
        f"CAST({one} AS VARCHAR) AS {code}, " for one, code in zip(given, codes, strict=True)
    )
    least = max(policy.minimum_count, policy.redact_up_to + 1)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE valued AS SELECT {chosen}{person} AS who, "
        f"CAST({value} AS DOUBLE) AS v FROM {table} WHERE {value} IS NOT NULL"
    )
    _bound_persons(connection, codes, least, policy)
    listed = "".join(f"{code}, " for code in codes)
    groups = connection.execute(
        f"SELECT {listed}count(*), count(DISTINCT who) FROM valued GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    rows = {row[:-2]: int(row[-2]) for row in groups}
    wanted = {
        row[:-2]: min(MOST, 1 << ((row[-1] // (2 * least)).bit_length() - 1))
        for row in groups
        if row[-1] >= 2 * least
    }
    told: dict[tuple[Code, ...], tuple[float, ...]] = {}
    while wanted:
        means, unsafe = _try_classes(connection, codes, wanted, policy)
        told |= {of: found for of, found in means.items() if of not in unsafe}
        wanted = {of: wanted[of] // 2 for of in unsafe if wanted[of] > 1}
    return tuple(
        Classes(of, round_rows(rows[of], policy), told[of])
        for of in rows
        if of in told and publish_count(rows[of], policy)
    )


def _bound_persons(
    connection: duckdb.DuckDBPyConnection, codes: Sequence[str], least: int, policy: Policy
) -> None:
    """Leave so many rows of each person in a group, and move values beyond `least` persons' in."""
    same = " AND ".join(f"valued.{c} IS NOT DISTINCT FROM bounds.{c}" for c in codes) or "true"
    listed, own = ("".join(f"{of}{code}, " for code in codes) for of in ("", "valued."))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE valued AS WITH ends AS ("
        f"SELECT {listed}who, min(v) AS low, max(v) AS high FROM valued GROUP BY ALL), "
        f"bounds AS (SELECT {listed}min(low, {least})[-1] AS low, max(high, {least})[-1] AS high "
        "FROM ends GROUP BY ALL) "
        "SELECT valued.* REPLACE (greatest(low, least(high, v)) AS v) "
        f"FROM valued JOIN bounds ON {same} "
        f"QUALIFY row_number() OVER (PARTITION BY {own}who "
        f"ORDER BY hash(v, who), v) <= {policy.rounding_base}"
    )


def _try_classes(
    connection: duckdb.DuckDBPyConnection,
    codes: Sequence[str],
    wanted: dict[tuple[Code, ...], int],
    policy: Policy,
) -> tuple[dict[tuple[Code, ...], tuple[float, ...]], set[tuple[Code, ...]]]:
    """Return the rounded means with so many classes in each group, and the groups that fail."""
    types = " ".join([*("VARCHAR" for _ in codes), "INT"])
    make_list(connection, "wanted", types, [[*of, n] for of, n in wanted.items()])
    same = " AND ".join(f"valued.{c} IS NOT DISTINCT FROM wanted.{c}" for c in codes) or "true"
    parts = f"PARTITION BY {', '.join(f'valued.{c}' for c in codes)}" if codes else ""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE ranked AS SELECT valued.*, CAST(floor("
        f"(row_number() OVER ({parts} ORDER BY v, who) - 1) * wanted.c{len(codes)} "
        f"/ count(*) OVER ({parts})) AS INT) AS class FROM valued JOIN wanted ON {same}"
    )
    listed = "".join(f"{code}, " for code in codes)
    cells = count_cells(connection, "ranked", [*codes, "class"], "who", policy, "abs(v)")
    few, _ = find_untold(cells, policy, alone=True)
    unsafe = {cells[position].codes[:-1] for position in few}
    means: dict[tuple[Code, ...], list[float]] = defaultdict(list)
    for *of, _class, mean, rows, width in connection.execute(
        f"SELECT {listed}class, avg(v), count(*), max(v) - min(v) FROM ranked GROUP BY ALL "
        f"ORDER BY {listed}class"
    ).fetchall():
        means[tuple(of)].append(round_mean(mean, rows, width, policy))
    return {of: tuple(found) for of, found in means.items()}, unsafe

"""Numbers by classes of rank: each class's mean, judged as a table of means by class is."""

# ruff: noqa: S608  what is put into the queries are the plans' own column names

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wardbook.disclosure.policy import Policy, publish_count
from wardbook.twin.judging import Code, count_cells, find_untold, round_rows, round_value
from wardbook.twin.marginals import Classes

if TYPE_CHECKING:
    import duckdb

MOST = 20
"""Classes of a group, at most."""


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
    nobody dominating one, at most `MOST`; it is left out where even all its rows are too few.

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
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE valued AS SELECT {chosen}{person} AS who, "
        f"CAST({value} AS DOUBLE) AS v FROM {table} WHERE {value} IS NOT NULL"
    )
    listed = "".join(f"{code}, " for code in codes)
    groups = connection.execute(
        f"SELECT {listed}count(*), count(DISTINCT who) FROM valued GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    rows = {row[:-2]: int(row[-2]) for row in groups}
    least = max(policy.minimum_count, policy.redact_up_to + 1)
    wanted = {
        row[:-2]: min(MOST, row[-1] // (2 * least) or 1) for row in groups if row[-1] >= least
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


def _try_classes(
    connection: duckdb.DuckDBPyConnection,
    codes: Sequence[str],
    wanted: dict[tuple[Code, ...], int],
    policy: Policy,
) -> tuple[dict[tuple[Code, ...], tuple[float, ...]], set[tuple[Code, ...]]]:
    """Return the rounded means with so many classes in each group, and the groups that fail."""
    fields = ", ".join([*(f"{code} VARCHAR" for code in codes), "classes INT"])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE wanted ({fields})")
    marks = ", ".join("?" * (len(codes) + 1))
    connection.executemany(
        f"INSERT INTO wanted VALUES ({marks})", [[*of, n] for of, n in wanted.items()]
    )
    same = " AND ".join(f"valued.{c} IS NOT DISTINCT FROM wanted.{c}" for c in codes) or "true"
    parts = f"PARTITION BY {', '.join(f'valued.{c}' for c in codes)}" if codes else ""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE ranked AS SELECT valued.*, CAST(floor("
        f"(row_number() OVER ({parts} ORDER BY v, who) - 1) * classes / count(*) OVER ({parts})"
        f") AS INT) AS class FROM valued JOIN wanted ON {same}"
    )
    listed = "".join(f"{code}, " for code in codes)
    cells = count_cells(connection, "ranked", [*codes, "class"], "who", policy, "abs(v)")
    few, _ = find_untold(cells, policy, alone=True)
    unsafe = {cells[position].codes[:-1] for position in few}
    means: dict[tuple[Code, ...], list[float]] = defaultdict(list)
    for *of, _class, mean in connection.execute(
        f"SELECT {listed}class, avg(v) FROM ranked GROUP BY ALL ORDER BY {listed}class"
    ).fetchall():
        means[tuple(of)].append(round_value(mean))
    return {of: tuple(found) for of, found in means.items()}, unsafe

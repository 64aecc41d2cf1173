"""From a source's rows to the marginals that pass the disclosure rules.

Columns are gone through in the plan's order. A code that may not be told is replaced by the most
frequent one of its group *in the working table*, before anything else is counted: so all tables are
of the same rows, and no difference of two of them gives it back.
"""

# ruff: noqa: S608  what is put into the queries are the plans' own column names

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from wardbook.datasets import Kind
from wardbook.disclosure.policy import Policy, publish_count
from wardbook.identifiers.context import Context
from wardbook.identifiers.scanning import scan
from wardbook.twin.judging import (
    Code,
    Counted,
    Group,
    count_cells,
    fold_cells,
    make_list,
    round_rows,
)
from wardbook.twin.marginals import Groups, Marginals, Told, TooFew
from wardbook.twin.ranking import rank_classes
from wardbook.twin.roles import After, Birth, Category, Moment, Plan, Role

if TYPE_CHECKING:
    import duckdb

_BINS = (
    *((n, n) for n in range(1, 6)),
    *((6, 7), (8, 10), (11, 15), (16, 20), (21, 30), (31, 50), (51, 100), (101, 200), (201, 500)),
    *((501, 1000),),
)
"""How many rows of one person are told apart: never the greatest number itself."""
_UNITS = ("week", "month", "quarter", "year")
_FEW_PERIODS = 0.1
"""So many periods may have too few persons; else longer ones are told."""
MINUTES = "date_diff('minute', {start}, {end})"
YEARS = "date_diff('day', {start}, {end}) / 365.25"


def gather_marginals(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    policy: Policy,
    *,
    source: str,
    made: date,
    source_date: str,
    source_version: str = "",
    context: Context | None = None,
    told: Callable[[int, int], None] | None = None,
) -> Marginals:
    """Count what may be told of the table `t` (see `wardbook.twin.loading`), which is changed.

    Args:
        connection: where the table is.
        plan: of its kind.
        policy: what may be told.
        source, made, source_date, source_version: see `Marginals`.
        context: what identifiers of the site look like; codes that hold one are never told.
        told: is told how many columns are counted, of how many.

    Raises:
        TooFew: there are not enough persons for anything.
    """
    found = count_cells(connection, "t", (), f'"{plan.person}"', policy)
    persons = publish_count(found[0].persons, policy) if found else None
    if not persons:
        raise TooFew("There are too few persons in it for any figure to leave. No twin is made.")
    gathering = _Gathering(connection, plan, policy, context or Context())
    levels = {level: gathering.count_level(level) for level in plan.levels}
    columns = {}
    for done, name in enumerate(plan.told):
        columns[name] = gathering.tell(name, plan.roles[name])
        if told:
            told(done + 1, len(plan.told))
    return Marginals(
        source=source,
        kind=plan.dataset.name,
        made=made.isoformat(),
        source_date=source_date,
        policy=(policy.name, policy.version, policy.digest),
        rows=_estimate_rows(persons, levels.values(), policy),
        persons=persons,
        levels=levels,
        columns=columns,
        source_version=source_version,
    )


def _estimate_rows(
    persons: int, levels: Iterable[Sequence[tuple[int, int, int]]], policy: Policy
) -> int:
    """Return about how many rows there are, by what is told anyway: one person may have many."""
    rows = float(persons)
    for bins in levels:
        rows *= sum((low + high) / 2 * n for low, high, n in bins) / sum(n for _, _, n in bins)
    return round_rows(round(rows), policy)


class _Gathering:
    """The marginals of one table, column by column."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: Plan,
        policy: Policy,
        context: Context,
    ) -> None:
        self.connection = connection
        self.plan = plan
        self.policy = policy
        self.context = context
        self.person = f'"{plan.person}"'

    def count_level(self, level: str) -> tuple[tuple[int, int, int], ...]:
        """Count how many rows, or identifiers of the next level, each of a level holds."""
        levels = self.plan.levels
        below = levels[levels.index(level) + 1 :]
        child = f'count(DISTINCT "{below[0]}")' if below else "count(*)"
        table = f'(SELECT min({self.person}) AS who, {child} AS n FROM t GROUP BY "{level}")'
        cases = " ".join(f"WHEN n <= {high} THEN '{low}'" for low, high in _BINS)
        code = f"CASE {cases} ELSE '{_BINS[-1][0]}' END"
        (group,) = self._require(self._fold_alone(table, code, "who"))
        highs = dict(_BINS)
        return tuple(sorted((int(c or 1), highs[int(c or 1)], n) for c, n in group.cells))

    def tell(self, name: str, role: Role) -> Told:
        """Return what may be told of a column."""
        if isinstance(role, Moment):
            return self._tell_moment(name, role)
        if isinstance(role, Category):
            return self._tell_category(name, role)
        return self._tell_number(name, role)

    # --- codes ------------------------------------------------------------------------------------

    def _tell_category(self, name: str, role: Category) -> Told:
        given, groups = self._fold(name, role, f'"{name}"')
        return Told("category", given=given, groups=_listed(groups))

    def _fold(
        self, name: str, role: Category, code: str
    ) -> tuple[tuple[str, ...], Iterable[Group]]:
        """Return the groups of a column; where none of them may be told, it as a whole."""
        for given in (role.given, ()) if role.given else ((),):
            cells = self._count([*map(self._code_of, given), code], role.level)
            groups = fold_cells(
                cells,
                self.policy,
                self._barred(cells),
                alone=role.label or not given,
                timeline=self._timeline(given),
            )
            if groups:
                if self._recode(name, given, cells, groups):
                    groups = self._count_again(groups, [*map(self._code_of, given), code], role)
                return given, groups
        self._require(())
        raise AssertionError  # pragma: no cover

    def _recode(
        self, name: str, given: Sequence[str], cells: Sequence[Counted], groups: Iterable[Group]
    ) -> bool:
        """Write each group's most frequent code where one stands that is not told, if one does."""
        kept = {(*group.of, code) for group in groups for code in group.kept}
        of = {group.of for group in groups}
        if all(cell.codes in kept for cell in cells if cell.codes[:-1] in of):
            return False
        names = [f"c{number}" for number in range(len(given))]
        rows = [[*g.of, g.kept[0], code] for g in groups for code in g.kept]
        make_list(self.connection, "kept", " ".join(["VARCHAR"] * (len(names) + 2)), rows)
        same = " AND ".join(
            f"{{0}}.{column} IS NOT DISTINCT FROM CAST(t.{self._code_of(of)} AS VARCHAR)"
            for of, column in zip(given, names, strict=True)
        )
        listed = "".join(f"{one}, " for one in names)
        top, told = f"c{len(names)}", f"c{len(names) + 1}"
        code = f'CAST(t."{name}" AS VARCHAR)'
        self._replace(
            f'SELECT t.* REPLACE (CASE WHEN tops.known IS NULL OR kept.known THEN t."{name}" '
            f'ELSE tops.{top} END AS "{name}") FROM t '
            f"LEFT JOIN (SELECT DISTINCT {listed}{top}, true AS known FROM kept) tops "
            f"ON {same.format('tops') or 'true'} "
            f"LEFT JOIN (SELECT *, true AS known FROM kept) kept ON "
            f"{same.format('kept') or 'true'} AND kept.{told} IS NOT DISTINCT FROM {code}"
        )
        return True

    def _count_again(
        self, groups: Iterable[Group], codes: Sequence[str], role: Role
    ) -> tuple[Group, ...]:
        """Return groups with the rows that their codes have once no other code is there.

        Sums of what was counted apart would hold more of one person than may be counted.
        """
        rows = {cell.codes: cell.rows for cell in self._count(codes, role.level)}
        return tuple(
            Group(one.of, tuple((c, round_rows(rows[(*one.of, c)], self.policy)) for c in one.kept))
            for one in groups
        )

    def _fold_alone(self, table: str, code: str, person: str) -> tuple[Group, ...]:
        """Return the one group of a table that is told by one code of ours; none if too few."""
        for _ in range(2):
            cells = count_cells(self.connection, table, [code], person, self.policy)
            groups = fold_cells(cells, self.policy, alone=True)
            if not groups or len(groups[0].cells) == len(cells):
                break
            known = ", ".join(f"'{one}'" for one in groups[0].kept)
            text = f"CAST({code} AS VARCHAR)"
            code = f"CASE WHEN {text} IN ({known}) THEN {text} ELSE '{groups[0].kept[0]}' END"
        return groups

    def _barred(self, cells: Iterable[Counted]) -> frozenset[Code]:
        """Return the codes that hold an identifier, however many persons have them."""
        codes = {cell.codes[-1] for cell in cells}
        return frozenset(c for c in codes if c and scan(c, context=self.context))

    # --- moments ----------------------------------------------------------------------------------

    def _tell_moment(self, name: str, role: Moment) -> Told:
        level = role.chain or role.level
        unit, groups = self._choose_unit(name, level)
        periods = groups[0].cells
        self._add_periods(name, unit, [str(code) for code, _ in periods])
        column = self.plan.dataset.column(name)
        weekdays = self._fold_plain(f'CAST(isodow("{name}") - 1 AS INT)', name)
        hours = self._fold_plain(f'hour("{name}")', name) if column.kind is Kind.MOMENT else ()
        present = self._present(name, role) if column.optional else ()
        if role.chain:
            self.connection.execute(
                f"CREATE OR REPLACE TEMP VIEW gaps AS SELECT *, greatest(0, date_diff('minute', "
                f'lag("{role.end}") OVER (PARTITION BY "{role.chain}" ORDER BY "{name}"), "{name}"'
                ")) AS gap FROM t"
            )
        classes = (
            rank_classes(self.connection, "gaps", (), "gap", self.person, self.policy)
            if role.chain
            else ()
        )
        return Told(
            "moment",
            groups=_listed(groups),
            present=present,
            weekdays=weekdays,
            hours=hours,
            gaps=classes,
            unit=unit,
        )

    def _choose_unit(self, name: str, level: str) -> tuple[str, tuple[Group, ...]]:
        """Return the shortest periods of which most have enough persons, and their rows."""
        table = self._table_of(level, f'"{name}" IS NOT NULL')
        for unit in _UNITS:
            code = f"CAST(date_trunc('{unit}', \"{name}\") AS DATE)"
            groups = self._fold_alone(table, code, self.person)
            if groups and (unit == _UNITS[-1] or self._most_are_told(table, code, groups[0])):
                return unit, groups
        self._require(())
        raise AssertionError  # pragma: no cover

    def _most_are_told(self, table: str, code: str, group: Group) -> bool:
        first, last = min(map(str, group.kept)), max(map(str, group.kept))
        row = self.connection.execute(
            f"SELECT count(DISTINCT {code}) FROM {table} WHERE {code} BETWEEN ? AND ?",
            [first, last],
        ).fetchone()
        return row is not None and len(group.cells) >= (1 - _FEW_PERIODS) * row[0]

    def _add_periods(self, name: str, unit: str, periods: Sequence[str]) -> None:
        """Add each row's period: the last that is told before it, or else the first of all."""
        make_list(self.connection, "periods", "DATE", [[one] for one in periods])
        self._replace(
            f"SELECT t.*, CAST(coalesce(p.c0, DATE '{min(periods)}') AS VARCHAR) "
            f'AS "{name}@period" FROM t ASOF LEFT JOIN periods p '
            f"ON CAST(date_trunc('{unit}', t.\"{name}\") AS DATE) >= p.c0"
        )

    def _fold_plain(self, code: str, name: str) -> tuple[tuple[Code, int], ...]:
        table = self._table_of("", f'"{name}" IS NOT NULL')
        (group,) = self._require(self._fold_alone(table, code, self.person))
        return tuple(sorted(group.cells, key=lambda one: int(one[0] or 0)))

    # --- numbers ----------------------------------------------------------------------------------

    def _tell_number(self, name: str, role: Role) -> Told:
        column = self.plan.dataset.column(name)
        value, decimals = f'"{name}"', 0
        if isinstance(role, After):
            value = MINUTES.format(start=f'"{role.start}"', end=f'"{name}"')
        elif isinstance(role, Birth):
            value = YEARS.format(start=f'"{name}"', end=f'"{role.on}"')
        elif column.kind is Kind.NUMBER:
            decimals = self._count_decimals(name)
        follows = isinstance(role, After) and (role.lasting or role.beside)
        present = self._present(name, role) if column.optional and not follows else ()
        table = self._table_of(role.level)
        for given in (role.given, ()) if role.given else ((),):
            codes = [self._code_of(one) for one in given]
            classes = rank_classes(self.connection, table, codes, value, self.person, self.policy)
            if classes or not given:
                break
        if not classes and not column.optional:
            self._require(())
        named = {After: "after", Birth: "birth"}.get(type(role), "amount")
        return Told(named, given=given, present=present, classes=classes, decimals=decimals)

    def _present(self, name: str, role: Role) -> Groups:
        code = f"CASE WHEN \"{name}\" IS NULL THEN '' ELSE '1' END"
        given = getattr(role, "given", ())
        codes = [*map(self._code_of, given)]
        groups = fold_cells(self._count([*codes, code], role.level), self.policy, alone=True)
        # Where one of both is too rare to be told, all of the group are counted as the other.
        whole = {cell.codes: cell.rows for cell in self._count([*codes, "'1'"], role.level)}
        return tuple(
            (one.of, one.cells)
            if len(one.cells) > 1
            else (one.of, ((one.kept[0], round_rows(whole[(*one.of, "1")], self.policy)),))
            for one in groups
        )

    def _count_decimals(self, name: str) -> int:
        """Return how many decimals nearly all values have, at most 4."""
        for decimals in range(4):
            row = self.connection.execute(
                f'SELECT avg(CASE WHEN abs(round("{name}", {decimals}) - "{name}") < 1e-9 '
                f'THEN 1 ELSE 0 END) FROM t WHERE "{name}" IS NOT NULL'
            ).fetchone()
            if row and row[0] is not None and row[0] >= 0.98:
                return decimals
        return 4

    # --- the working table ------------------------------------------------------------------------

    def _count(self, codes: Sequence[str], level: str) -> list[Counted]:
        return count_cells(self.connection, self._table_of(level), codes, self.person, self.policy)

    def _table_of(self, level: str, where: str = "") -> str:
        """Return the rows, or one row for each identifier of a level, as a table in brackets."""
        condition = f" WHERE {where}" if where else ""
        if not level:
            return f"(SELECT * FROM t{condition})"
        found = self.connection.execute("SELECT * FROM t LIMIT 0").description or ()
        others = [row[0] for row in found if row[0] != level]
        chosen = ", ".join(f'min("{one}") AS "{one}"' for one in others)
        return f'(SELECT "{level}", {chosen} FROM t{condition} GROUP BY "{level}")'

    def _code_of(self, name: str) -> str:
        return f'"{name}@period"' if isinstance(self.plan.roles[name], Moment) else f'"{name}"'

    def _timeline(self, given: Sequence[str]) -> int | None:
        at = [n for n, name in enumerate(given) if isinstance(self.plan.roles[name], Moment)]
        return at[0] if at else None

    def _replace(self, query: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE TABLE other AS {query}")
        self.connection.execute("DROP TABLE t")
        self.connection.execute("ALTER TABLE other RENAME TO t")

    def _require(self, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        if not groups:
            raise TooFew(
                "There are too few persons in it for its columns to be told. No twin is made."
            )
        return groups


def _listed(groups: Iterable[Group]) -> Groups:
    return tuple((group.of, group.cells) for group in groups)

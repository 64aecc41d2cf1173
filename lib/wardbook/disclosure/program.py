"""A linear program put together from named blocks of columns, for scipy's HiGHS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from wardbook.disclosure.system import Numbers


class Program:
    """Columns and what is required of them; `solve` finds those of the least cost."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[Numbers, Numbers, Numbers, bool]] = {}
        self._rows: list[tuple[Mapping[str, Any], Numbers | float, Numbers | float]] = []

    def add_columns(
        self,
        name: str,
        least: Numbers,
        greatest: Numbers,
        cost: Numbers | None = None,
        *,
        whole: bool = False,
    ) -> None:
        """Add a block of columns between `least` and `greatest`."""
        self._columns[name] = (
            least,
            greatest,
            np.zeros(len(least)) if cost is None else cost,
            whole,
        )

    def require(
        self, terms: Mapping[str, Any], least: Numbers | float, greatest: Numbers | float
    ) -> None:
        """Ask that the sum of each matrix times its block is between `least` and `greatest`."""
        self._rows.append((terms, least, greatest))

    def solve(self, nodes: int, gap: float = 0.0) -> dict[str, Numbers] | None:
        """Return the columns by block, of the least cost that was found; None where none was.

        Args:
            nodes: how far to look where columns are whole; a count, so that results stay the same.
            gap: the share by which the cost may be greater than the least.
        """
        least, greatest, costs, _ = zip(*self._columns.values(), strict=True)
        whole = [
            np.full(len(low), float(is_whole)) for low, _, _, is_whole in self._columns.values()
        ]
        answer = milp(
            np.concatenate(costs),
            integrality=np.concatenate(whole),
            bounds=Bounds(np.concatenate(least), np.concatenate(greatest)),
            constraints=[self._constraint(*row) for row in self._rows],
            options={"node_limit": nodes, "mip_rel_gap": gap},
        )
        if answer.x is None:
            return None
        ends = np.cumsum([len(low) for low in least])[:-1]
        return dict(zip(self._columns, np.split(answer.x, ends), strict=True))

    def _constraint(
        self, terms: Mapping[str, Any], least: Numbers | float, greatest: Numbers | float
    ) -> LinearConstraint:
        height = next(iter(terms.values())).shape[0]
        blocks = [
            terms.get(name, sparse.csr_array((height, len(low))))
            for name, (low, *_) in self._columns.items()
        ]
        return LinearConstraint(sparse.hstack(blocks, format="csr"), least, greatest)

"""The headlines of a run: read from its tables as they leave, never as they were made."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from wardbook.domain.output import OutputKind, Sensitivity
from wardbook.headlines import Headline

if TYPE_CHECKING:
    from pipelines.provenance import Finished

_RANKS = {Sensitivity.PUBLIC: 0, Sensitivity.INTERNAL: 1, Sensitivity.SENSITIVE: 2}


def headlines_of(
    done: Finished, names: Collection[str], most: Sensitivity = Sensitivity.INTERNAL
) -> tuple[Headline, ...]:
    """Return the headlines that a run's tables give.

    Args:
        done: the run, its outputs as they leave.
        names: the outputs that left, or are about to.
        most: how sensitive the place is where they are shown: a public report has no figure of an
            internal table.
    """
    from wardbook.disclosure.leaving import hidden_rows
    from wardbook.headlines.reading import LeftTable, read_headlines

    spec = done.template.spec
    wanted = {headline.output for headline in spec.headlines.values()} & set(names)
    hidden = hidden_rows(done.folder)
    tables = {
        one.name: LeftTable(
            (done.outputs / one.file).read_bytes(), hidden.get(one.name, frozenset())
        )
        for one in done.result.outputs
        if one.name in wanted
        and one.kind is OutputKind.TABLE
        and _RANKS[spec.outputs[one.name].sensitivity] <= _RANKS[most]
    }
    return read_headlines(spec, tables, done.spec.language)

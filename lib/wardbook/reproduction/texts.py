"""What two executed notebooks declare for their report, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from wardbook.report.publication import list_publications
from wardbook.reproduction.likeness import Comparison, Difference, Likeness


def compare_texts(output: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """Compare what two executed notebooks publish: texts to the letter, outputs by their names.

    `places` has the number of each piece that differs, from 1, in the notebook's order.

    Raises:
        ReportProblem: a declaration is not one that a notebook can make.
    """
    pairs = list(zip_longest(list_publications(before), list_publications(after)))
    apart = [number for number, (old, new) in enumerate(pairs, 1) if old != new]
    if not apart:
        return Comparison(output, Likeness.BYTES)
    differences = tuple(
        Difference(
            number, 1, *(piece.text or piece.output if piece else "" for piece in pairs[number - 1])
        )
        for number in apart
    )
    places = {str(number): 1 for number in apart}
    return Comparison(output, Likeness.DIFFERENT, places, differences=differences)

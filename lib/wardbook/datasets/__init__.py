"""The kinds of data that templates read, each declared once: its columns, key and what they mean.

The kind `blood-tubes` of a template's source is declared in the module `blood_tubes` of this
package, as its constant `DATASET`. Wherever such data come from (an export by hand, or a warehouse
through a view of `wardbook.omop.views`), they reach the notebook in this one form.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from wardbook.datasets.dataset import Column, Dataset, Kind

__all__ = ["Column", "Dataset", "Kind", "find_dataset"]


@cache
def find_dataset(kind: str) -> Dataset | None:
    """Return the dataset of a source's kind, or None where the kind has readers of its own."""
    name = f"{__name__}.{kind.replace('-', '_')}"
    if find_spec(name) is None:
        return None
    dataset: Dataset | None = getattr(import_module(name), "DATASET", None)
    return dataset

"""The smallest dataset of a warehouse, its view and a template that reads it.

`register` makes them known in this process; processes that it starts learn of them by the
`sitecustomize` of this folder, which `environment` puts on their path.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.tiny_template import write_template

FOLDER = Path(__file__).parent
TEMPLATE = """
name = "tiny"
version = "1"
title = { fr = "Petit", en = "Tiny" }
question = { fr = "Combien ?", en = "How many?" }
[parameters.start]
type = "date"
label = { fr = "Premier jour", en = "First day" }
example = "2024-02-01"
from_period = "first_day"
[sources.stays]
kind = "tiny-stays"
label = { fr = "Séjours", en = "Stays" }
[outputs.by_ward]
kind = "table"
title = { fr = "Séjours par service", en = "Stays by ward" }
sensitivity = "internal"
channel = "share"
dimensions = ["ward"]
count = "stays"
[outputs.by_ward.columns]
ward = { fr = "Service", en = "Ward" }
stays = { fr = "Séjours", en = "Stays" }
"""
CELL = """
import pandas as pd
import wardbook.notebook as wb
file = wb.source("stays")
stays = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, sep=";")
wb.table("by_ward", stays.groupby("ward", as_index=False).agg(stays=("stay", "size")))
"""


def register() -> None:
    """Make the dataset and its view known."""
    import wardbook.datasets
    import wardbook.omop.views

    for package, folder in (
        (wardbook.datasets, FOLDER / "datasets"),
        (wardbook.omop.views, FOLDER / "views"),
    ):
        if str(folder) not in package.__path__:
            package.__path__.append(str(folder))
    wardbook.datasets.find_dataset.cache_clear()


def python_path() -> str:
    """Return the PYTHONPATH with which processes know the dataset too."""
    return os.pathsep.join((str(FOLDER), os.environ.get("PYTHONPATH", "")))


def write_tiny(catalogue: Path) -> Path:
    """Write the template into a catalogue; returns its folder."""
    return write_template(catalogue, CELL, declared=TEMPLATE)

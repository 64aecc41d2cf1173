"""A metric of patients by day and ward, in which one group is small, for a tiny template."""

from __future__ import annotations

from collections.abc import Mapping

from tests.tiny_template import TEMPLATE

BEDS = """
[outputs.beds]
kind = "table"
title = { fr = "Lits occupés", en = "Beds taken" }
sensitivity = "internal"
channel = "grafana"
dimensions = ["day", "ward"]
time = "day"
total = { ward = "all" }
labels = { name = "ward" }
count = "n"
population = "stays"
[outputs.beds.columns]
day = { fr = "Jour", en = "Day" }
ward = { fr = "Service", en = "Ward" }
name = { fr = "Nom", en = "Name" }
n = { fr = "Patients", en = "Patients" }
[sources.stays]
kind = "hospital-stays"
label = { fr = "Séjours", en = "Stays" }
"""
DECLARED = TEMPLATE + BEDS
COUNTS = {
    ("2026-03-27", "A"): 40,
    ("2026-03-27", "B"): 30,
    ("2026-03-27", "C"): 50,
    ("2026-03-28", "A"): 41,
    ("2026-03-28", "B"): 4,
    ("2026-03-28", "C"): 52,
    ("2026-03-29", "A"): 43,
    ("2026-03-29", "B"): 33,
    ("2026-03-29", "C"): 53,
    ("2026-03-30", "A"): 44,
    ("2026-03-30", "B"): 34,
    ("2026-03-30", "C"): 54,
}
"""The last night of March 2026 is an hour short in Paris."""


def write_code(counts: Mapping[tuple[str, str], object] = COUNTS) -> str:
    """Return a cell that makes the metric, with a total for each day."""
    return f"""import pandas as pd
import wardbook as wb
rows = [(d, w, "Service " + w, n) for (d, w), n in {dict(counts)!r}.items()]
beds = pd.DataFrame(rows, columns=["day", "ward", "name", "n"])
total = beds.groupby("day", as_index=False).n.sum().assign(ward="all", name="Ensemble")
wb.say("answer")
wb.table("beds", pd.concat([beds, total])[["day", "ward", "name", "n"]])"""

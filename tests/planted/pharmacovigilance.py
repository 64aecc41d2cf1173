"""PRR, ROR and IC of pairs with and without an effect, and of one behind a drug that masks it.

The truth is of the population of reports, that is of stays with at least one drug, and is computed
from the planted probabilities without drawing: over all sets of drugs (256), a set has the product
of its drugs' probabilities to be given or not (of two that are never given together the second has
none where the first is), divided by the probability of any drug; an event has
its background probability times the planted risks of the set's drugs. Sums over the sets with and
without the drug give the population's four numbers as shares, and from them PRR, ROR and IC by
their definitions. A pair without an effect need not be exactly 1: where another drug causes the
event, reports without the first drug have the other more often, since every report has one.
"""

from __future__ import annotations

import itertools
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from tests.planted_effects import Estimate
from wardbook.datasets.drug_reactions import DATASET
from wardbook.pharmacovigilance import masking, reports, signals
from wardbook.warehouse import extract, open_warehouse

PARTS = ("pharmacovigilance",)
PATIENTS = 16_000
NOW = pd.Timestamp("2026-01-01", tz="UTC")
MEASURED: tuple[tuple[str, str, str], ...] = (
    *(("prr", "J01XA01", "N17"), ("prr", "J01FF01", "A04.7"), ("prr", "B01AB01", "D69.5")),
    *(("ror", "J01GB06", "N17"), ("ror", "C01BD01", "E05.8"), ("ror", "A02BC01", "D69.5")),
    *(("ic", "N03AF01", "L51.2"), ("ic", "B01AA03", "R58"), ("ic", "A02BC01", "N17")),
    ("prr", "C01BD01", "R58"),
)
MASKED = ("C01BD01", "R58", "B01AA03")
"""The drug and event, and the drug that masks them."""


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    truth = json.loads((database.parent / "truth.json").read_text())["pharmacovigilance"]
    rows = read_reports(database)
    table = signals.measure_signals(reports.count_pairs(rows)).set_index(["drug", "event"])
    found = []
    for name, drug, event in MEASURED:
        row = table.loc[(drug, event)]
        value = population(truth, drug, event)[name]
        found.append(
            Estimate(f"{name} {drug} {event}", value, row[f"{name}_low"], row[f"{name}_high"])
        )
    drug, event, mask = MASKED
    without = masking.measure_without(rows, {event: mask}, 3).set_index("drug").loc[drug]
    value = population(truth, drug, event, without=mask)["prr"]
    low, high = without["prr_low"], without["prr_high"]
    return [*found, Estimate(f"prr {drug} {event} unmasked", value, low, high)]


def read_reports(database: Path) -> pd.DataFrame:
    """Return the rows that count, through view and extract."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "reports.parquet"
        with open_warehouse(f"duckdb://{database}") as open_table:
            extract(DATASET, open_table, {}, out)
        return reports.sort_out(DATASET.read(out), NOW).rows


def population(
    truth: dict[str, Any], drug: str, event: str, *, without: str = ""
) -> dict[str, float]:
    """Return PRR, ROR and IC of a pair in the population, of reports without one of the drugs."""
    drugs = truth["drugs"]
    first, second = truth["never_together"]
    risks = {(one, other): risk for one, other, risk in truth["risks"]}
    whole = with_drug = with_event = with_both = 0.0
    for given in itertools.product((0, 1), repeat=len(drugs)):
        chosen = {code for code, is_given in zip(drugs, given, strict=True) if is_given}
        if not chosen or without in chosen:
            continue
        real = dict(drugs) | ({second: 0.0} if first in chosen else {})
        share = math.prod(real[c] if c in chosen else 1 - real[c] for c in real)
        chance = truth["events"][event] * math.prod(risks.get((c, event), 1.0) for c in chosen)
        whole += share
        with_event += share * chance
        if drug in chosen:
            with_drug += share
            with_both += share * chance
    a, b = with_both / whole, (with_drug - with_both) / whole
    c, d = (with_event - with_both) / whole, 1 - (with_drug + with_event - with_both) / whole
    return {
        "prr": (a / (a + b)) / (c / (c + d)),
        "ror": a * d / (b * c),
        "ic": math.log2(a / ((a + b) * (a + c))),
    }

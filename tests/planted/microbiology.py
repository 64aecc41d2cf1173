"""Susceptible shares, a pair of drugs, a change of breakpoints and a trend, by first isolates.

The truth of a drug is of strains, in closed form: with the mechanism in a share c of strains, and
the probabilities to be resistant of a without and b with it, P(R) = (1 - c) a + c b; given the
mechanism drugs are independent, so P(both R) = (1 - c) a a' + c b b'. By EUCAST 2020 what has a MIC
of 16 mg/L is not yet resistant to piperacillin/tazobactam: P(R) times the share of others. The
trend's truth is planted as it is: the odds ratio of one year.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from tests.planted_effects import Estimate
from wardbook.datasets.isolates import DATASET
from wardbook.microbiology import eucast, selection, shares, trends
from wardbook.microbiology.catalogue import load_catalogue
from wardbook.warehouse import extract, open_warehouse

PARTS = ("microbiology",)
PATIENTS = 6_000
DRUGS = (
    *(("B_ESCHR_COLI", "CTX"), ("B_ESCHR_COLI", "AMC"), ("B_ESCHR_COLI", "GEN")),
    *(("B_KLBSL_PNMN", "CTX"), ("B_KLBSL_PNMN", "TZP"), ("B_STPHY_AURS", "OXA")),
    ("B_PSDMN_AERG", "MEM"),
)
PAIR = ("B_ESCHR_COLI", "AMC", "GEN")
CHANGED = ("B_ESCHR_COLI", "TZP")
NOW = pd.Timestamp("2026-01-01", tz="UTC")
# Piperacillin/tazobactam and Enterobacterales, MIC, as EUCAST had it in 2020.
OLD = pd.DataFrame(
    [("EUCAST 2020", "MIC", "", "B_[ORD]_ENTRBCTR", "TZP", 8.0, 16.0)],
    columns=["guideline", "method", "site", "organism", "drug", "s", "r"],
)


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    truth = json.loads((database.parent / "truth.json").read_text())["microbiology"]
    rows = read_first(database)
    tested = shares.list_tested(rows, "SI")
    measured = _measure(tested)
    found = [
        _estimate(f"{organism} {drug}", 1 - resistant(truth, organism, drug), measured)
        for organism, drug in DRUGS
    ]
    organism, one, other = PAIR
    pairs = _measure(shares.list_combined(tested, [(one, other)]))
    both = 1 - resistant(truth, organism, one, other)
    found.append(_estimate(f"{organism} {one}+{other}", both, pairs))
    organism, drug = CHANGED
    of = rows[(rows["organism"] == organism) & (rows["drug"] == drug)]
    before = eucast.interpret(of, eucast.choose_version(OLD, "EUCAST 2020"), load_catalogue())
    at_16 = truth["species"][organism]["drugs"][drug]["at_16"]
    still = 1 - resistant(truth, organism, drug) * (1 - at_16)
    by_2020 = _estimate(f"{organism} {drug}", still, _measure(shares.list_tested(before, "SI")))
    found.append(Estimate(f"{by_2020.name} 2020", by_2020.truth, by_2020.low, by_2020.high))
    return [*found, _trend(tested, truth)]


def read_first(database: Path) -> pd.DataFrame:
    """Return the rows of the first isolates through view and extract."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "isolates.parquet"
        with open_warehouse(f"duckdb://{database}") as open_table:
            extract(DATASET, open_table, {}, out)
        rows = DATASET.read(out)
    return selection.keep_first(selection.sort_out(rows, load_catalogue(), NOW).rows)


def resistant(truth: dict[str, Any], organism: str, *drugs: str) -> float:
    """Return the planted probability that a strain resists all of the drugs."""
    species = truth["species"][organism]
    without = with_it = 1.0
    for drug in drugs:
        without *= species["drugs"][drug]["alone"]
        with_it *= species["drugs"][drug]["carrier"]
    return float((1 - species["carriers"]) * without + species["carriers"] * with_it)


def _measure(tested: pd.DataFrame) -> pd.DataFrame:
    table = shares.measure_shares(tested, ["organism", "drug"], "exact", least=30)
    return table.set_index(table["organism"] + " " + table["drug"])


def _estimate(name: str, truth: float, measured: pd.DataFrame) -> Estimate:
    return Estimate(name, truth, measured.at[name, "low"], measured.at[name, "high"])


def _trend(tested: pd.DataFrame, truth: dict[str, Any]) -> Estimate:
    organism, drug = truth["trend"]["organism"], truth["trend"]["drug"]
    odds = truth["species"][organism]["drugs"][drug]["yearly_odds"]
    table = trends.measure_trends(tested, least=30).set_index(["organism", "drug"])
    row = table.loc[(organism, drug)]
    return Estimate(f"{organism} {drug} odds by year", odds, row["low"], row["high"])

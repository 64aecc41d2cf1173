"""What is planted in the exome panel: odds ratios of phenotypes in carriers, and genes without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tests.planted_effects import Estimate
from wardbook.datasets import find_dataset
from wardbook.exome.burden import count_carriers, measure_burden
from wardbook.exome.reading import find_carriers, list_having
from wardbook.warehouse import extract, open_warehouse

PARTS = ("exome",)
PATIENTS = 8_000
WITHOUT = (("CFTR", "HP:0001639"), ("NF1", "HP:0000365"), ("RYR2", "HP:0003002"))
"""Some of the pairs without an effect."""


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    truth = json.loads((database.parent / "truth.json").read_text())["exome"]
    planted: dict[tuple[str, str], float] = {
        (gene, code): ratio
        for code, genes in truth["odds_ratios"].items()
        for gene, ratio in genes.items()
    }
    planted |= dict.fromkeys(WITHOUT, 1.0)
    planted[truth["confounded"]["gene"], "HP:0000365"] = 1.0
    estimates = estimate_pairs(database, planted)
    return [
        Estimate(f"{term}", ratio, estimates.loc[term, "low"], estimates.loc[term, "high"])
        for (gene, code), ratio in planted.items()
        for term in [f"{gene} {code}"]
    ]


def estimate_pairs(database: Path, pairs: Mapping[tuple[str, str], Any]) -> pd.DataFrame:
    """Return what the template's functions give for pairs of gene and phenotype, by term.

    Also for those that would not be told: who chose by the result would find others.
    """
    read = read_sources(database, {"qualifying": "pathogenic"})
    patients = read["exome-patients"]
    carriers = find_carriers(read["exome-variants"], patients, "pathogenic").table
    codes = sorted({code for _, code in pairs})
    having = list_having(read["phenotypes"], patients, codes)
    counts = count_carriers(carriers, having)
    wanted = [pair in pairs for pair in zip(counts["gene"], counts["phenotype"], strict=True)]
    return measure_burden(counts[wanted], carriers, having, patients).set_index("term")


def read_sources(database: Path, asked: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the three datasets as a run gets them, by kind."""
    read = {}
    with open_warehouse(f"duckdb://{database}") as open_table:
        for kind in ("exome-patients", "exome-variants", "phenotypes"):
            dataset, file = find_dataset(kind), database.parent / f"{kind}.parquet"
            assert dataset is not None
            extract(dataset, open_table, asked, file)
            read[kind] = dataset.read(file)
    return read

"""Who carries what counts: from findings to carriers by gene, and what is odd among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from wardbook.errors import DataProblem
from wardbook.exome.panel import CLASSES, CONSEQUENCES, GENES

HIGHEST_FREQUENCY = 0.001
"""A variant that more of the population carry is too frequent to count as uncertain."""
MOST_PHENOTYPES = 8
_HPO = re.compile(r"HP:[0-9]{7}")


@dataclass(frozen=True)
class Carriers:
    """Who carries a variant that counts.

    table: a row for each patient (index person), a column for each gene: bool.
    odd: by name, how many findings are left out: `gene`, `zygosity`, `consequence`, `stranger`.
    """

    table: pd.DataFrame
    odd: dict[str, int]


def find_carriers(
    variants: pd.DataFrame,
    patients: pd.DataFrame,
    qualifying: Literal["pathogenic", "uncertain", "benign"],
) -> Carriers:
    """Return the carriers among the patients.

    Findings that cannot be placed are left out and counted: of a gene that the panel does not
    know, without zygosity, of an unknown consequence, of a person without a panel. Uncertain
    variants count if they are rare and change the protein.
    """
    asked = variants[variants["acmg"].isin(CLASSES[qualifying])]
    reasons = {
        "gene": ~asked["gene"].isin(GENES),
        "zygosity": asked["zygosity"].isna(),
        "consequence": asked["consequence"].notna() & ~asked["consequence"].isin(CONSEQUENCES),
        "stranger": ~asked["person"].isin(patients["person"]),
    }
    left, odd = pd.Series(False, index=asked.index), {}
    for name, wrong in reasons.items():
        odd[name] = int((wrong & ~left).sum())
        left |= wrong
    counted = asked[~left]
    if qualifying == "uncertain":
        rare = counted["frequency"].fillna(0) <= HIGHEST_FREQUENCY
        counted = counted[rare & (counted["consequence"] != "synonymous_variant")]
    carried = pd.crosstab(counted["person"], counted["gene"]) > 0
    return Carriers(
        carried.reindex(index=patients["person"], columns=list(GENES), fill_value=False), odd
    )


def list_having(
    phenotypes: pd.DataFrame, patients: pd.DataFrame, asked: Sequence[str]
) -> pd.DataFrame:
    """Return who has which phenotype: a row for each patient (index person), a column for each.

    Raises:
        DataProblem: too many, a code is none of the ontology's form, or no patient has it.
    """
    if len(asked) > MOST_PHENOTYPES:
        raise DataProblem("phenotypes_too_many", limit=MOST_PHENOTYPES)
    known = set(phenotypes["code"])
    for number, code in enumerate(asked, 1):
        if not _HPO.fullmatch(code):
            raise DataProblem("phenotype_form", number=number)
        if code not in known:
            raise DataProblem("phenotype_unknown", found=code)
    found = pd.crosstab(phenotypes["person"], phenotypes["code"]) > 0
    return found.reindex(
        index=patients["person"], columns=list(dict.fromkeys(asked)), fill_value=False
    )


def name_phenotypes(phenotypes: pd.DataFrame) -> dict[str, str]:
    """Return the name of each phenotype, its code where it has none."""
    named = phenotypes.drop_duplicates("code")
    return dict(zip(named["code"], named["name"].fillna(named["code"]), strict=True))

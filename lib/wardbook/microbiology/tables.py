"""The antibiogram's tables: names beside codes, and shares by version of EUCAST."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from wardbook.activity.persons import largest_two
from wardbook.messages import Language
from wardbook.microbiology.catalogue import Catalogue, shorten_name

DECIMALS = 6
"""Of shares: enough that their rounding to whole percents is that of the counts."""


def add_names(table: pd.DataFrame, catalogue: Catalogue, language: Language) -> pd.DataFrame:
    """Return the table with pair, organism_name and drug_name, in the order of the names.

    `pair` is the code of organism and drug together: which drugs are tested on a species is the
    laboratory's choice, no trait of a patient, so that a row is placed by both at once. The drug
    may be a combination `A+B`.
    """

    def name(code: str) -> str:
        return " + ".join(catalogue.name_drug(one, language) for one in code.split("+"))

    named = table.assign(
        pair=table["organism"] + " " + table["drug"],
        organism_name=table["organism"].map(catalogue.name_organism),
        drug_name=table["drug"].map(name),
    )
    shares = {column: named[column].round(DECIMALS) for column in _SHARES if column in named}
    return named.assign(**shares).sort_values(
        [*_places(named), "organism_name", "drug_name"],
        key=lambda names: names.astype("str").str.normalize("NFKD"),
        kind="stable",
        ignore_index=True,
    )


def measure_versions(told: pd.DataFrame, *, least: int) -> pd.DataFrame:
    """Return organism, drug, version, isolates, share_s, share_i, share_r; then the persons.

    `told` has a row per isolate, drug and version, with `result`. `first_s` and so on are the most
    such isolates of single patients.
    """
    keys = ["organism", "drug", "version"]
    groups = told.groupby(keys, observed=True)
    table = pd.DataFrame({"isolates": groups.size(), "patients": groups["patient"].nunique()})
    table = table.reset_index()
    for letter in ("S", "I", "R"):
        small = letter.lower()
        having = told.assign(having=(told["result"] == letter).astype("int64"))
        share = having.groupby(keys, observed=True)["having"].mean().rename(f"share_{small}")
        largest = largest_two(having, keys, "having", (f"first_{small}", f"second_{small}"))
        table = table.merge(share.reset_index(), on=keys).merge(largest, on=keys)
    return table[table["isolates"] >= least].reset_index(drop=True)


def list_pairs(table: pd.DataFrame) -> list[str]:
    """Return `E. coli–Amoxicillin` and the like, of the table's rows in their order."""
    rows = table[["organism_name", "drug_name"]].itertuples(index=False)
    return [f"{shorten_name(organism)} – {drug}" for organism, drug in rows]


def list_by_organism(table: pd.DataFrame) -> list[str]:
    """Return `E. coli – Amoxicillin, Ampicillin` and the like, one for each organism."""
    groups = table.groupby("organism_name", sort=False)["drug_name"]
    return [f"{shorten_name(str(name))} – {', '.join(drugs)}" for name, drugs in groups]


_SHARES = ("share", "low", "high", "share_s", "share_i", "share_r")


def _places(table: pd.DataFrame) -> Sequence[str]:
    return [name for name in ("ward", "specimen", "year") if name in table]

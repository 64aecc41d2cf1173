"""Burden by gene: carriers against phenotypes, counts first, then odds ratios of what may be told.

A row is about a gene and a phenotype. What rests on too few persons on any side has no estimate:
an odds ratio would tell how few they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio
from statsmodels.stats.multitest import multipletests

from wardbook.cohort.flow import LEAST
from wardbook.exome.firth import estimate_odds_ratio

COVARIATES = ("age", "male", "component")
_COUNTS = ["carriers_having", "carriers_lacking", "others_having", "others_lacking"]


def count_carriers(carriers: pd.DataFrame, having: pd.DataFrame) -> pd.DataFrame:
    """Return for each gene and phenotype: carriers, and who of them and of the others has it.

    Columns gene, phenotype, carriers, carriers_having, carriers_lacking, others_having,
    others_lacking. Args: booleans by patient, a column for each gene and for each phenotype.
    """
    carried, has = carriers.to_numpy(dtype=np.int64), having.to_numpy(dtype=np.int64)
    both = carried.T @ has
    number, ill = carried.sum(axis=0)[:, None], has.sum(axis=0)[None, :]
    places = pd.MultiIndex.from_product(
        [carriers.columns, having.columns], names=["gene", "phenotype"]
    )
    return pd.DataFrame(
        {
            "carriers": np.broadcast_to(number, both.shape).ravel(),
            "carriers_having": both.ravel(),
            "carriers_lacking": (number - both).ravel(),
            "others_having": (ill - both).ravel(),
            "others_lacking": (len(carriers) - number - ill + both).ravel(),
        },
        index=places,
    ).reset_index()


def keep_told(counts: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Return those estimates of which every count is large enough to be told."""
    told = counts[(counts[_COUNTS] >= LEAST).all(axis=1)]
    kept: pd.DataFrame = estimates[estimates["term"].isin(_name_terms(told))]
    return kept.reset_index(drop=True)


def measure_burden(
    counts: pd.DataFrame, carriers: pd.DataFrame, having: pd.DataFrame, patients: pd.DataFrame
) -> pd.DataFrame:
    """Return the odds ratio of each phenotype in carriers of each gene, adjusted.

    Firth's logistic regression on age, sex and the genetic component, of those patients in whom
    all are known. Of genes with enough carriers all are tested, and `q` corrects for them all
    (Benjamini and Hochberg), also for those that are not told afterwards.

    Args:
        counts: of `count_carriers`.
        carriers, having: as for it.
        patients: person, age, sex, component, in the order of both.

    Returns:
        term (gene and phenotype), degrees_of_freedom, odds_ratio, low, high, p, q.
    """
    covariates = describe_patients(patients)
    known = covariates.notna().all(axis=1).to_numpy()
    given = covariates[known].to_numpy()
    rows = []
    for gene, phenotype in _keep_tested(counts)[["gene", "phenotype"]].itertuples(index=False):
        trait, exposed = having[phenotype].to_numpy()[known], carriers[gene].to_numpy()[known]
        ratio = estimate_odds_ratio(trait, exposed, given)
        rows.append((f"{gene} {phenotype}", ratio.estimate, ratio.low, ratio.high, ratio.p))
    table = pd.DataFrame(rows, columns=["term", "odds_ratio", "low", "high", "p"])
    table.insert(1, "degrees_of_freedom", len(given) - len(COVARIATES) - 2)
    return _correct(table)


def describe_patients(patients: pd.DataFrame) -> pd.DataFrame:
    """Return the covariates, of which sex is missing where it is undetermined."""
    male = patients["sex"].map({"M": 1.0, "F": 0.0})
    return pd.DataFrame(
        {"age": patients["age"].astype(float), "male": male, "component": patients["component"]}
    )


def measure_enrichment(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the odds ratio of each row by Fisher's exact test, not adjusted.

    The estimate and its exact interval are conditional on the margins (scipy). Columns and tests as
    in `measure_burden`.
    """
    rows, tested = [], _keep_tested(counts)
    for row in tested[["gene", "phenotype", *_COUNTS]].itertuples(index=False):
        square = [[row[2], row[3]], [row[4], row[5]]]
        ratio = odds_ratio(square, kind="conditional")
        interval = ratio.confidence_interval(0.95)
        p = float(fisher_exact(square).pvalue)
        rows.append((f"{row[0]} {row[1]}", ratio.statistic, interval.low, interval.high, p))
    table = pd.DataFrame(rows, columns=["term", "odds_ratio", "low", "high", "p"])
    table.insert(1, "degrees_of_freedom", tested[_COUNTS].sum(axis=1).to_numpy() - 2)
    return _correct(table)


def count_patients(having: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return for each phenotype its name and how many patients have it and have it not."""
    has = having.sum(axis=0)
    return pd.DataFrame(
        {
            "phenotype": having.columns,
            "name": [names[code] for code in having.columns],
            "patients": len(having),
            "having": has.to_numpy(),
            "lacking": (len(having) - has).to_numpy(),
        }
    )


def _keep_tested(counts: pd.DataFrame) -> pd.DataFrame:
    # By the carriers alone: who chose by those who have the phenotype would choose by the result.
    others = counts["others_having"] + counts["others_lacking"]
    tested: pd.DataFrame = counts[(counts["carriers"] >= LEAST) & (others >= LEAST)]
    return tested


def _name_terms(counts: pd.DataFrame) -> pd.Series[str]:
    return counts["gene"] + " " + counts["phenotype"]


def _correct(table: pd.DataFrame) -> pd.DataFrame:
    q = multipletests(table["p"], method="fdr_bh")[1] if len(table) else []
    return table.assign(q=q)

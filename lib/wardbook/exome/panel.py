"""The genes of the panel, and which variants of them count in a burden test."""

from __future__ import annotations

from collections.abc import Mapping

GENES = (
    *("ABCA4", "ACTC1", "APOB", "ATM", "BRCA1", "BRCA2", "CDH1", "CFTR", "COL3A1", "DSP"),
    *("FBN1", "GJB2", "KCNH2", "KCNQ1", "LDLR", "LMNA", "MLH1", "MSH2", "MYBPC3", "MYH7"),
    *("NF1", "PALB2", "PKD1", "PKD2", "PTEN", "RYR2", "SCN1A", "SCN5A", "TP53", "TTN"),
)
ZYGOSITIES = ("heterozygous", "homozygous", "hemizygous")
CONSEQUENCES = (
    "frameshift_variant",
    "missense_variant",
    "splice_donor_variant",
    "stop_gained",
    "synonymous_variant",
)
"""Names of the Sequence Ontology."""

CLASSES: Mapping[str, tuple[int, ...]] = {"pathogenic": (4, 5), "uncertain": (3,), "benign": (1, 2)}
"""Classes of ACMG and AMP (Richards, Genetics in Medicine 2015; 17: 405-424) by the parameter
`qualifying`. No two share a class and no bound can be moved: of two definitions of which one holds
the other, the difference would tell of few carriers."""

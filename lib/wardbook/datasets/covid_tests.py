"""Tests of patients for SARS-CoV-2."""

from __future__ import annotations

from wardbook.datasets.dataset import Column, Dataset, Kind

RESULTS = ("positive", "negative", "inconclusive")

DATASET = Dataset(
    "covid-tests",
    row="a test of a patient for SARS-CoV-2",
    columns=(
        Column("test", Kind.TEXT, "identifier of the test"),
        Column("patient", Kind.TEXT, "pseudonym of the patient"),
        Column("sampled", Kind.MOMENT, "when the sample was taken, local time"),
        Column("ward", Kind.TEXT, "code of the ward; empty outside of a stay", optional=True),
        Column("sex", Kind.TEXT, "F, M, or empty", optional=True, choices=("F", "M")),
        Column("age", Kind.INTEGER, "whole years", optional=True, low=0, high=120, unit="years"),
        Column("result", Kind.TEXT, "empty without a result", optional=True, choices=RESULTS),
    ),
    key=("test",),
    moment="sampled",
    place="ward",
)

"""The values of a metric by period, perhaps in several groups."""

from __future__ import annotations

from datetime import date

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    name="metric-series",
    row="the value of a metric in one period of one group",
    columns=(
        Column(
            "date",
            Kind.DAY,
            "the period's first day",
            low=date(1990, 1, 1),
            high=date(2099, 12, 31),
        ),
        Column(
            "group", Kind.TEXT, "whose value it is: a ward, a kind of visit; `all` for one series"
        ),
        Column("value", Kind.NUMBER, "the count, the part of `of`, or the measure"),
        Column("of", Kind.NUMBER, "what the value is a part of", optional=True, low=0),
    ),
    key=("group", "date"),
    moment="date",
    place="group",
)

"""Exploratory notebooks of four hands, as JSON text: what an analyst has before a template."""

from __future__ import annotations

import json
from collections.abc import Sequence

WARD = [
    "# Occupation des services\n\nCombien de patients sont passés dans les services, et combien de "
    "temps y restent-ils : une première lecture.",
    """import os
import pandas as pd

FOLDER = "/home/mdupont/exports"
START = "2026-01-10"
END = pd.Timestamp("2026-02-08")
WARDS = ["CARD", "PNEU", "URGE"]
LONG_NIGHTS = 5  # from here a stay is long
SIZE = (8, 3)""",
    """stays = pd.read_csv(
    os.path.join(FOLDER, "stays.csv"), sep=";", parse_dates=["entered", "left"]
)
stays.head()""",
    "## Séjours de la période",
    """# a stay counts where it touches the period
inside = (stays["entered"] <= END) & (stays["left"].isna() | (stays["left"] >= START))
period = stays[inside & stays["ward"].isin(WARDS)].copy()
period["nights"] = (period["left"] - period["entered"]).dt.days
print(len(period), "stays")""",
    """by_ward = period.groupby("ward").agg(
    patients=("patient", "nunique"),
    stays=("stay", "count"),
    nights=("nights", "mean"),
)
by_ward""",
    """long_stays = (
    period[period["nights"] >= LONG_NIGHTS].groupby("ward").size().reset_index(name="long_stays")
)
long_stays.to_csv("/home/mdupont/out/long.csv", index=False)""",
]
"""A careful hand: constants at the top, one table a cell."""

TUBES = [
    """import pandas as pd
import matplotlib.pyplot as plt
tubes = pd.read_csv("../data/tubes.csv", sep=";", parse_dates=["drawn", "received"])
limit = 60
tubes.describe()""",
    """t = tubes.query("drawn >= '2026-01-15' and drawn < '2026-02-15'")
t = t[~t.ward.isin(("REAC", "DIAL"))]
t = t.assign(week=t.drawn.dt.to_period("W").dt.start_time)""",
    """weekly = t.groupby(["ward", "week"]).tube.count()
display(weekly)""",
    """t["minutes"] = (t.received - t.drawn).dt.total_seconds() / limit
slow = t[t.minutes > 90].ward.value_counts()
slow""",
    """ax = weekly.groupby("week").sum().plot(figsize=(7, 3), title="Tubes by week")
plt.savefig("tubes_by_week.png", dpi=150)""",
]
"""A quick hand: few names, everything inline, no words."""

PUBLIC = [
    "# COVID-19 in hospital\n\nThe public files of Santé publique France.",
    """import numpy as np
import pandas as pd
import matplotlib.pyplot as plt

URL = "https://www.data.gouv.fr/fr/datasets/r/donnees-hospitalieres-covid19.csv"
first_day = pd.Timestamp("2020-04-01")
window = 7
departments = ["75", "69", "13"]""",
    """raw = pd.read_csv(URL, sep=";", dtype={"dep": str}, parse_dates=["jour"])
raw = raw[(raw["sexe"] == 0) & (raw["jour"] >= first_day)]""",
    "## In hospital",
    """chosen = raw[raw["dep"].isin(departments)]
per_day = chosen.groupby("jour", as_index=False)[["hosp", "rea"]].sum()
per_day["smooth"] = per_day["hosp"].rolling(window).mean()
per_day""",
    """fig, axes = plt.subplots(figsize=(9, 4))
axes.plot(per_day["jour"], per_day["smooth"], label=f"{window} days")
axes.set_title("In hospital")
axes.legend()
plt.show()""",
    """worst = per_day.nlargest(5, "hosp").rename(columns={"jour": "day"})[["day", "hosp"]]
worst""",
]
"""A hand that draws: an address, plots, and a public file."""

LABORATORY = [
    """import numpy as np
import pandas as pd

SEED = 42
PERCENT = 100
HIGH = 4.5
LATE_MINUTES = 90
ONLY_URGENT = True
UNITS = ("BIO", "HEM")
COLOURS = ["#335577", "#aa3333"]""",
    """results = pd.read_csv("results_2026.csv", parse_dates=["received", "validated"])
np.random.seed(SEED)
if ONLY_URGENT:
    results = results[results["priority"] == 1]""",
    """chosen = results[results["unit"].isin(UNITS) & (results["potassium"] > HIGH)]
hours = (chosen["received"].dt.day_of_year - chosen["validated"].dt.day_of_year).abs() * 24
late = chosen[hours * 60 > LATE_MINUTES]""",
    """by_unit = late.groupby("unit", as_index=False).agg(
    patients=("patient", "nunique"), results=("potassium", "count")
)
by_unit["share"] = PERCENT * by_unit["results"] / len(chosen)
by_unit""",
    """axes = by_unit.plot.bar(x="unit", y="share", color=COLOURS, figsize=(6, 3))""",
]
"""A hand that names everything, on a file that nobody declared."""


def notebook(cells: Sequence[str], *, kernel: str = "python3", **outputs: str) -> str:
    """Return a notebook's text: cells that begin with # and a word are Markdown.

    `outputs` are saved HTML outputs by `cell_NUMBER`.
    """
    language = "R" if kernel == "ir" else "python"
    return json.dumps(
        {
            "cells": [_cell(text, n, outputs) for n, text in enumerate(cells, 1)],
            "metadata": {"kernelspec": {"name": kernel, "language": language, "display_name": "x"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def _cell(text: str, number: int, outputs: dict[str, str]) -> dict[str, object]:
    common = {"id": f"c{number}", "metadata": {"ExecuteTime": {"start_time": "x"}}}
    if text.startswith(("# ", "## ")) and "=" not in text:
        return {**common, "cell_type": "markdown", "source": text}
    html = outputs.get(f"cell_{number}")
    shown = [{"output_type": "display_data", "data": {"text/html": html}, "metadata": {}}]
    return {
        **common,
        "cell_type": "code",
        "source": text.splitlines(keepends=True),
        "execution_count": number,
        "outputs": shown if html else [],
    }

"""The smallest template: a report of one cell, or of none."""

from __future__ import annotations

import json
from pathlib import Path

TEMPLATE = """
name = "tiny"
version = "1"
title = { fr = "Petit", en = "Tiny" }
question = { fr = "Combien ?", en = "How many?" }
[outputs.report]
kind = "report"
title = { fr = "Rapport", en = "Report" }
sensitivity = "public"
channel = "site"
"""


def notebook(*cells: str) -> str:
    code = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": code, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    )


def write_template(catalogue: Path, *cells: str, declared: str = TEMPLATE) -> Path:
    """Write the template into a catalogue, with these cells; returns its folder."""
    folder = catalogue / "tiny"
    folder.mkdir(parents=True)
    (folder / "template.toml").write_text(declared, encoding="utf-8")
    (folder / "notebook.ipynb").write_text(notebook(*cells), encoding="utf-8")
    return folder

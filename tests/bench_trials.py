"""Requests on a desk of the test's own, and trials of them: no tracker, no git, a real engine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from answered_unit import write_records
from factories import make_record, make_request, make_ticket
from trial_runs import wait_until

from pipelines.bench.desk import Desk, Place
from pipelines.bench.extension import open_desk
from pipelines.bench.trial import Trials
from pipelines.bench.trial_record import Trial
from pipelines.sample_settings import SAMPLE
from wardbook.domain.states import State
from wardbook.messages import Language

ANALYST = {"WARDBOOK_JIRA_TOKEN": "a", "WARDBOOK_GITLAB_TOKEN": "b"}
SOURCES = """
[sources.stays]
kind = "stays"
path = "data/stays.csv"
sensitivity = "sensitive"

[sources.closed]
kind = "stays"
path = "data/stays.csv"
sensitivity = "sensitive"
purposes = ["research"]

[sources.beds]
kind = "beds"
path = "data/beds.csv"
sensitivity = "public"
"""
TEMPLATE = """
name = "wards"
version = "1"
title = { fr = "Services", en = "Wards" }
question = { fr = "Combien ?", en = "How many?" }

[parameters.least]
type = "integer"
default = "1"
label = { fr = "Au moins", en = "At least" }
example = "1"

[sources.stays]
kind = "stays"
required = false
label = { fr = "Séjours", en = "Stays" }

[sources.beds]
kind = "beds"
required = false
sensitivity = "public"
label = { fr = "Lits", en = "Beds" }

[outputs.report]
kind = "report"
title = { fr = "Rapport", en = "Report" }
sensitivity = "internal"
channel = "site"

[outputs.by_ward]
kind = "table"
title = { fr = "Par service", en = "By ward" }
sensitivity = "internal"
channel = "site"
required = false
dimensions = ["ward"]
count = "patients"
population = "patients"
columns.ward = { fr = "Service", en = "Ward" }
columns.patients = { fr = "Patients", en = "Patients" }

[outputs.picture]
kind = "figure"
title = { fr = "Figure", en = "Picture" }
sensitivity = "internal"
channel = "site"
required = false
drawn_from = ["by_ward"]
"""
STAYS = "ward\n" + "CARD\n" * 40 + "MEDI\n" * 30
TWIN = "ward\n" + "CARD\n" * 20 + "MEDI\n" * 25
BEDS = "ward,beds\nCARD,12\nMEDI,20\n"
COUNT = """
import pandas as pd
import wardbook as wb
stays = pd.read_csv(wb.source("stays"))
counted = stays.groupby("ward").size().reset_index(name="patients")
"""
SHOW = 'wb.table("by_ward", counted, caption="By ward")'
DRAW = """
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.bar(counted["ward"], counted["patients"])
wb.figure("picture", figure, caption="Picture", alternative="Two bars")
"""


@dataclass(frozen=True)
class Unit:
    """A unit's settings, and a folder that notebooks may write to: there tests meet them."""

    folder: Path

    @property
    def meet(self) -> Path:
        """The folder where tests and notebooks meet."""
        return self.folder / "state" / "meet"

    def desk(self, bench: Path | None = None, language: Language = "en") -> Desk:
        """Return an analyst's desk, with the bench in this folder."""
        places = {"SETTINGS": self.folder / "wardbook.toml", "LANGUAGE": language}
        places["BENCH"] = bench or self.folder / "state" / "desk"
        return open_desk(ANALYST | {f"WARDBOOK_{name}": str(at) for name, at in places.items()})

    def file(self, number: int, **changes: object) -> str:
        """Put a request that is prepared into the ledger; returns its key."""
        key = f"DATA-{number}"
        asked = {"template": "wards", "sources": {"stays": "stays"}, "expires": "2099-12-31"}
        request = make_request(key=key, language="en", **(asked | changes))
        record = make_record(State.PREPARED, key=key, ticket=make_ticket(key=key), request=request)
        links = replace(record.links, issue=number)
        write_records(self.desk().settings.ledger, [replace(record, links=links)])
        return key


def lay_out_unit(folder: Path) -> Unit:
    """Write settings, a template, data and a twin below `folder`."""
    for made in ("catalogue/wards", "catalogue/wards_r", "data", "twins", "state/meet"):
        (folder / made).mkdir(parents=True)
    (folder / "state").chmod(0o700)
    in_r = TEMPLATE.replace('name = "wards"', 'name = "wards_r"\nkernel = "ir"')
    for name, declared in {"wards": TEMPLATE, "wards_r": in_r}.items():
        (folder / "catalogue" / name / "template.toml").write_text(declared, encoding="utf-8")
        write_notebook(folder / "catalogue" / name / "notebook.ipynb", COUNT, SHOW)
    for name, content in {"stays": STAYS, "beds": BEDS}.items():
        (folder / "data" / f"{name}.csv").write_text(content)
    text = re.sub(r"(?m)^token_file.*\n", "", SAMPLE)
    own = f'templates = "catalogue"\nopen_to = ["{folder / "state" / "meet"}"]\n'
    text = text.replace("[jira]\n", f"{own}\n[jira]\n", 1)
    (folder / "wardbook.toml").write_text(f"{text}\n{SOURCES}", encoding="utf-8")
    return Unit(folder)


def make_twin(unit: Unit) -> Path:
    """Put a stand-in of the source `stays` beside the settings."""
    file = unit.folder / "twins" / "stays.stays.csv"
    file.write_text(TWIN)
    return file


def lay_out(place: Place, *cells: str, parameters: str = "{}") -> Path:
    """Lay a request out on its desk, as its clone would be; returns the notebook's path."""
    place.folder.mkdir(parents=True, exist_ok=True)
    (place.folder / "parameters.json").write_text(parameters, encoding="utf-8")
    file = place.folder / "notebook.ipynb"
    write_notebook(file, *cells)
    return file


def write_notebook(file: Path, *cells: str) -> None:
    """Write a notebook of a heading and these code cells."""
    made = [nbformat.v4.new_markdown_cell("# Wards", id="heading")]
    for number, cell in enumerate(cells, 1):
        made.append(nbformat.v4.new_code_cell(cell.strip("\n"), id=f"cell-{number}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), file)


def change_cell(file: Path, index: int, source: str) -> None:
    """Change a cell as an analyst does: the file is saved with whatever JupyterLab adds."""
    notebook = json.loads(file.read_text(encoding="utf-8"))
    notebook["cells"][index]["source"] = source
    file.write_text(json.dumps(notebook), encoding="utf-8")


def follow(trials: Trials, key: str, trial: Trial) -> Trial:
    """Look until a trial is under way no more."""
    seen = [trial]

    def has_ended() -> bool:
        found = trials.look(key, trial.id)
        assert found is not None
        seen.append(found)
        return found.state != "running"

    wait_until(has_ended, 120)
    return seen[-1]


def run(trials: Trials, key: str) -> Trial:
    """Run as production, to its end."""
    return follow(trials, key, trials.start(key))

"""A template that was begun from an explored notebook: what it asks, that it runs as the notebook
did, and that nothing which tells a person reaches it.
"""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import explored
import matplotlib as mpl
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from identifier_corpus.values import nir

from pipelines.cli.main import REFUSED
from pipelines.cli.template import template as command
from wardbook.template.from_notebook import CannotRead, Draft, draft_template, write_draft
from wardbook.template.rules import find_breaches
from wardbook.template.spec import Template

HANDS = {
    "ward": explored.WARD,
    "tubes": explored.TUBES,
    "public": explored.PUBLIC,
    "laboratory": explored.LABORATORY,
}
READ_AT = {
    "ward": ("/home/mdupont/exports", "stays"),
    "tubes": ("../data/tubes.csv", "tubes"),
    "public": (
        "https://www.data.gouv.fr/fr/datasets/r/donnees-hospitalieres-covid19.csv",
        "raw",
    ),
    "laboratory": ("results_2026.csv", "results"),
}
SHOWN = {
    "ward": {"by_ward": "by_ward.reset_index()", "long_stays": "long_stays"},
    "tubes": {"weekly": "weekly.reset_index()", "slow": "slow.reset_index()"},
    "public": {"per_day": "per_day", "worst": "worst"},
    "laboratory": {"by_unit": "by_unit"},
}


def draft(*cells: str) -> Draft:
    return draft_template(explored.notebook(cells), "begun")


def write(name: str, folder: Path) -> Template:
    return write_draft(draft_template(explored.notebook(HANDS[name]), name), folder)


def first_test_of(template: Template) -> ModuleType:
    file = template.folder / f"tests/test_{template.spec.name}.py"
    spec = importlib.util.spec_from_file_location(f"first_{template.spec.name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def explore_by_hand(name: str, data: Path) -> dict[str, pd.DataFrame]:
    """Run the notebook itself, as its analyst does; return what it shows."""
    place, _ = READ_AT[name]
    path = str(data if place.endswith(".csv") else data.parent)
    names: dict[str, Any] = {"display": lambda _: None, "print": lambda *_: None}
    for cell in json.loads(explored.notebook(HANDS[name]))["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).replace(place, path).split("\n")
            kept = [line for line in lines if "to_csv(" not in line and "savefig" not in line]
            exec("\n".join(kept), names)
    return {table: eval(how, names) for table, how in SHOWN[name].items()}


# What is found.


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("ward", "start date, end date, wards text+, long_nights integer 0.."),
        ("tubes", "wards text+, drawn_from date, drawn_to date"),
        ("public", "first_day date, window integer 1.., departments text+"),
        (
            "laboratory",
            "high number 0.., late_minutes integer 0.., only_urgent boolean, units text+",
        ),
    ],
)
def test_constants_that_are_questions_become_parameters(
    name: str, parameters: str, tmp_path: Path
) -> None:
    begun = write(name, tmp_path)
    told = []
    for key, one in begun.spec.parameters.items():
        bound = f" {one.min}.." if one.min is not None else ""
        told.append(f"{key} {one.type}{'+' if one.many else ''}{bound}")
    assert ", ".join(told) == parameters
    assert list(find_breaches(begun)) == []


def test_each_other_constant_stays_and_is_told_why() -> None:
    found = {one.name: one.reason for one in draft(*explored.LABORATORY).found}
    assert found["SEED"].startswith("a seed")
    assert found["PERCENT"].startswith("turns one unit")
    assert found["COLOURS"].startswith("for the drawing")
    assert found["priority"].startswith("0, 1")
    assert draft(*explored.TUBES).found[1].reason.startswith("turns one unit")  # 60


# That it runs.


@pytest.mark.parametrize("name", HANDS)
def test_it_makes_the_tables_that_the_notebook_made(name: str, tmp_path: Path) -> None:
    mpl.use("Agg")
    begun = write(name, tmp_path / "catalogue")
    test = first_test_of(begun)
    made = test.run(tmp_path, {})
    test.test_every_output_is_made(tmp_path, made)
    _, source = READ_AT[name]
    by_hand = explore_by_hand(name, tmp_path / f"{source}.csv")
    assert made.keys() == by_hand.keys()
    for table, frame in by_hand.items():
        got = pd.read_csv(io.StringIO(made[table]))
        flat = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
        pd.testing.assert_frame_equal(got, flat.set_axis(got.columns, axis=1))
    if name == "ward":
        # Control: where a parameter is asked and never used, the first test finds it.
        code = begun.notebook.read_text(encoding="utf-8")
        begun.notebook.write_text(code.replace("p.long_nights", "5"), encoding="utf-8")
        (tmp_path / "asked").mkdir()
        with pytest.raises(AssertionError, match="changes no table"):
            test.test_what_is_asked_changes_a_table("long_nights", tmp_path / "asked", made)


# What is refused.


def begin(folder: Path, text: str, *more: str) -> Result:
    (folder / "n.ipynb").write_text(text, encoding="utf-8")
    call = ["from", str(folder / "n.ipynb"), "--name", "begun", "--out", str(folder / "out")]
    return CliRunner().invoke(command, [*call, *more], standalone_mode=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no notebook", "no notebook of format 4"),
        ("[]", "no notebook of format 4"),
        (explored.notebook(["x <- 1"], kernel="ir"), "in R; only Python can be read"),
        (explored.notebook([]), "holds no code"),
        (explored.notebook(["total = 1 +"]), "Cell 1, line 1: this code cannot be parsed"),
        (explored.notebook(["total = 1 + 1"]), "shows and writes no table"),
        (
            explored.notebook(["import pandas as pd", 't = pd.read_sql("select 1", c)']),
            "Cell 2, line 1: the notebook reads a database",
        ),
        (
            explored.notebook(["LIMIT = 4", "LIMIT = 5\nrows[rows.x > LIMIT]"]),
            "LIMIT is given a value twice: cell 1, line 1 and cell 2, line 1",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, told: str, tmp_path: Path) -> None:
    made = begin(tmp_path, text)
    assert made.return_value == REFUSED
    assert told in made.output
    assert "Traceback" not in made.output
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_taken_is_refused_and_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    text = explored.notebook(explored.WARD)
    assert begin(tmp_path, text, "--dry-run").return_value == 0
    assert not (tmp_path / "out").exists()
    assert begin(tmp_path, text).return_value == 0
    before = (tmp_path / "out/begun/template.toml").read_bytes()
    again = begin(tmp_path, explored.notebook(explored.TUBES))
    assert again.return_value == REFUSED
    assert "is there already" in again.output
    assert (tmp_path / "out/begun/template.toml").read_bytes() == before


# What tells a person.

READ = 'import pandas as pd\nstays = pd.read_csv("stays.csv", sep=";")'
SHOW = 'shown = rows.groupby("ward").agg(patients=("patient", "nunique"))\nshown'
FILTERS = [
    'rows = stays[stays["patient"] == "{}"]',
    'rows = stays[stays.ipp == "{}"]',
    'rows = stays[stays["nom_patient"].str.contains("{}")]',
    'rows = stays[stays["nom"].eq("{}")]',
    'rows = stays[stays["patient"].isin(["{}", "B2"])]',
    "rows = stays.query(\"patient == '{}' and ward == 'CARD'\")",
    'who = "{}"\nrows = stays.query("patient == @who")',
    'who = ["{}", "B2"]\nthem = set(who)\nrows = stays[stays["patient"].isin(them)]',
    'IPP = "{}"\nrows = stays[stays.number == IPP]',
    'print(stays[stays["patient"] == "{}"])\nrows = stays',
    'rows = stays[stays["patient"] == "{}"].copy()\nrows[rows["patient"] == "{}"].to_csv("a.csv")',
]
"""A parameter takes the value's place."""

CORNERS = [
    'rows = stays.set_index("patient").loc[["{}"]].reset_index()',
    'rows = stays.replace({{"patient": {{"{}": "x"}}}})',
    'rows = stays.merge(pd.DataFrame({{"patient": ["{}"]}}), on="patient")',
    'rows = stays[stays["patient"] == "{}"[:5]]',
    "rows = stays.query(f\"patient == '{}' and ward == {{1}}\")",
    'nom = "{}"\nrows = stays',
    'NAMES_OF_PATIENTS = {{"{}": "x"}}\nrows = stays',
    'rows = stays.assign(nom="{}")',
    'rows = stays[[one == "{}" for one in stays["patient"]]]',
    'rows = stays[stays["patient"].apply(lambda one: one in ["{}"])]',
    'a, b = "{}", "x"\nrows = stays[stays.patient == a]',
    'known = {{"who": "{}"}}\nrows = stays[stays.patient == known["who"]]',
    'who: str = "{}"\nrows = stays[stays.patient == who]',
    'def of(one):\n    return stays[stays.patient == one]\n\nrows = stays[of("{}").index]',
    'rows = stays.copy()\nfor one in ["{}"]:\n    stays[stays["patient"] != one]',
]
"""It cannot be taken out: refused."""


def files_of(made: Draft) -> str:
    return "\n".join(made.files.values())


@pytest.mark.parametrize("secret", ["MARTIN", "P0042X"])
@pytest.mark.parametrize("code", FILTERS)
def test_a_filter_by_a_person_becomes_a_parameter_without_a_value(code: str, secret: str) -> None:
    made = draft(READ, code.format(secret, secret), SHOW)
    assert secret not in files_of(made)
    assert secret not in str(made.found)


@pytest.mark.parametrize("code", CORNERS)
def test_a_person_that_cannot_be_taken_out_is_refused(code: str) -> None:
    with pytest.raises(CannotRead) as refused:
        draft(READ, code.format("MARTIN"), SHOW)
    assert "MARTIN" not in str(refused.value)


def test_a_parameter_that_tells_a_person_has_no_default(tmp_path: Path) -> None:
    begun = write_draft(draft(READ, FILTERS[0].format("MARTIN"), SHOW), tmp_path)
    asked = begun.spec.parameters["patient"]
    assert asked.default is None
    assert asked.required
    assert list(find_breaches(begun)) == []


@pytest.mark.parametrize("code", ["# {}\nrows = stays", "WHO = '{}'\nrows = stays[stays.x == WHO]"])
def test_a_number_that_the_search_knows_is_never_written(code: str) -> None:
    number = "".join(nir(Random(8)))
    try:
        assert number not in files_of(draft(READ, code.format(number), SHOW))
    except CannotRead as refused:
        assert number not in str(refused)


@pytest.mark.parametrize("column", ["ward", "unit"])
def test_control_a_value_that_tells_nobody_is_kept(column: str) -> None:
    code = f'rows = stays[stays["{column}"].isin(["MARTIN", "B2"])]'
    assert "MARTIN" in files_of(draft(READ, code, SHOW))


def test_a_threshold_on_a_count_of_patients_is_a_parameter(tmp_path: Path) -> None:
    show = f"FEWEST_PATIENTS = 12\n{SHOW}\nshown[shown.patients >= FEWEST_PATIENTS]"
    begun = write_draft(draft(READ, "rows = stays", show), tmp_path)
    assert begun.spec.parameters["fewest_patients"].default == "12"


def test_who_wants_a_constant_to_stay_keeps_it_but_never_a_person() -> None:
    cells: Sequence[str] = (
        READ,
        "rows = stays.query(\"entered >= '2026-01-05' and patient == 'MARTIN'\")",
        SHOW,
    )
    made = draft_template(explored.notebook(cells), "begun", lambda _: False)
    code = "".join(json.loads(made.files["notebook.ipynb"])["cells"][0]["source"])
    assert "2026-01-05" in code
    assert "MARTIN" not in files_of(made)

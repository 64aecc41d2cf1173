"""Both templates, executed for real by the plain engine on whole files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from wardbook.domain.output import OutputKind, Sensitivity
from wardbook.domain.run import FailureKind, RunResult, RunSpec, SourceFile
from wardbook.engines.warm_engine import WarmEngine
from wardbook.epidemic.generate import generate_files
from wardbook.files import hash_file
from wardbook.hospital.stays import CANARIES, generate_stays
from wardbook.hospital.vocabulary import COLUMNS
from wardbook.template.spec import Template, load_template

pytestmark = pytest.mark.usefixtures("lasting_server")
STOCK = "hosp_donnees-hospitalieres-covid19_vintage2021-01-08.csv"
FLOW = "hosp_nouveaux_vintage2021-01-08.csv"


def run_template(
    template: Template,
    folder: Path,
    sources: dict[str, Path],
    parameters: dict[str, Any],
    language: str = "fr",
) -> RunResult:
    folder.mkdir()
    shutil.copy(template.notebook, folder / "notebook.ipynb")
    given = dict.fromkeys(template.spec.parameters) | parameters
    RunSpec(
        key="test",
        request="test",
        template=template.spec.name,
        template_folder=str(template.folder),
        kernel=template.spec.kernel,
        language=language,  # type: ignore[arg-type]
        parameters=given,
        sources={
            name: SourceFile(str(path), hash_file(path), Sensitivity.PUBLIC)
            for name, path in sources.items()
        },
        memory_mb=template.spec.resources.memory_mb,
    ).write(folder)
    engine = WarmEngine()
    try:
        return engine.execute(folder)
    finally:
        engine.close()


def published_texts(folder: Path) -> str:
    notebook = json.loads((folder / "executed.ipynb").read_text(encoding="utf-8"))
    return "\n".join(
        "".join(output["data"]["text/markdown"])
        for cell in notebook["cells"]
        for output in cell["outputs"]
        if output.get("metadata", {}).get("wardbook", {}).get("publish") == "text"
    )


@pytest.fixture(scope="module")
def epidemic(root: Path) -> Template:
    return load_template(root / "templates" / "hospital_epidemic")


@pytest.mark.shared_data
def test_the_epidemic_report_on_the_real_files(
    epidemic: Template, shared: Path, tmp_path: Path
) -> None:
    sources = {"hospital": shared / "data/spf" / STOCK, "admissions": shared / "data/spf" / FLOW}
    result = run_template(epidemic, tmp_path / "run", sources, {})
    assert result.failure is None
    declared = {n for n, o in epidemic.spec.outputs.items() if o.kind is not OutputKind.REPORT}
    assert {output.name for output in result.outputs} == declared
    assert all(o.alternative for o in result.outputs if o.kind is OutputKind.FIGURE)
    published = pd.read_csv(shared / "data/spf/published_table-indicateurs-france_2023-06-30.csv")
    france = pd.read_csv(tmp_path / "run/outputs/france_daily.csv")
    last = published.set_index("date").loc["2021-01-08"]
    assert france.iloc[-1].to_dict() == {
        "date": "2021-01-08",
        **{
            n: last[p]
            for n, p in zip(
                ("hosp", "rea", "rad", "dc"), ("hosp", "rea", "rad", "dchosp"), strict=True
            )
        },
    }
    assert "Le 8 janvier 2021" in published_texts(tmp_path / "run")


def test_a_period_and_regions_without_the_admissions(epidemic: Template, tmp_path: Path) -> None:
    stock, _ = generate_files(tmp_path, seed=5, days=60)
    lines = stock.read_text(encoding="utf-8").splitlines()
    gaps = ("2020-04-05", '"2B";"0";"2020-04-07"')
    kept = [line for line in lines if not any(gap in line for gap in gaps)]
    stock.write_text("\n".join(kept) + "\n", encoding="utf-8")
    parameters = {
        "start": {"date": "2020-04-01"},
        "end": {"date": "2020-04-10"},
        "regions": ["Bretagne", "Corse"],
    }
    result = run_template(epidemic, tmp_path / "run", {"hospital": stock}, parameters, "en")
    assert result.failure is None
    optional = {n for n, o in epidemic.spec.outputs.items() if not o.required}
    produced = {output.name for output in result.outputs}
    assert produced == set(epidemic.spec.outputs) - optional - {"report"}
    regions = pd.read_csv(tmp_path / "run/outputs/region_daily.csv")
    assert set(regions["region_name"]) == {"Bretagne", "Corse"}
    assert (regions["date"].min(), regions["date"].max()) == ("2020-04-01", "2020-04-10")
    france = pd.read_csv(tmp_path / "run/outputs/france_daily.csv")
    everywhere = pd.read_csv(stock, sep=";", dtype={"sexe": str})
    total = everywhere[(everywhere["sexe"] == "0") & (everywhere["jour"] == "2020-04-10")]
    assert france["hosp"].iloc[-1] == total["hosp"].sum()
    texts = published_texts(tmp_path / "run")
    assert "The file of new admissions was not given" in texts
    assert "no data at all for 1 day(s) inside the period: 5 April 2020" in texts
    assert re.search(r"1 row\(s\) of one department .* in 1 department\(s\): 2B", texts)


def test_a_damaged_file_is_named_and_nothing_is_declared(
    epidemic: Template, tmp_path: Path
) -> None:
    stock, _ = generate_files(tmp_path, seed=5, days=10)
    stock.write_bytes(stock.read_bytes().replace(b";", b","))
    result = run_template(epidemic, tmp_path / "run", {"hospital": stock}, {})
    assert result.failure is not None
    assert result.failure.kind is FailureKind.DATA_PROBLEM
    assert (result.failure.problem, result.failure.cell) == ("delimiter_wrong", 2)
    assert result.outputs == ()
    assert [path.name for path in (tmp_path / "run/outputs").iterdir()] == []


@pytest.mark.secure("stays.csv")
def test_the_line_list_holds_its_ward_and_shows_no_patient(root: Path, tmp_path: Path) -> None:
    template = load_template(root / "templates" / "line_list")
    extract = generate_stays(tmp_path / "stays.csv", patients=400, seed=9)
    parameters = {
        "ward": "Gériatrie aiguë",
        "start": {"date": "2020-12-01"},
        "end": {"date": "2020-12-31"},
    }
    result = run_template(template, tmp_path / "run", {"stays": extract}, parameters)
    assert result.failure is None
    assert [output.name for output in result.outputs] == ["stays"]
    listed = pd.read_csv(tmp_path / "run/outputs/stays.csv", dtype=str)
    assert list(listed.columns) == list(COLUMNS)
    assert set(listed["ward"]) == {"Gériatrie aiguë"}
    assert listed["name"].isin(CANARIES).sum() == 1
    assert listed["entry"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d").all()
    assert "1er décembre 2020" in result.outputs[0].caption
    # Only the sealed file may hold the names; that the search finds them there is the control.
    holding = find_names(tmp_path / "run", set(listed["name"]) | set(listed["ipp"]))
    assert holding == {"outputs/stays.csv"}


@pytest.mark.secure("stays.csv")
def test_a_damaged_extract_is_named_without_a_patient(root: Path, tmp_path: Path) -> None:
    template = load_template(root / "templates" / "line_list")
    extract = generate_stays(tmp_path / "stays.csv", patients=50, seed=9)
    lines = extract.read_text(encoding="utf-8").splitlines()
    lines[4] = lines[4].replace("2020-10-01T", "01/10/2020 ", 1)
    extract.write_text("\n".join(lines) + "\n", encoding="utf-8")
    parameters = {
        "ward": "Urologie",
        "start": {"date": "2020-12-01"},
        "end": {"date": "2020-12-31"},
    }
    result = run_template(template, tmp_path / "run", {"stays": extract}, parameters)
    assert result.failure is not None
    assert (result.failure.problem, result.failure.details["row"]) == ("time_form", 5)
    assert result.failure.details["column"] == "entry"
    names = {line.split(";")[1] for line in lines[1:]}
    assert find_names(tmp_path / "run", names) == set()


def find_names(run: Path, names: set[str]) -> set[str]:
    """Return the files of a run that hold one of the names, in plain text or as JSON escapes."""
    spelled = {form.encode() for name in names for form in (name, json.dumps(name)[1:-1])}
    return {
        file.relative_to(run).as_posix()
        for file in run.rglob("*")
        if file.is_file() and any(form in file.read_bytes() for form in spelled)
    }

"""The notebook API without a kernel: what is written, what is refused."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from trial_runs import make_run, make_template

import wardbook as wb
from wardbook.domain.output import Sensitivity
from wardbook.domain.run import SourceFile
from wardbook.errors import EnvironmentFault
from wardbook.files import hash_file
from wardbook.notebook.index import read_index
from wardbook.template.spec import TemplateProblem


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stays = tmp_path / "stays.csv"
    stays.touch()
    folder = make_run(
        tmp_path,
        "run",
        language="en",
        parameters={"who": "Ada", "days": [date(2021, 1, 8)], "share": None},
        sources={"stays": SourceFile(str(stays), "0" * 64, Sensitivity.SENSITIVE)},
    )
    monkeypatch.setenv("WARDBOOK_RUN", str(folder))
    return folder


@pytest.fixture
def by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_template(tmp_path)
    monkeypatch.delenv("WARDBOOK_RUN", raising=False)
    monkeypatch.chdir(folder)
    return folder


def counts(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns or {"day": ["2021-01-08"], "n": [3]})


def test_parameters_are_typed_and_read_only(run: Path) -> None:
    given = wb.params()
    assert (given.who, given.days, given.share) == ("Ada", [date(2021, 1, 8)], None)
    with pytest.raises(AttributeError, match="read-only"):
        given.who = "Eve"
    with pytest.raises(AttributeError, match=r"no parameter 'whom'.*who, days, share"):
        _ = given.whom


def test_sources_are_given_optional_or_refused(run: Path) -> None:
    assert wb.source("stays") == run.parent / "stays.csv"
    assert wb.source("wards") is None
    with pytest.raises(TemplateProblem, match="no source 'beds', only: stays, wards"):
        wb.source("beds")


def test_texts_are_in_the_run_s_language(run: Path) -> None:
    assert wb.language() == "en"
    assert wb.text("hello", who="*Ada*", rate=2.26) == "Hello ***Ada***: 2.3"


@pytest.mark.parametrize(
    ("key", "values"),
    [("bye", {}), ("hello", {"who": "Ada"}), ("hello", {"who": "Ada", "rate": "high"})],
)
def test_a_text_that_does_not_fit_is_refused(run: Path, key: str, values: dict[str, str]) -> None:
    with pytest.raises(TemplateProblem, match=f"text '{key}'"):
        wb.text(key, **values)


def test_a_table_is_written_in_one_form(run: Path) -> None:
    days = pd.to_datetime(["2021-01-08", None])
    wb.table("counts", counts(day=list(days), n=[0.1 + 0.2, None]))
    file = run / "outputs" / "counts.csv"
    assert file.read_bytes() == b"day,n\n2021-01-08,0.30000000000000004\n,\n"
    (output,) = read_index(run / "outputs")
    assert (output.name, output.rows, output.title) == ("counts", 2, "Counts")
    assert (output.sha256, output.size) == (hash_file(file), file.stat().st_size)


def test_times_are_iso_too(run: Path) -> None:
    wb.table("counts", counts(day=[pd.Timestamp("2021-01-08 14:30")], n=[1]))
    assert (run / "outputs" / "counts.csv").read_text() == "day,n\n2021-01-08T14:30:00,1\n"


def test_a_second_declaration_replaces_the_first(run: Path) -> None:
    wb.table("counts", counts())
    wb.table("counts", counts(day=["a", "b"], n=[1, 2]))
    assert [output.rows for output in read_index(run / "outputs")] == [2]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (counts(day=["x"]), "missing: n"),
        (counts(n=[1], day=["x"]), "another order"),
        (counts(day=["x"], n=[1], Dupont=[1]), "not declared: at position 3"),
    ],
)
def test_other_columns_are_refused_without_naming_them(
    run: Path, frame: pd.DataFrame, message: str
) -> None:
    with pytest.raises(TemplateProblem, match=message) as refusal:
        wb.table("counts", frame)
    assert "columns day, n" in str(refusal.value)
    assert "Dupont" not in str(refusal.value)
    assert read_index(run / "outputs") == []


@pytest.mark.parametrize("name", ["beds", "curve"])
def test_an_undeclared_table_is_refused(run: Path, name: str) -> None:
    with pytest.raises(TemplateProblem, match=f"no table '{name}', only: counts"):
        wb.table(name, counts())


def test_a_figure_is_a_picture_without_metadata(run: Path) -> None:
    wb.figure("curve", Figure(), caption="Stays", alternative="A flat line")
    picture = (run / "outputs" / "curve.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert b"tEXt" not in picture
    (output,) = read_index(run / "outputs")
    assert (output.alternative, output.caption) == ("A flat line", "Stays")


def test_a_figure_without_alternative_text_is_refused(run: Path) -> None:
    with pytest.raises(TemplateProblem, match="'curve' has no alternative text"):
        wb.figure("curve", Figure(), caption="Stays", alternative=" ")
    assert not (run / "outputs" / "curve.png").exists()


def test_an_analyst_gets_defaults_then_examples(by_hand: Path) -> None:
    given = wb.params()
    assert (given.who, given.share) == ("monde", None)
    assert given.days == [date(2021, 1, 8), date(2021, 1, 9)]
    assert wb.language() == "fr"
    wb.table("counts", counts())
    assert json.loads((by_hand / "outputs" / "index.json").read_text())[0]["title"] == "Comptes"


def test_an_analyst_names_sources_in_the_environment(
    by_hand: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wb.source("wards") is None
    with pytest.raises(EnvironmentFault, match="Set WARDBOOK_SOURCE_STAYS"):
        wb.source("stays")


def test_an_analyst_s_source_is_found(by_hand: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDBOOK_SOURCE_STAYS", "stays.csv")
    assert wb.source("stays") == Path("stays.csv")


def test_outside_run_and_template_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WARDBOOK_RUN", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EnvironmentFault, match="template's folder"):
        wb.params()


def test_importing_wardbook_loads_none_of_it() -> None:
    code = "import sys, wardbook; print(sorted({'pydantic', 'wardbook.notebook'} & {*sys.modules}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"

"""`wardbook run`: a template without a ticket, through the same engine and checks."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pipelines.cli.main import Context, main
from pipelines.cli.run import run
from tests.integration.test_story import COUNTS
from tests.sample_settings import SAMPLE, write_sample
from tests.tiny_template import TEMPLATE, write_template
from tests.wards import CODE, WARDS
from wardbook.epidemic.generate import generate_files
from wardbook.hospital.synthetic import generate_stays

pytestmark = [pytest.mark.xdist_group("by hand"), pytest.mark.usefixtures("lasting_server")]


def call(*arguments: str | Path, context: Context | None = None) -> Result:
    context = context or Context(Path("wardbook.toml"), {})
    return CliRunner().invoke(
        run, [str(argument) for argument in arguments], obj=context, standalone_mode=False
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return generate_files(tmp_path_factory.mktemp("spf"), seed=2, days=12)


def sources(files: tuple[Path, Path]) -> list[str]:
    return ["--source", f"hospital={files[0]}", "--source", f"admissions={files[1]}"]


@pytest.mark.shared_data
def test_the_real_files_give_the_published_national_series(shared: Path, tmp_path: Path) -> None:
    spf = shared / "data" / "spf"
    out = tmp_path / "results"
    done = call(
        "hospital_epidemic",
        "--source", f"hospital={spf / 'hosp_donnees-hospitalieres-covid19_vintage2021-01-08.csv'}",
        "--source", f"admissions={spf / 'hosp_nouveaux_vintage2021-01-08.csv'}",
        "--out", out,
    )  # fmt: skip
    assert done.return_value == 0, done.output
    published = pd.read_csv(spf / "published_table-indicateurs-france_2023-06-30.csv")
    published = published.rename(columns={"dchosp": "dc", "incid_dchosp": "incid_dc"})
    for table, columns in (
        ("france_daily", ["hosp", "rea", "rad", "dc"]),
        ("france_admissions", ["incid_hosp", "incid_rea", "incid_rad", "incid_dc"]),
    ):
        ours = pd.read_csv(out / f"{table}.csv")
        both = ours.merge(published, on="date", suffixes=("", "_published"))
        assert len(both) == len(ours) > 290
        for column in columns:
            assert (both[column] == both[f"{column}_published"]).all(), (table, column)
    page = (out / "report" / "index.html").read_text(encoding="utf-8")
    assert "sha" in page.lower()
    about = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert {check["verdict"] for check in about["checks"]} == {"pass"}


def test_it_leaves_every_table_and_the_report_and_nothing_else(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "results"
    done = call("hospital_epidemic", *sources(files), "-p", "regions=Bretagne", "--out", out)
    assert done.return_value == 0, done.output
    names = {path.name for path in out.iterdir()}
    assert {"report", "run.json", "france_daily.csv", "department_admissions.csv"} <= names
    assert all(name.endswith(".csv") for name in names - {"report", "run.json"})
    assert list(tmp_path.iterdir()) == [out], "a scratch folder was left"
    again = call("hospital_epidemic", *sources(files), "--out", out)
    assert again.return_value == 0, "an earlier run by hand makes way"


def test_a_failed_run_leaves_nothing_and_exits_with_one(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(files[0].read_bytes()[:-7])
    out = tmp_path / "results"
    done = call("hospital_epidemic", "--source", f"hospital={broken}", "--out", out, "--json")
    assert done.return_value == 1
    assert json.loads(done.stdout)["failure"]["kind"] == "data_problem"
    assert "broken.csv" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "lab=x"], "no such source"),
        ([], "source hospital is missing"),
        (["--source", "hospital=/nowhere.csv"], "is not a file"),
    ],
)
def test_a_wrong_source_is_told(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = call("hospital_epidemic", *arguments, "--out", tmp_path / "results")
    assert done.return_value == 1
    assert message in done.stderr


def test_a_wrong_parameter_is_told(files: tuple[Path, Path], tmp_path: Path) -> None:
    done = call("hospital_epidemic", *sources(files), "-p", "end=hier", "--out", tmp_path / "x")
    assert done.return_value == 1
    assert "hier" in done.stderr


def test_a_folder_with_other_files_is_not_touched(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = call("hospital_epidemic", *sources(files), "--out", tmp_path)
    assert done.return_value == 1
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.secure("stays.csv", "results/*")
def test_a_sensitive_list_is_left_for_the_analyst_alone_and_said_to_be_held(tmp_path: Path) -> None:
    stays = generate_stays(tmp_path / "stays.csv", patients=60, seed=4)
    out = tmp_path / "results"
    done = call(
        "line_list", "--source", f"stays={stays}", "-p", "ward=Urologie", "-p", "start=2020-12-01",
        "-p", "end=2020-12-31", "--out", out,
    )  # fmt: skip
    assert done.return_value == 0, done.output
    assert "stays: Relecture" in done.output
    assert "Données individuelles" in done.output
    assert (out / "stays.csv").stat().st_mode & 0o077 == 0
    assert out.stat().st_mode & 0o077 == 0
    assert not (out / "report").exists()


NAMED = """
stays = pd.read_csv(wb.source("stays"), sep=";", dtype=str)
one = stays[(stays.birth_date > "1904") & (stays.name.str.len() > 6)].iloc[0]
wb.table("counts", pd.DataFrame({"n": [one["first_name"] + " " + one["name"], "=1+1"]}))"""


@pytest.fixture
def wards(tmp_path: Path) -> tuple[Path, Path]:
    """The catalogue with the template of wards, and stays for it."""
    template = write_template(
        tmp_path / "templates",
        CODE.replace('wb.table("counts", pd.DataFrame({"n": [12]}))', "") + NAMED,
        declared=TEMPLATE + COUNTS + WARDS,
    )
    text = '[fr]\nanswer = "Douze."\n[en]\nanswer = "Twelve."\n'
    (template / "texts.toml").write_text(text, encoding="utf-8")
    return tmp_path / "templates", generate_stays(tmp_path / "stays.csv", patients=60, seed=4)


def verdicts(out: Path) -> dict[str, str]:
    checks = json.loads((out / "run.json").read_text(encoding="utf-8"))["checks"]
    return {f"{one['output']} {one['reason']}": one["verdict"] for one in checks}


@pytest.mark.secure("stays.csv")
def test_what_would_leave_is_cut_and_read_as_that_of_a_request(
    wards: tuple[Path, Path], tmp_path: Path
) -> None:
    templates, stays = wards
    out = tmp_path / "results"
    arguments = ["tiny", "--source", f"stays={stays}", "--templates", templates, "--out", out]
    done = call(*arguments)
    assert done.return_value == 0, done.output
    whole = pd.read_csv(out / "wards.csv")
    leaving = pd.read_csv(out / "leaving" / "wards.csv")
    assert whole.n.notna().all()
    gone = leaving[leaving.n.isna()]
    assert ("A", "M") in {(row.ward, row.sex) for row in gone.itertuples()}
    page = (out / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count(">masqué<") == len(gone)
    assert "leaving/wards.csv" in done.output
    assert "wards: Réussi" in done.output
    assert "report: Relecture" in done.output
    assert not (out / "leaving" / "counts.csv").exists()
    found = verdicts(out)
    assert found["wards cut"] == "pass"
    assert found["report artefact.formula"] == "hold"
    assert "report identifier.name" not in found, "nothing says where the names are"


@pytest.mark.secure("stays.csv")
def test_the_units_settings_say_where_the_names_are(
    wards: tuple[Path, Path], tmp_path: Path
) -> None:
    templates, stays = wards
    named = f'''
[sources.stays]
kind = "hospital-stays"
path = "{stays}"
sensitivity = "sensitive"
names = {{ surnames = ["name"], first_names = ["first_name"] }}
'''
    settings = write_sample(tmp_path, SAMPLE + named)
    tokens = {"WARDBOOK_JIRA_TOKEN": "a", "WARDBOOK_GITLAB_TOKEN": "b"}
    arguments = ["tiny", "--source", f"stays={stays}", "--templates", templates, "--out"]
    out = tmp_path / "results"
    context = Context(settings, tokens)
    done = call(*arguments, out, context=context)
    assert done.return_value == 0, done.output
    assert verdicts(out)["report identifier.name"] == "hold"
    assert "Nom qui peut être celui d’un patient" in done.output


def test_an_unknown_template_names_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "horoscope", "--out", "x"]) == 2
    assert "hospital_epidemic" in capsys.readouterr().err


def test_a_name_given_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["-p", "end=2020-01-01", "-p", "end=2020-01-02"]
    assert main(["run", "hospital_epidemic", *arguments, "--out", "x"]) == 2
    assert "twice" in capsys.readouterr().err


@pytest.mark.parametrize(("cell", "left"), [("12", True), ("'=1+1'", False)])
def test_with_public_only_nothing_is_left_of_a_page_that_somebody_has_to_see(
    cell: str, left: bool, tmp_path: Path
) -> None:
    code = f"""import pandas as pd
import wardbook as wb
wb.table("counts", pd.DataFrame({{"n": [{cell}]}}))"""
    write_template(tmp_path / "templates", code, declared=TEMPLATE + COUNTS)
    out = tmp_path / "results"
    done = call("tiny", "--templates", tmp_path / "templates", "--out", out, "--public-only")
    assert done.return_value == 0, done.output
    names = {path.name for path in out.iterdir()}
    assert names == ({"run.json", "counts.csv", "report"} if left else {"run.json"})
